"""The contract of an order as a paper to keep, Chinese or English.

Made of the frozen document and the signatures under it, and of nothing else: the same contract
gives the same bytes on every day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from marketplace.kernel.documents import Column, Paper
from marketplace.kernel.money import yuan
from marketplace.kernel.time import SHANGHAI
from marketplace.orders.queries.contracts import SignedContract
from marketplace.orders.rules.capitals import capital_yuan, ordinal
from marketplace.orders.rules.contract import FORMS

Language = Literal["zh", "en"]

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("技术服务合同", "Contract for a technical service"),
    "addendum": ("技术服务合同补充协议", "Addendum to a contract for a technical service"),
    "number": ("合同编号", "Contract number"),
    "order": ("订单号", "Order"),
    "offered": ("要约时间", "Offered at"),
    "version": ("文本版本", "Form of the document"),
    "parties": ("合同双方", "The parties"),
    "buyer": ("委托方（甲方）", "Buyer (party A)"),
    "provider": ("服务方（乙方）", "Provider (party B)"),
    "name": ("单位名称", "Name"),
    "legal_entity": ("法人单位", "Legal entity"),
    "uscc": ("统一社会信用代码", "Unified social credit code"),
    "legal_representative": ("法定代表人", "Legal representative"),
    "changes": ("变更内容", "What this addendum changes"),
    "replaces": ("所变更合同的摘要", "Takes the place of"),
    "because": ("变更原因", "Because"),
    "fee": ("改期费（甲方自付）", "Fee for moving"),
    "service": ("服务内容与方式", "The service"),
    "instrument": ("仪器设备", "Instrument"),
    "mode": ("服务方式", "Mode"),
    "machine_time": ("自主上机", "Machine time, operated by the buyer"),
    "sent": ("送样，由乙方测试", "Samples, tested by the provider"),
    "time": ("预约时段", "Appointment"),
    "samples": ("样品数", "Number of samples"),
    "arrives": ("到样日期", "Samples arrive on"),
    "price": ("价款", "Price"),
    "item": ("项目", "Item"),
    "quantity": ("数量", "Quantity"),
    "unit_price": ("单价（元）", "Unit price (CNY)"),
    "amount": ("金额（元）", "Amount (CNY)"),
    "total": ("合计", "Total"),
    "capitals": ("人民币（大写）", "In capital characters"),
    "voucher": ("其中：科技创新券支付", "Paid by voucher"),
    "own": ("其中：甲方自付", "Party A's own part"),
    "list": ("收费标准编号", "Price list no."),
    "account": ("甲方自付部分的支付", "How party A pays its part"),
    "on_account": (
        "记账，按双方信用额度约定到期支付",
        "On account, by the credit line's terms",
    ),
    "reimbursed": ("付款后甲方可自行申请创新券兑付", "Party A may claim by voucher, having paid"),
    "number_of": ("序号", "No."),
    "when_or_what": ("时段或样品数", "Time, or number of samples"),
    "clauses": ("合同条款", "Terms"),
    "signatures": ("签署", "Signatures"),
    "signer": ("签署人", "Signed by"),
    "when": ("签署时间", "When"),
    "where": ("签署网络地址", "Network address"),
    "unsigned": ("（尚未签署）", "(not signed yet)"),
    "offer": (
        "以公布的收费标准为要约，甲方下单即成立",
        "By its published standing offer",
    ),
    "verify": ("核验", "Verification"),
    "digest": ("SHA-256 摘要", "SHA-256 digest"),
    "address": ("核验地址", "Address"),
}

_NOTES = {
    "confidential": (
        "本合同内容仅供双方使用；核验地址只告知合同是否存在、版本与双方签署日期，不披露任何内容。",
        "The content of this contract is for the two parties. The address says whether it exists, "
        "its version and the days on which it was signed, and nothing of what it contains.",
    ),
    "electronic": (
        "双方在平台上以电子方式签署；签署人、时间和网络地址由平台记录，签署后不可更改。"
        "摘要按合同文本（JSON 规范形式）计算。",
        "Signed electronically on the platform, which keeps who signed, when and from where; none "
        "of it can be changed afterwards. The digest is of the document in canonical JSON.",
    ),
    "translation": (
        "",
        "English is a translation for convenience. What the parties agreed on and signed is the "
        "text in grey below each article, where there is one.",
    ),
}

_UNITS = {
    "hour": ("小时", "h"),
    "minute": ("分钟", "min"),
    "day": ("天", "day"),
    "session": ("次", "session"),
    "sample": ("样", "sample"),
    "element": ("元素", "element"),
    "run": ("轮", "run"),
    "charge": ("项", "charge"),
}
# How lines of a price are told in Chinese; what a provider has named keeps its name.
_LINES = {
    "Machine time": "机时费",
    "Days of machine time": "机时费（按天）",
    "Session": "上机费（按次）",
    "Samples": "样品测试费",
    "Elements": "元素测定费",
    "Runs": "测试费（按轮）",
}
_LINE_KINDS = {"urgent": "加急费", "minimum": "补足最低收费", "free_purpose": "公共用途免费服务"}


@dataclass(frozen=True, slots=True)
class ContractPrinted:
    """In which language, and at which address anybody can verify the contract."""

    verify_at: str
    language: Language = "zh"


def contract_number(contract: SignedContract) -> str:
    """What people call a contract: its year, its order, and the number of the addendum."""
    year = datetime.fromisoformat(contract.document["offered_at"]).astimezone(SHANGHAI).year
    number = f"{year}-{contract.order_id:06}"
    return f"{number}-{contract.amendment}" if contract.amendment else number


def contract_paper(contract: SignedContract, printed: ContractPrinted) -> bytes:
    """The contract as PDF, with its signatures and the code by which it is verified.

    Policy: J.18a, N.24c, N.25b
    """
    return _Writer(contract, printed).pdf()


class _Writer:
    """Writes one contract, section by section."""

    def __init__(self, contract: SignedContract, printed: ContractPrinted) -> None:
        self._contract, self._printed = contract, printed
        self._document = contract.document
        self._sections = 0
        title = self._word("addendum" if contract.amendment else "title")
        number = contract_number(contract)
        self._paper = Paper(
            title,
            made_at=contract.provider_signed_at or contract.buyer_signed_at,
            foot=f"{title} · {number} · SHA-256 {contract.sha256[:16]}…",
            language=printed.language,
        )

    @property
    def _chinese(self) -> bool:
        return self._printed.language == "zh"

    def _word(self, name: str) -> str:
        return _WORDS[name][0 if self._chinese else 1]

    def _note(self, name: str) -> None:
        text = _NOTES[name][0 if self._chinese else 1]
        if text:
            self._paper.paragraph(text, quiet=True)

    def _heading(self, name: str) -> None:
        self._sections += 1
        number = f"{ordinal(self._sections)}、" if self._chinese else f"{self._sections}. "
        self._paper.heading(number + self._word(name))

    def pdf(self) -> bytes:
        """Every section from top to bottom."""
        self._parties()
        if self._document.get("amends"):
            self._changes(self._document["amends"])
        self._service(self._document["service"])
        self._price(self._document["service"])
        self._clauses()
        self._signatures()
        self._verification()
        return self._paper.pdf()

    def _parties(self) -> None:
        self._paper.facts(
            [
                (self._word("number"), contract_number(self._contract)),
                (self._word("order"), str(self._contract.order_id)),
                (self._word("offered"), _moment(self._document["offered_at"])),
                (self._word("version"), str(self._contract.version)),
            ]
        )
        self._heading("parties")
        buyer, provider = self._document["buyer"], self._document["provider"]
        self._paper.table(
            [
                Column("", 24),
                Column(self._word("buyer"), 38),
                Column(self._word("provider"), 38),
            ],
            [
                [self._word(fact), buyer[fact] or "—", provider[fact] or "—"]
                for fact in ("name", "legal_entity", "uscc", "legal_representative")
            ],
        )

    def _changes(self, amends: Mapping[str, Any]) -> None:
        self._heading("changes")
        self._paper.facts(
            [
                (self._word("replaces"), amends["sha256"]),
                (self._word("because"), amends["because"] or "—"),
                (self._word("fee"), f"{yuan(amends['fee_fen'])} {_yuan_word(self._chinese)}"),
            ]
        )

    def _service(self, service: Mapping[str, Any]) -> None:
        self._heading("service")
        if service.get("items"):
            return self._instruments(service)
        by_samples = service["samples"] is not None
        facts = [
            (
                self._word("instrument"),
                f"{service['instrument']}（{service['instrument_id']}）"
                if self._chinese
                else f"{service['instrument']} ({service['instrument_id']})",
            ),
            (self._word("mode"), self._word("sent" if by_samples else "machine_time")),
        ]
        if by_samples:
            facts.append((self._word("samples"), str(service["samples"])))
            if service.get("arrives_on"):
                facts.append((self._word("arrives"), service["arrives_on"]))
        else:
            between = f"{_moment(service['starts_at'])} – {_moment(service['ends_at'])}"
            facts.append((self._word("time"), f"{between} (UTC+8)"))
        self._paper.facts(facts)

    def _instruments(self, service: Mapping[str, Any]) -> None:
        """Several instruments, each with its time or its samples, and what it costs."""
        self._paper.table(
            [
                Column(self._word("number_of"), 8),
                Column(self._word("instrument"), 34),
                Column(self._word("when_or_what"), 40),
                Column(self._word("amount"), 18, "RIGHT"),
            ],
            [
                [
                    str(item["item"]),
                    f"{item['instrument']}（{item['instrument_id']}）"
                    if self._chinese
                    else f"{item['instrument']} ({item['instrument_id']})",
                    self._told(item),
                    yuan(item["total_fen"]),
                ]
                for item in service["items"]
            ],
        )
        if service.get("arrives_on"):
            self._paper.facts([(self._word("arrives"), service["arrives_on"])])

    def _told(self, item: Mapping[str, Any]) -> str:
        if item["samples"] is not None:
            return f"{self._word('sent')}: {item['samples']}"
        between = f"{_moment(item['starts_at'])} – {_moment(item['ends_at'])}"
        return f"{self._word('machine_time')}\n{between} (UTC+8)"

    def _price(self, service: Mapping[str, Any]) -> None:
        self._heading("price")
        total = yuan(service["total_fen"])
        self._paper.table(
            [
                Column(self._word("item"), 44),
                Column(self._word("quantity"), 18, "RIGHT"),
                Column(self._word("unit_price"), 20, "RIGHT"),
                Column(self._word("amount"), 18, "RIGHT"),
            ],
            [self._line(line) for line in service["lines"]],
            total=[self._word("total"), "", "", total],
        )
        word = _yuan_word(self._chinese)
        facts = [
            (self._word("capitals"), capital_yuan(service["total_fen"])),
            (self._word("voucher"), f"{yuan(service['voucher_fen'])} {word}"),
            (self._word("own"), f"{yuan(service['own_fen'])} {word}"),
        ]
        # Contracts of earlier versions say neither.
        if service.get("on_account"):
            facts.append((self._word("account"), self._word("on_account")))
        if service.get("reimbursed_fen"):
            back = f"{yuan(service['reimbursed_fen'])} {word}"
            facts.append((self._word("reimbursed"), back))
        lists = [item["price_list_id"] for item in service.get("items", [service])]
        facts.append((self._word("list"), ", ".join(str(each) for each in lists)))
        self._paper.facts(facts)

    def _line(self, line: Mapping[str, Any]) -> list[str]:
        unit = line.get("unit", "charge")
        counted = "minute" if unit == "hour" else unit
        told = _line_text(line) if self._chinese else line["text"]
        return [
            f"{line['item']}. {told}" if "item" in line else told,
            f"{line['quantity']} {self._unit(counted)}" if "quantity" in line else "",
            f"{yuan(line['unit_price_fen'])} / {self._unit(unit)}"
            if "unit_price_fen" in line
            else "",
            yuan(line["amount_fen"]),
        ]

    def _unit(self, unit: str) -> str:
        return _UNITS.get(unit, (unit, unit))[0 if self._chinese else 1]

    def _clauses(self) -> None:
        self._paper.keep_together(6)
        self._heading("clauses")
        self._note("translation")
        for number, clause in enumerate(self._document["clauses"], start=1):
            form, text = FORMS.get(clause["name"]), clause["text"]
            self._paper.keep_together(3 if self._chinese else 5)
            if self._chinese:
                title = form.title if form else clause["name"]
                self._paper.paragraph(f"第{ordinal(number)}条　{title}\n{text}")
                continue
            title = form.title_en if form else clause["name"]
            translated = form is not None and text == form.text
            shown = form.text_en if form is not None and translated else text
            self._paper.paragraph(f"Article {number}. {title}\n{shown}")
            if translated:
                self._paper.paragraph(text, quiet=True)

    def _signatures(self) -> None:
        self._paper.keep_together(11)
        self._heading("signatures")
        signed = self._contract
        provider_from = signed.provider_signed_from or "—"
        provider_by = signed.provider_signed_name or "—"
        provider_at = "—"
        if signed.provider_signed_at is None:
            provider_by = self._word("unsigned")
        else:
            provider_at = _moment(signed.provider_signed_at)
            if signed.provider_signed_how == "standing_offer":
                provider_by = self._word("offer")
        names = (self._document["buyer"]["name"], self._document["provider"]["name"])
        buyer_at = _moment(signed.buyer_signed_at)
        self._paper.table(
            [
                Column("", 24),
                Column(self._word("buyer"), 38),
                Column(self._word("provider"), 38),
            ],
            [
                [self._word("name"), *names],
                [self._word("signer"), signed.buyer_signed_name, provider_by],
                [self._word("when"), buyer_at, provider_at],
                [self._word("where"), signed.buyer_signed_from or "—", provider_from],
            ],
        )
        self._note("electronic")

    def _verification(self) -> None:
        self._paper.keep_together(13)
        self._heading("verify")
        digest = (self._word("digest"), self._contract.sha256)
        self._paper.facts([digest, (self._word("address"), self._printed.verify_at)])
        self._paper.code(
            self._printed.verify_at,
            caption=_NOTES["confidential"][0 if self._chinese else 1],
        )


def _line_text(line: Mapping[str, Any]) -> str:
    kind, text = line.get("kind"), str(line["text"])
    if kind in _LINE_KINDS:
        return _LINE_KINDS[kind]
    counted, comma, named = text.partition(", ")
    if kind == "service" and counted in _LINES:
        return _LINES[counted] + (f"，{named}" if comma else "")
    return text


def _yuan_word(chinese: bool) -> str:
    return "元" if chinese else "CNY"


def _moment(instant: datetime | str) -> str:
    """An instant as the clock in China showed it."""
    known = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return known.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
