"""How our orders, sessions and days of own use become service records.

Policy: F.record. Decisions where the layout leaves something open:

- `serviceTime` is the number of times (sessions) served: its meaning in other senders differs, and
  `serviceAmount` already tells the hours.
- `serviceWay`: samples are 委托共享; time with the unit's staff, or on an instrument for which
  users are trained, is 技术共享; other time is 占用共享.
- The platform knows no research project, so `subjectIncome` is 无; `subjectArea` is that of the
  instrument. `serviceContent` is what the instrument is published for: what was tested is nobody's
  business (J.20).
- Own use has no applicant of its own: the instrument's published contact stands for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from marketplace.exchange.rules import layout
from marketplace.exchange.rules.states import RecordKind
from marketplace.kernel.time import SHANGHAI

FREE_TEXT_MAX = 500
_DIRECTIONS = {
    "own_unit": layout.RESEARCH,
    "academic": layout.RESEARCH,
    "sme": layout.DEVELOPMENT,
    "enterprise": layout.DEVELOPMENT,
}
_OWN_DIRECTIONS = {
    "own_research": layout.RESEARCH,
    "teaching": layout.TEACHING,
    "external": layout.OTHER,
}
_OWN_CONTENT = {"own_research": "科研使用", "teaching": "教学使用", "external": "对外使用"}
# In the number of a record: what for, and in which class of user.
_LETTERS = {
    "own_research": "R",
    "teaching": "T",
    "external": "X",
    "own_unit": "U",
    "academic": "A",
    "enterprise": "E",
}


@dataclass(frozen=True, slots=True)
class InstrumentFacts:
    """What a record tells of the instrument: all of it is published."""

    instrument_id: int
    inner_id: str
    ins_code: str
    cname: str
    service_content: str
    subjects: str
    contact: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class ApplicantFacts:
    """Who asked for the service."""

    name: str
    phone: str
    email: str
    unit: str


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """A served order: `minutes` of machine time, or `samples` that were tested."""

    order_id: int
    settled_fen: int | None
    status: str
    ended_at: datetime
    sessions: int
    minutes: int
    samples: int | None
    attended: bool
    needs_training: bool
    customer_class: str
    free_purpose: str | None
    same_legal_entity: bool
    signed_by_both: bool
    stars: int | None
    position: int = 1

    @property
    def inner_id(self) -> str:
        """The order's number; of several instruments the further ones with theirs."""
        return f"O{self.order_id}" if self.position == 1 else f"O{self.order_id}-{self.position}"


@dataclass(frozen=True, slots=True)
class OwnUseFacts:
    """A day's use of an instrument without an order, by one organisation for one purpose."""

    day: date
    purpose: str
    user_class: str
    organisation_id: int
    unit: str
    last_minute: datetime
    sessions: int
    minutes: int
    attended: bool
    needs_training: bool


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """A record in the layout, where it comes from, and what we found wrong before its fields."""

    kind: RecordKind
    record_inner_id: str
    instrument_id: int
    order_id: int | None
    minutes: int
    content: dict[str, str]
    objections: tuple[layout.FieldReason, ...] = ()


def record_of_order(
    order: OrderFacts, instrument: InstrumentFacts, applicant: ApplicantFacts
) -> ServiceRecord:
    """The record of a served order; one that is not settled yet has no amount to report."""
    by_samples = order.samples is not None
    content = _content(
        instrument,
        recordInnerId=order.inner_id,
        amounts="" if order.settled_fen is None else _yuan(order.settled_fen),
        serviceTime=str(order.sessions),
        endTime=_hour(order.ended_at),
        serviceAmount=str(order.samples) if by_samples else hours(order.minutes),
        serviceContent=_served(instrument, "送样检测" if by_samples else "上机使用"),
        serviceWay=layout.BY_SAMPLES if by_samples else _way(order.attended, order.needs_training),
        applicant=applicant.name,
        applicantPhone=applicant.phone,
        applicantEmail=applicant.email,
        applicantUnit=applicant.unit,
        comment="" if order.stars is None else layout.COMMENTS[5 - order.stars],
        serviceType=layout.INTERNAL if order.same_legal_entity else layout.EXTERNAL,
        serviceDirection=_direction(order),
        signAgreement=layout.AGREED if order.signed_by_both else layout.NOT_AGREED,
    )
    objections: tuple[layout.FieldReason, ...] = ()
    if order.settled_fen is None:
        message = f"the order is {order.status}; its amount stands when it is settled"
        objections = (layout.reason_for("amounts", message, content),)
    return ServiceRecord(
        RecordKind.ORDER,
        content["recordInnerId"],
        instrument.instrument_id,
        order.order_id,
        order.minutes,
        content,
        objections,
    )


def record_of_own_use(use: OwnUseFacts, instrument: InstrumentFacts) -> ServiceRecord:
    """The record of a day of own use; service to others needs an order and is not reported so."""
    number = (
        f"U{instrument.instrument_id}-{use.day:%Y%m%d}"
        f"-{_LETTERS[use.purpose]}{_LETTERS[use.user_class]}-{use.organisation_id}"
    )
    content = _content(
        instrument,
        recordInnerId=number,
        amounts=_yuan(0),
        serviceTime=str(use.sessions),
        endTime=_hour(use.last_minute),
        serviceAmount=hours(use.minutes),
        serviceContent=_served(instrument, _OWN_CONTENT[use.purpose]),
        serviceWay=_way(use.attended, use.needs_training),
        applicant=instrument.contact or use.unit[:50],
        applicantPhone=instrument.phone,
        applicantEmail=instrument.email,
        applicantUnit=use.unit,
        serviceType=layout.INTERNAL if use.user_class == "own_unit" else layout.EXTERNAL,
        serviceDirection=_OWN_DIRECTIONS[use.purpose],
        signAgreement=layout.NOT_AGREED,
    )
    objections: tuple[layout.FieldReason, ...] = ()
    if use.purpose == "external":
        message = "service to others without an order has no amount and no agreement"
        objections = (layout.reason_for("amounts", message, content),)
    return ServiceRecord(
        RecordKind.OWN_USE,
        number,
        instrument.instrument_id,
        None,
        use.minutes,
        content,
        objections,
    )


def hours(minutes: int) -> str:
    """Minutes as hours to a tenth, half up."""
    tenths = (minutes * 10 + 30) // 60
    return f"{tenths // 10}.{tenths % 10}"


def _content(instrument: InstrumentFacts, **fields: str) -> dict[str, str]:
    given = {
        "innerId": instrument.inner_id,
        "insCode": instrument.ins_code,
        "subjectIncome": layout.NO_SUBJECT,
        "subjectArea": _line(instrument.subjects)[:200],
        "adressType": layout.AT_THE_UNIT,
        **fields,
    }
    return {name: given.get(name, "") for name in layout.NAMES}


def _served(instrument: InstrumentFacts, how: str) -> str:
    published = _line(instrument.service_content) or instrument.cname
    return f"{how}：{published}"[:FREE_TEXT_MAX]


def _line(text: str) -> str:
    return " ".join(text.split())


def _way(attended: bool, needs_training: bool) -> str:
    return "技术共享" if attended or needs_training else "占用共享"


def _direction(order: OrderFacts) -> str:
    if order.free_purpose == "public-interest-research":
        return layout.RESEARCH
    return layout.OTHER if order.free_purpose else _DIRECTIONS[order.customer_class]


def _yuan(amount_fen: int) -> str:
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


def _hour(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H")
