"""One A4 paper: headings, paragraphs, facts, tables, a code to scan, numbered pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Literal

import segno
from fpdf import FPDF
from fpdf.enums import TableCellFillMode, TableHeadingsDisplay, XPos, YPos
from fpdf.fonts import FontFace
from uniseg.linebreak import line_break_units

from marketplace.kernel.time import SHANGHAI

_FONT = "NotoSansSC"
_INK, _QUIET, _SHADE = (17, 24, 39), (90, 98, 112), (243, 244, 246)
_LINE = 6.0
# What a font has no shape for is shown as a box: nothing is left out in silence.
_MARGIN = 20.0


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, its share of the width, and to which side it stands."""

    heading: str
    width: int
    align: Literal["LEFT", "RIGHT", "CENTER"] = "LEFT"


@dataclass(frozen=True, slots=True)
class Label:
    """A label to cut out: the code that is scanned, and lines for people, at most five."""

    code: str
    lines: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def _font_path() -> str:
    return str(files("marketplace.kernel.documents").joinpath("fonts/NotoSansSC-Regular.ttf"))


class _Pages(FPDF):
    """A4 with a quiet foot on each page: what the paper is, and which page of how many."""

    def __init__(self, foot: str) -> None:
        super().__init__(format="A4", unit="mm")
        self._foot = foot
        self.add_font(_FONT, "", _font_path())
        self.set_margin(_MARGIN)
        self.set_auto_page_break(auto=True, margin=_MARGIN)
        self.alias_nb_pages()

    def footer(self) -> None:
        """What stands at the foot of each page."""
        self.set_y(-14)
        self.set_font(_FONT, size=8)
        self.set_text_color(*_QUIET)
        self.cell(0, 5, self._foot, align="L")
        self.set_x(_MARGIN)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")
        self.set_text_color(*_INK)


