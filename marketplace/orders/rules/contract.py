"""The contract of an order: required clauses, one canonical form, one text to read.

Policy: J.18a, N.24c, N.25b
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.kernel.errors import Reasons
from marketplace.kernel.money import yuan
from marketplace.orders.errors import ClausesIncomplete

# Raised when the shape of the document changes, so that an old one is still read as it was.
# 2: says on which day samples arrive, and an addendum which contract it takes the place of.
# 3: says when the own part is owed on account, and what a voucher pays back to the buyer.
VERSION = 3


@dataclass(frozen=True, slots=True)
class ClauseForm:
    """A clause that contracts may have, and the text offered when nobody writes another.

    `text_en` is for those who read no Chinese; what is signed is `text`.
    """

    name: str
    title: str
    title_en: str
    source: str
    text: str
    text_en: str


FORMS: dict[str, ClauseForm] = {
    form.name: form
    for form in (
        ClauseForm(
            "service-content",
            "服务内容",
            "Service content",
            "J.18a",
            "服务方按本合同所列仪器、时段或样品数提供测试服务，并交付结果。",
            "The provider gives the service on the instrument, in the time or for the number "
            "of samples stated in this contract, and delivers the results.",
        ),
        ClauseForm(
            "service-mode",
            "服务方式",
            "Service mode",
            "J.18a",
            "按本合同所列方式进行：自主上机，或送样由服务方测试。",
            "The service is given in the mode stated in this contract: the buyer operates the "
            "instrument itself, or sends samples that the provider tests.",
        ),
        ClauseForm(
            "ip-ownership",
            "知识产权归属",
            "Ownership of intellectual property",
            "N.24c",
            "服务形成的数据、结果及其知识产权归委托方所有；服务方原有的方法和技术归服务方所有。",
            "Data, results and the intellectual property in them that come from the service "
            "belong to the buyer; methods and techniques that the provider had before remain "
            "the provider's.",
        ),
        ClauseForm(
            "benefit-distribution",
            "利益分配",
            "Distribution of benefits",
            "J.18a",
            "服务结果产生的收益归委托方；服务方除服务费外不参与分配。",
            "Benefits from the results belong to the buyer; beyond the service fee the "
            "provider has no share in them.",
        ),
        ClauseForm(
            "confidentiality",
            "保密",
            "Confidentiality",
            "F.289-13",
            "双方对对方的身份信息、样品、数据和技术资料保密，未经书面同意不得向第三方披露。",
            "Each party keeps the other's identity, samples, data and technical documents "
            "confidential and discloses them to nobody without written consent.",
        ),
        ClauseForm(
            "damages",
            "损害赔偿",
            "Liability for damages",
            "J.18a",
            "因一方过错造成对方人身、设备、样品或数据损失的，由过错方赔偿实际损失。",
            "A party at fault compensates the actual loss that it causes to the other's "
            "people, equipment, samples or data.",
        ),
        ClauseForm(
            "breach",
            "违约责任",
            "Breach",
            "F.289-13",
            "临期取消和未到场按下单时公布的规则付费；服务方不能提供服务的，全额退还。",
            "Late cancellation and not coming are paid by the rules published when the order "
            "was placed; when the provider cannot give the service, everything is returned.",
        ),
        ClauseForm(
            "disputes",
            "争议解决",
            "Settlement of disputes",
            "J.18a",
            "先由双方协商；协商不成的，由平台调处；仍有争议的，向服务方所在地人民法院起诉。",
            "The parties negotiate first; failing that, the platform mediates; a dispute that "
            "remains is brought before the people's court at the provider's seat.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Party:
    """One side as it was on the day of signing."""

    organisation_id: int
    name: str
    legal_entity: str
    uscc: str
    legal_representative: str


@dataclass(frozen=True, slots=True)
class Service:
    """What is agreed: which instrument, how, when or how many, at which price."""

    order_id: int
    quote_id: int
    instrument_id: int
    instrument: str
    mode: str
    starts_at: str | None
    ends_at: str | None
    samples: int | None
    price_list_id: int
    lines: Sequence[Mapping[str, Any]]
    total_fen: int
    voucher_fen: int
    own_fen: int
    arrives_on: str | None = None
    # Of several instruments each: which, when or how many, and what it costs.
    items: Sequence[Mapping[str, Any]] = ()
    on_account: bool = False
    reimbursed_fen: int = 0


def require_clauses(clauses: Mapping[str, str], *, required: Sequence[str]) -> None:
    """Every required clause is there and says something; none is unknown.

    Policy: J.18a, N.24c

    Raises:
        ClausesIncomplete: naming every clause that is absent, empty or unknown.
    """
    reasons = Reasons()
    for name in required:
        if not clauses.get(name, "").strip():
            form = FORMS.get(name)
            reasons.add(
                "clause-required",
                f"The contract must say something on: {form.title_en if form else name}.",
                asked=name,
                source=form.source if form else "J.18a",
            )
    for name in sorted(set(clauses) - set(required)):
        reasons.add("clause-unknown", f"No clause is called {name}.", asked=name)
    reasons.raise_as(ClausesIncomplete)


def standard_clauses(required: Sequence[str]) -> dict[str, str]:
    """The text offered for each required clause."""
    return {name: FORMS[name].text if name in FORMS else "" for name in required}


def contract_document(
    *,
    buyer: Party,
    provider: Party,
    service: Service,
    clauses: Mapping[str, str],
    order: Sequence[str],
    signed_at: str,
) -> dict[str, Any]:
    """Everything agreed, as JSON values: both parties frozen, the service, price and clauses."""
    return {
        "version": VERSION,
        "buyer": _as_json(buyer),
        "provider": _as_json(provider),
        "service": _as_json(service),
        "clauses": [{"name": name, "text": clauses[name].strip()} for name in order],
        "offered_at": signed_at,
    }


@dataclass(frozen=True, slots=True)
class Amends:
    """What an addendum changes: which contract, for the how-manieth time, and at which fee."""

    number: int
    sha256: str
    because: str
    fee_fen: int


def addendum_document(
    previous: Mapping[str, Any], *, amends: Amends, service: Service, signed_at: str
) -> dict[str, Any]:
    """`previous` with another time and price; the parties and the clauses stay as they were.

    Policy: J.18a
    """
    return {
        **previous,
        "version": VERSION,
        "service": _as_json(service),
        "offered_at": signed_at,
        "amends": _as_json(amends),
    }


def _as_json(value: Party | Service | Amends) -> dict[str, Any]:
    facts = {name: getattr(value, name) for name in value.__slots__}
    if "lines" in facts:
        facts["lines"] = [dict(line) for line in facts["lines"]]
        facts["items"] = [dict(item) for item in facts["items"]]
        if not facts["items"]:
            # A contract on one instrument says it once.
            del facts["items"]
    return facts


def canonical_json(document: Mapping[str, Any]) -> bytes:
    """One way to write `document`: keys in order, no spaces, UTF-8. Numbers are whole.

    Raises:
        TypeError: for a float, whose digits depend on who writes them.
    """
    _require_exact(document)
    return json.dumps(
        document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def _require_exact(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("a contract holds no floats")
    if isinstance(value, Mapping):
        for part in value.values():
            _require_exact(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _require_exact(part)


def document_sha256(document: Mapping[str, Any]) -> str:
    """The digest that both parties sign."""
    return hashlib.sha256(canonical_json(document)).hexdigest()


def contract_text(document: Mapping[str, Any]) -> str:
    """`document` as people read it, in Chinese with English headings."""
    service = document["service"]
    parts = [
        "技术服务合同 / Contract for a research service",
        f"订单号 / Order: {service['order_id']}",
        *_addendum_text(document.get("amends")),
        "",
        _party_text("委托方 / Buyer", document["buyer"]),
        _party_text("服务方 / Provider", document["provider"]),
        "",
        *_items_text(service),
        *(f"- {line['text']}: {yuan(line['amount_fen'])} 元" for line in service["lines"]),
        f"合计 / Total: {yuan(service['total_fen'])} 元",
        f"创新券 / Voucher: {yuan(service['voucher_fen'])} 元",
        f"自付 / Own money: {yuan(service['own_fen'])} 元",
        *_payment_text(service),
        "",
    ]
    for number, clause in enumerate(document["clauses"], start=1):
        form = FORMS.get(clause["name"])
        heading = f"{form.title} / {form.title_en}" if form else clause["name"]
        parts += [f"{number}. {heading}", clause["text"], ""]
    return "\n".join(parts)


def _payment_text(service: Mapping[str, Any]) -> list[str]:
    """How the own part is paid, where that is not out of the buyer's wallet alone."""
    text = []
    if service.get("on_account"):
        text.append(
            "自付部分记账，按信用额度协议到期支付 / "
            "The own part is owed on account and paid when the credit line's terms say"
        )
    if service.get("reimbursed_fen"):
        text.append(
            "其中委托方付款后可自行申请创新券兑付 / Of it the buyer, having paid, may claim by "
            f"voucher: {yuan(service['reimbursed_fen'])} 元"
        )
    return text


