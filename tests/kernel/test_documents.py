"""Papers as PDF: the same content gives the same bytes, Chinese is there, and lines break well."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from io import BytesIO

import pytest
import segno
from pypdf import PdfReader

from marketplace.kernel.documents import Column, Label, Paper

NOON = datetime(2025, 3, 3, 4, 0, tzinfo=UTC)


def a_paper(*, clause: str = "乙方按照甲方要求提供测试分析服务，", rows: int = 60) -> bytes:
    paper = Paper("技术服务合同", made_at=NOON, foot="合同 42 · 第 1 版")
    paper.facts([("甲方", "南京某某新材料科技有限公司"), ("Instrument", "FE-SEM")])
    paper.heading("第一条 服务内容")
    paper.paragraph(clause * 20)
    columns = [Column("项目", 6), Column("金额（元）", 2, "RIGHT")]
    paper.table(
        columns, [[f"机时 {number}", "230.00"] for number in range(rows)], total=["合计", "1.00"]
    )
    paper.signatures([("甲方", "张三 2025-03-03 09:00"), ("乙方", "")])
    paper.code("https://platform.example/contracts/42", caption="扫码核验")
    return paper.pdf()


def words_of(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]


def test_the_same_content_gives_the_same_bytes_and_other_content_others():
    first, again, other = a_paper(), a_paper(), a_paper(rows=61)

    assert hashlib.sha256(first).digest() == hashlib.sha256(again).digest()
    assert first != other


def test_what_was_written_can_be_read_out_again_in_both_languages():
    text = "\n".join(words_of(a_paper()))

    for part in (
        "技术服务合同",
        "南京某某新材料科技有限公司",
        "FE-SEM",
        "合计",
        "张三",
        "扫码核验",
    ):
        assert part in text


def test_a_long_table_repeats_its_heading_and_every_page_is_numbered():
    pages = words_of(a_paper(rows=100))

    assert len(pages) > 2
    assert all("项目" in page for page in pages[1:-1])
    assert [f"{number} / {len(pages)}" in page for number, page in enumerate(pages, 1)] == [
        True
    ] * len(pages)


@pytest.mark.parametrize(
    "clause", ["乙方按照要求提供服务，", "（甲方）与「乙方」约定：", "费用 1,200.00 元；"]
)
def test_no_line_begins_with_closing_punctuation(clause):
    lines = [
        line for page in words_of(a_paper(clause=clause, rows=0)) for line in page.splitlines()
    ]

    assert [line for line in lines if line[:1] in "，。；：）」、"] == []


@pytest.mark.parametrize("number", [0, 1, 2, 15])
def test_each_label_has_its_code_and_what_does_not_fit_is_shortened_in_sight(number: int):
    paper = Paper("样品随行单", made_at=NOON, foot="订单 7")
    labels = [Label(f"SC-7-{each}", ("短\n行", "很长的名称" * 20)) for each in range(1, number + 1)]
    paper.labels(labels)
    paper.paragraph("以下空白")

    text = "\n".join(words_of(paper.pdf()))

    assert [each.code for each in labels if each.code not in text] == []
    assert text.count("…") == number
    assert "以下空白" in text


def test_codes_are_never_micro_codes_that_telephones_do_not_read(monkeypatch: pytest.MonkeyPatch):
    made = []

    def make_qr(content: str, *, error: str) -> segno.QRCode:
        made.append(segno.make(content, error=error, micro=False))
        return made[-1]

    monkeypatch.setattr(segno, "make_qr", make_qr)
    paper = Paper("样品随行单", made_at=NOON, foot="订单 7")
    paper.code("SC-7")
    paper.labels([Label("SC-7-1")])

    assert [each.is_micro for each in made] == [False, False]