class Paper:
    """A paper that is written from top to bottom and then taken as PDF.

    `made_at` is the one moment in it: the same content and moment give the same bytes.
    """

    def __init__(self, title: str, *, made_at: datetime, foot: str, language: str = "zh") -> None:
        self._pages = _Pages(foot)
        self._pages.set_creation_date(made_at.astimezone(SHANGHAI))
        self._pages.set_title(title)
        self._pages.set_lang("zh-CN" if language == "zh" else "en")
        self._pages.set_producer("marketplace")
        self._pages.add_page()
        self._pages.set_text_color(*_INK)
        self._text(title, size=17, align="C", line=9)
        self._pages.ln(4)

    def heading(self, text: str) -> None:
        """A heading; it stays with what follows."""
        if self._pages.will_page_break(3 * _LINE):
            self._pages.add_page()
        self._pages.ln(3)
        self._text(text, size=12.5, line=7.5)
        self._pages.set_draw_color(*_QUIET)
        self._pages.set_line_width(0.2)
        y = self._pages.get_y()
        self._pages.line(_MARGIN, y, self._pages.w - _MARGIN, y)
        self._pages.ln(2)

    def keep_together(self, lines: int) -> None:
        """What follows begins on a new page unless so many lines of it fit on this one."""
        if self._pages.will_page_break(lines * _LINE):
            self._pages.add_page()

    def paragraph(self, text: str, *, quiet: bool = False) -> None:
        """A paragraph; `quiet` for notes."""
        if quiet:
            self._pages.set_text_color(*_QUIET)
        self._text(text, size=9 if quiet else 10.5, line=5.2 if quiet else _LINE)
        self._pages.set_text_color(*_INK)
        self._pages.ln(1.5)

    def facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Names and values, one pair a line."""
        self._pages.set_font(_FONT, size=10)
        quiet = FontFace(color=_QUIET)
        with self._pages.table(
            col_widths=(3, 9),
            first_row_as_headings=False,
            borders_layout="NONE",
            line_height=_LINE,
            padding=(0.4, 1),
            text_align="LEFT",
        ) as table:
            for name, value in pairs:
                row = table.row()
                row.cell(name, style=quiet)
                row.cell(value)
        self._pages.ln(1.5)

    def table(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[str]],
        *,
        total: Sequence[str] | None = None,
    ) -> None:
        """A table whose heading stands on every page that it reaches; `total` is its last row."""
        self._pages.set_font(_FONT, size=9)
        self._pages.set_draw_color(*_QUIET)
        heading = FontFace(color=_INK, fill_color=_SHADE)
        with self._pages.table(
            col_widths=tuple(column.width for column in columns),
            text_align=tuple(column.align for column in columns),
            borders_layout="HORIZONTAL_LINES",
            headings_style=heading,
            repeat_headings=TableHeadingsDisplay.ON_TOP_OF_EVERY_PAGE,
            cell_fill_mode=TableCellFillMode.NONE,
            line_height=5.2,
            padding=(0.8, 1),
        ) as table:
            table.row([column.heading for column in columns])
            for cells in rows:
                table.row(list(cells))
            if total is not None:
                row = table.row()
                for cell in total:
                    row.cell(cell, style=heading)
        self._pages.ln(2)

    def code(self, content: str, *, caption: str = "") -> None:
        """A QR code of `content`, with what a person can read beneath it."""
        image = BytesIO()
        segno.make_qr(content, error="m").save(image, kind="png", scale=8, border=1)
        if self._pages.will_page_break(40):
            self._pages.add_page()
        self._pages.image(image, w=32, h=32)
        if caption:
            self.paragraph(caption, quiet=True)

    def labels(self, labels: Sequence[Label]) -> None:
        """Labels to cut out, two in a row, each with a QR code of its own name."""
        width, height, size = self._pages.epw / 2, 34.0, 28.0
        self._pages.set_draw_color(*_QUIET)
        self._pages.set_line_width(0.1)
        for number, label in enumerate(labels):
            if number % 2 == 0 and number > 0:
                self._pages.set_y(self._pages.get_y() + height)
            if number % 2 == 0 and self._pages.will_page_break(height):
                self._pages.add_page()
            x, y = _MARGIN + width * (number % 2), self._pages.get_y()
            self._pages.rect(x, y, width, height)
            image = BytesIO()
            # Never the micro form, which telephones do not read.
            segno.make_qr(label.code, error="m").save(image, kind="png", scale=6, border=2)
            self._pages.image(image, x=x + 1, y=y + (height - size) / 2, w=size, h=size)
            room = width - size - 4
            for line, text in enumerate((label.code, *label.lines)):
                self._pages.set_font(_FONT, size=11 if line == 0 else 7.5)
                top = y + 3 + (0 if line == 0 else 2.5 + 4.4 * line)
                self._pages.set_xy(x + size + 2, top)
                self._pages.cell(room, 5, self._shortened(text, room))
            self._pages.set_xy(_MARGIN, y)
        self._pages.set_y(self._pages.get_y() + (height if labels else 0) + 2)

    def _shortened(self, text: str, room: float) -> str:
        """`text` as far as it fits into one line of a label."""
        text = " ".join(text.split())
        room -= 2 * self._pages.c_margin
        if self._pages.get_string_width(text) <= room:
            return text
        while text and self._pages.get_string_width(text + "…") > room:
            text = text[:-1]
        return text + "…"

    def signatures(self, parties: Sequence[tuple[str, str]]) -> None:
        """Who signed, side by side: the party, and who, when and from where, or a line."""
        if self._pages.will_page_break(8 * _LINE):
            self._pages.add_page()
        self._pages.ln(3)
        self._pages.set_font(_FONT, size=10)
        with self._pages.table(
            first_row_as_headings=False, borders_layout="NONE", line_height=_LINE
        ) as table:
            table.row([f"{party}\n{signed}" for party, signed in parties])

    def pdf(self) -> bytes:
        """The finished paper."""
        return bytes(self._pages.output())

    def _text(self, text: str, *, size: float, line: float, align: str = "L") -> None:
        self._pages.set_font(_FONT, size=size)
        for one in self._lines(text):
            self._pages.cell(0, line, one, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _lines(self, text: str) -> Iterator[str]:
        """`text` broken where Unicode allows it: no line begins with a comma or ends with （."""
        # A cell keeps a margin of its own on either side.
        width = self._pages.epw - 2 * self._pages.c_margin
        for paragraph in text.splitlines() or [""]:
            line = ""
            for unit in line_break_units(paragraph):
                if line and self._pages.get_string_width((line + unit).rstrip()) > width:
                    yield line.rstrip()
                    line = ""
                line += unit
            yield line.rstrip()