def _addendum_text(amends: Mapping[str, Any] | None) -> list[str]:
    if amends is None:
        return []
    return [
        f"补充协议第 {amends['number']} 号 / Addendum no. {amends['number']}",
        f"所变更合同 / Takes the place of: {amends['sha256']}",
        f"变更原因 / Because: {amends['because'] or '—'}",
        f"改期费（自付） / Fee for moving, own money: {yuan(amends['fee_fen'])} 元",
    ]


def _party_text(label: str, party: Mapping[str, Any]) -> str:
    return (
        f"{label}: {party['name']}（{party['legal_entity']}，{party['uscc']}，"
        f"法定代表人 {party['legal_representative'] or '—'}）"
    )


def _items_text(service: Mapping[str, Any]) -> list[str]:
    """Each instrument with its time or its samples."""
    items = service.get("items") or [service]
    return [
        text
        for item in items
        for text in (
            f"仪器 / Instrument: {item['instrument']} ({item['instrument_id']})",
            _when_text({"arrives_on": service.get("arrives_on"), **item}),
        )
    ]


def _when_text(service: Mapping[str, Any]) -> str:
    if service["samples"] is not None:
        arrival = service.get("arrives_on")
        day = f"，到样日 / arriving on {arrival}" if arrival else ""
        return f"送样 / Samples: {service['samples']}{day}"
    return f"自主上机 / Machine time: {service['starts_at']} – {service['ends_at']}"
