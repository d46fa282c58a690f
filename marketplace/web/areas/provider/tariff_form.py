"""A whole tariff as fields of a form: units, least charges, tiers, hours with a factor, extras."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from marketplace.billing.pricing import queries as pricing
from marketplace.billing.pricing.queries import CostKind, CustomerClass, PriceAsked, Unit
from marketplace.billing.pricing.rules.cost import CostItemAsked
from marketplace.billing.pricing.rules.states import ExtraKind
from marketplace.billing.pricing.rules.tariff import HoursFactor, Tier
from marketplace.kernel.money import parse_yuan
from marketplace.web.forms import Typed
from marketplace.web.words import Speech
from marketplace.web.words.choices import name_of

# The units that most lists have; the others are asked for below them.
USUAL = (Unit.HOUR, Unit.SAMPLE)
SELDOM = tuple(unit for unit in Unit if unit not in USUAL)
# An hour is as long as it is; of the others a list says how long one takes.
TIMED = tuple(unit for unit in Unit if unit is not Unit.HOUR)
MINUTES_MAX = 525_600
FACTOR_MAX = 1_000
HOURS_ROWS, ITEM_ROWS = 6, 4
WEEK: dict[str, tuple[int, ...]] = {
    "every": tuple(range(7)),
    "workdays": tuple(range(5)),
    "weekend": (5, 6),
    **{str(day): (day,) for day in range(7)},
}
DAY_MINUTES = 1_440
_TIER = re.compile(r"(\d{1,9})[:：](\d{1,9}(?:\.\d{1,2})?)")
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def prices_of(form: Typed) -> tuple[PriceAsked, ...]:
    """Every price that was filled in, with its least charge and its tiers."""
    minutes: dict[Unit, int | None] = {
        unit: form.whole(f"minutes-{unit}", least=1, most=MINUTES_MAX, needed=False)
        for unit in TIMED
    }
    found = []
    for customer in CustomerClass:
        for unit in Unit:
            name = f"{customer}-{unit}"
            amount = form.amount(name, needed=False)
            if amount is None:
                continue
            if unit in TIMED and minutes[unit] is None:
                form.wrong(f"minutes-{unit}", "请填写每个单位用时", "Say how long one takes")
            least = form.amount(f"{name}-least", needed=False) or 0
            tiers = _tiers(form, f"{name}-tiers")
            found.append(PriceAsked(customer, unit, amount, least, minutes.get(unit), tiers))
    if not found:
        form.wrong("enterprise-hour", "请至少填写一个价格", "Give at least one price")
    return tuple(found)


def _tiers(form: Typed, name: str) -> tuple[Tier, ...]:
    """`10:350, 20:300`: from the tenth on 350 yuan each, from the twentieth on 300."""
    found = []
    for part in filter(None, re.split(r"[,，;；、\s]+", form.raw(name).strip())):
        match = _TIER.fullmatch(part)
        if match is None:
            form.wrong(name, "格式如 10:350, 20:300", "Like 10:350, 20:300")
            continue
        found.append(Tier(int(match[1]), parse_yuan(match[2])))
    return tuple(found)


def hours_of(form: Typed) -> tuple[HoursFactor, ...]:
    """Hours of the week with a factor, one for each weekday that a row names."""
    found = []
    for row in range(HOURS_ROWS):
        factor = form.whole(f"hours-{row}-factor", least=1, most=FACTOR_MAX, needed=False)
        if factor is None:
            continue
        name = form.text(f"hours-{row}-name", length_max=40)
        days = WEEK.get(form.choice(f"hours-{row}-days", list(WEEK)), ())
        opens = _minute(form, f"hours-{row}-from", midnight=0)
        closes = _minute(form, f"hours-{row}-until", midnight=DAY_MINUTES)
        found += [HoursFactor(name, day, opens, closes, factor * 100) for day in days]
    return tuple(found)


def _minute(form: Typed, name: str, *, midnight: int) -> int:
    match = re.fullmatch(r"(\d{1,2}):(\d{2})(?::\d{2})?", form.raw(name).strip())
    if match is None or int(match[1]) > 24 or int(match[2]) > 59:
        form.wrong(name, "请填写时间", "A time of day, please")
        return 0
    return int(match[1]) * 60 + int(match[2]) or midnight


def extras_of(form: Typed, items: Sequence[pricing.CostItem]) -> tuple[tuple[str, int], ...]:
    """The price of each item of the cost sheet that has one."""
    return tuple(
        (each.code, amount)
        for each in items
        if (amount := form.amount(f"extra-{each.code}", needed=False)) is not None
    )


def items_of(form: Typed) -> tuple[CostItemAsked, ...]:
    """Help and material with what one unit of each costs."""
    found = []
    for row in range(_rows(form)):
        code = form.raw(f"item-{row}-code").strip()
        if not code:
            continue
        if not _CODE.fullmatch(code):
            form.wrong(
                f"item-{row}-code", "小写字母、数字和连字符", "Small letters, digits, hyphens"
            )
        kind = form.choice(f"item-{row}-kind", list(ExtraKind))
        name = form.text(f"item-{row}-name", length_max=100)
        unit = form.text(f"item-{row}-unit", length_max=20)
        cost = form.amount(f"item-{row}-cost")
        if kind and cost is not None:
            found.append(CostItemAsked(code, ExtraKind(kind), name, unit, cost))
    return tuple(found)


def components_of(form: Typed) -> tuple[tuple[CostKind, int], ...]:
    """What the instrument costs in a year, by kind."""
    found = tuple(
        (kind, fen)
        for kind in CostKind
        if (fen := form.amount(f"cost-{kind}", needed=False)) is not None and fen
    )
    if not found:
        form.wrong("cost-labour", "请至少填写一项成本", "Give at least one cost")
    return found


def _rows(form: Typed) -> int:
    """As many rows as were sent."""
    sent = [name.split("-")[1] for name in form.fields if re.fullmatch(r"item-\d{1,3}-code", name)]
    return max(map(int, sent), default=-1) + 1


def fields_of(lists: Sequence[pricing.PriceList], sheets: Sequence[pricing.CostSheet]) -> Any:
    """The newest prices and costs as fields, to begin the next ones from."""
    fields: dict[str, Any] = {}
    for price in lists[0].prices if lists else ():
        name = f"{price.customer_class}-{price.unit}"
        fields[name] = _yuan(price.amount_fen)
        if price.minimum_fen:
            fields[f"{name}-least"] = _yuan(price.minimum_fen)
        if price.tiers:
            fields[f"{name}-tiers"] = ", ".join(
                f"{tier.from_quantity}:{_yuan(tier.amount_fen)}" for tier in price.tiers
            )
        if price.minutes_per_unit:
            fields[f"minutes-{price.unit}"] = price.minutes_per_unit
    if lists:
        urgent = lists[0].urgent_basis_points
        fields |= {} if urgent is None else {"urgent": f"{urgent / 100:g}"}
        fields |= _hours_fields(lists[0].hours)
        fields |= {f"extra-{each.code}": _yuan(each.amount_fen) for each in lists[0].extras}
    if sheets:
        fields["planned_hours"] = sheets[0].planned_minutes // 60
        fields |= {f"cost-{each.kind}": _yuan(each.amount_fen) for each in sheets[0].components}
        for row, item in enumerate(sheets[0].items):
            fields |= {
                f"item-{row}-code": item.code,
                f"item-{row}-kind": item.kind,
                f"item-{row}-name": item.name,
                f"item-{row}-unit": item.unit,
                f"item-{row}-cost": _yuan(item.cost_fen),
            }
    return fields


def _hours_fields(hours: Sequence[Any]) -> dict[str, Any]:
    """Rows of hours, weekdays that are alike told together."""
    alike: dict[tuple[str, int, int, int], list[int]] = {}
    for one in hours:
        key = (one.name, one.opens_minute, one.closes_minute, one.factor_basis_points)
        alike.setdefault(key, []).append(one.weekday)
    fields: dict[str, Any] = {}
    row = 0
    for (name, opens, closes, factor), days in alike.items():
        told = next((key for key, each in WEEK.items() if each == tuple(sorted(days))), None)
        for day in [told] if told else [str(each) for each in sorted(days)]:
            fields |= {
                f"hours-{row}-name": name,
                f"hours-{row}-days": day,
                f"hours-{row}-from": _clock(opens),
                f"hours-{row}-until": _clock(closes % DAY_MINUTES),
                f"hours-{row}-factor": f"{factor / 100:g}",
            }
            row += 1
    return fields


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def days_named(speech: Speech) -> list[tuple[str, str]]:
    """The choices of days in a row of hours."""
    groups = [
        ("every", speech.t("每天", "Every day")),
        ("workdays", speech.t("周一至周五", "Mon to Fri")),
        ("weekend", speech.t("周末", "Weekend")),
    ]
    return [*groups, *((str(day), speech.weekday_name(day)) for day in range(7))]


def term_named(what: str, speech: Speech) -> str:
    """A term of a price list, as the comparison of two lists calls it, in words."""
    match = re.fullmatch(r"price (\w+) per (\w+)(?:, (.+))?", what)
    if match:
        part = match[3] or ""
        tier = re.fullmatch(r"from (\d+)", part)
        more = {"minimum": speech.t("最低收费", "least"), "minutes": speech.t("用时", "takes")}
        told = speech.t("第 {n} 个起", "from {n}", n=tier[1]) if tier else more.get(part, "")
        who, unit = name_of(speech, "customer_class", match[1]), name_of(speech, "unit", match[2])
        return f"{who} / {unit} {told}".strip()
    match = re.fullmatch(r"hours (\d) (\d{4})-(\d{4}) (.*)", what)
    if match:
        hours = f"{_clock(int(match[2]))}–{_clock(int(match[3]))}"
        return f"{speech.weekday_name(int(match[1]))} {hours} {match[4]}"
    match = re.fullmatch(r"extra (\S+) per (\S+)", what)
    if match:
        return speech.t("附加 {c} / {u}", "Extra {c} / {u}", c=match[1], u=match[2])
    return name_of(speech, "tariff_term", what)


def question_of(
    query: Typed, instrument_id: int, extras: Sequence[pricing.ExtraPrice]
) -> pricing.PriceQuestion:
    """What a customer would ask for: in any unit, at any hour, with any of `extras`."""
    customer = query.choice("customer", list(CustomerClass))
    unit = Unit(query.choice("unit", list(Unit), needed=False) or Unit.HOUR)
    amount = query.whole("amount", least=1, most=1_000) or 0
    on = query.day("on", needed=False)
    starts_at = query.moment("on", "at") if query.raw("at") else None
    wanted = {
        each: query.whole(f"with-{each.code}", most=1_000, needed=False) or 0 for each in extras
    }
    query.require()
    machine_time = {Unit.HOUR: 60 * amount, Unit.DAY: DAY_MINUTES * amount, Unit.SESSION: 60}
    by_time = unit in machine_time
    return pricing.PriceQuestion(
        instrument_id,
        customer,
        pricing.Mode.MACHINE_TIME if by_time else pricing.Mode.SAMPLES,
        minutes=machine_time.get(unit, 0),
        samples=0 if by_time else 1 if unit is Unit.ELEMENT else amount,
        elements=amount if unit is Unit.ELEMENT else 0,
        runs=amount if unit is Unit.RUN else 0,
        on=on,
        unit=unit,
        starts_at=starts_at,
        urgent=query.ticked("urgent"),
        # Help by the hour is counted in minutes.
        extras=tuple(
            (each.code, count * 60 if each.unit == Unit.HOUR else count)
            for each, count in wanted.items()
            if count
        ),
    )
