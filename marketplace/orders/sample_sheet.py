"""The sheet that travels with samples, and a label for each: Chinese or English."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from marketplace.kernel.documents import Label, Paper
from marketplace.orders.queries.custody import Declaration
from marketplace.orders.queries.sample_sheet import SampleSheet
from marketplace.orders.rules.custody import Hazard, Storage, sample_code
from marketplace.parties.queries import Organisation

Language = Literal["zh", "en"]

LABELS_MAX = 100
# A code that a telephone reads from paper: what is longer stands on the sheet in words.
_SCANNED_MAX = 80

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("样品随行单", "Sample sheet"),
    "order": ("订单", "Order"),
    "service": ("服务", "Service"),
    "buyer": ("送样单位", "Sent by"),
    "provider": ("检测单位", "Tested by"),
    "samples": ("样品", "Samples"),
    "description": ("样品说明", "Description"),
    "hazards": ("危险性", "Hazards"),
    "storage": ("保存条件", "Storage"),
    "disposal": ("剩余样品", "What is left"),
    "keep_until": ("保存至", "Kept until"),
    "send_to": ("寄往", "Send to"),
    "return_to": ("退回地址", "Return to"),
    "address": ("地址", "Address"),
    "contact": ("联系人", "Contact"),
    "labels": ("样品标签（沿线剪开，每个样品贴一张）", "Labels (cut out, one for each sample)"),
    "scan": ("扫码可读：订单、样品、危险性、保存条件、退回地址。", "Scan for all that matters."),
    "undeclared": ("未申报", "not declared"),
    "return": ("退回送样单位", "goes back to the sender"),
    "destroy": ("由检测单位销毁", "is destroyed by the tester"),
    "keep": ("由检测单位留存", "is kept by the tester"),
    Storage.ROOM: ("常温", "room temperature"),
    Storage.COOL: ("冷藏 2–8 °C", "cool, 2–8 °C"),
    Storage.FROZEN: ("冷冻 -20 °C", "frozen, -20 °C"),
    Storage.DEEP_FROZEN: ("深冷 -80 °C", "deep frozen, -80 °C"),
    Storage.SPECIAL: ("特殊条件", "special conditions"),
    Hazard.EXPLOSIVE: ("爆炸物", "explosive"),
    Hazard.FLAMMABLE: ("易燃", "flammable"),
    Hazard.OXIDISING: ("氧化性", "oxidising"),
    Hazard.GAS_UNDER_PRESSURE: ("加压气体", "gas under pressure"),
    Hazard.CORROSIVE: ("腐蚀性", "corrosive"),
    Hazard.TOXIC: ("急性毒性", "toxic"),
    Hazard.HARMFUL: ("有害", "harmful"),
    Hazard.HEALTH_HAZARD: ("健康危害", "health hazard"),
    Hazard.ENVIRONMENT: ("危害环境", "dangerous for the environment"),
}


def sample_sheet_paper(
    sheet: SampleSheet, *, made_at: datetime, language: Language = "zh", first: int = 1
) -> bytes:
    """The sheet as PDF, with at most 100 labels from the sample numbered `first` on."""

    def word(name: str) -> str:
        return _WORDS[name][0 if language == "zh" else 1]

    def name(of: Organisation) -> str:
        return of.name if language == "zh" else of.name_en or of.name

    order, samples, declared = sheet.order, sheet.samples, sheet.declaration
    hazards, storage = _hazards(sheet, language), _storage(declared, language)
    return_to = "" if declared is None else _one_line(declared.return_to)
    numbers = range(first, min(samples.samples, first + LABELS_MAX - 1) + 1)
    codes = _range_of(order.id, samples.samples)
    paper = Paper(
        word("title"),
        made_at=made_at,
        foot=f"{word('title')} · {word('order')} {order.id}",
        language=language,
    )
    kept = None if declared is None else declared.keep_until
    paper.facts(
        [
            (word("order"), str(order.id)),
            (word("service"), _one_line(order.title)),
            (word("buyer"), name(sheet.buyer)),
            (word("provider"), name(sheet.provider)),
            (word("samples"), f"{samples.samples}（{codes}）"),
            (word("hazards"), hazards),
            (word("storage"), storage),
            (word("disposal"), word(samples.disposal)),
            (word("keep_until"), "—" if kept is None else kept.isoformat()),
        ]
    )
    # Up to 2,000 characters: a paragraph goes on over the page, a row of a table cannot.
    paper.heading(word("description"))
    paper.paragraph(_one_line(samples.description))
    paper.heading(word("send_to"))
    address = [(word("address"), sheet.send_to or "—"), (word("contact"), sheet.contact or "—")]
    paper.facts([(word("provider"), name(sheet.provider)), *address])
    paper.heading(word("return_to"))
    paper.paragraph(f"{name(sheet.buyer)}\n{return_to or '—'}")
    scanned = (f"SC-{order.id}", codes, hazards, storage, return_to or name(sheet.buyer))
    paper.code("\n".join(part[:_SCANNED_MAX] for part in scanned), caption=word("scan"))
    if numbers:
        paper.heading(word("labels"))
    about = (
        f"{word('order')} {order.id} · {order.title}",
        name(sheet.buyer),
        _pictograms(declared),
        _said(sheet, language),
        storage,
    )
    paper.labels([Label(sample_code(order.id, number), about) for number in numbers])
    return paper.pdf()


def _range_of(order_id: int, samples: int) -> str:
    last = f" – {sample_code(order_id, samples)}" if samples > 1 else ""
    return sample_code(order_id, 1) + last


def _hazards(sheet: SampleSheet, language: Language) -> str:
    """Pictograms with their meaning, and what the buyer said in words."""
    declared = sheet.declaration
    column = 0 if language == "zh" else 1
    pictograms = [] if declared is None else declared.ghs
    parts = [f"{each} {_WORDS[Hazard(each)][column]}" for each in pictograms]
    return _joined([*parts, _said(sheet, language)], language)


def _said(sheet: SampleSheet, language: Language) -> str:
    """What the buyer said of dangers in words; "none" only where no pictogram says otherwise."""
    declared, ordered = sheet.declaration, sheet.samples.hazards
    if declared is None:
        return _one_line(ordered)
    if declared.ghs and ordered.strip().lower() in ("none", "无"):
        ordered = ""
    return _joined([ordered, declared.hazard_note], language)


def _pictograms(declared: Declaration | None) -> str:
    """Every pictogram, short enough for a label."""
    numbers = [] if declared is None else [each.removeprefix("GHS") for each in declared.ghs]
    return f"GHS {' '.join(numbers)}" if numbers else "GHS —"


def _joined(parts: Sequence[str], language: Language) -> str:
    said = (_one_line(part) for part in parts)
    return ("；" if language == "zh" else "; ").join(part for part in said if part)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _storage(declared: Declaration | None, language: Language) -> str:
    column = 0 if language == "zh" else 1
    if declared is None:
        return _WORDS["undeclared"][column]
    words = _WORDS[Storage(declared.storage)][column]
    return _one_line(f"{words} {declared.storage_note}")
