"""Texts, money, days and times in the reader's language; times are Shanghai's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal, format_percent

from marketplace.kernel.time import SHANGHAI
from marketplace.web.words.domain_speech import in_chinese

LANGUAGES: Final = ("zh", "en")
_LOCALES: Final = {"zh": "zh_Hans_CN", "en": "en"}
_WEEKDAYS: Final = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}


@dataclass(frozen=True, slots=True)
class Speech:
    """One reader's language, `zh` or `en`."""

    language: str

    @property
    def tag(self) -> str:
        """The language as HTML names it."""
        return "zh-CN" if self.language == "zh" else "en"

    @property
    def other(self) -> str:
        """The language that the reader may change to."""
        return "en" if self.language == "zh" else "zh"

    def t(self, chinese: str, english: str, **values: object) -> str:
        """One of the two texts, with `{names}` filled in."""
        chosen = chinese if self.language == "zh" else english
        return chosen.format(**values) if values else chosen

    def said(self, text: str) -> str:
        """What a domain says in English, in the reader's language."""
        return (in_chinese(text) or text) if self.language == "zh" else text

    def either(self, chinese: str, english: str | None) -> str:
        """A name that is kept in both languages; Chinese where the English one is not known."""
        return chinese if self.language == "zh" or not english else english

    def number(self, value: int | float | Decimal) -> str:
        """A number with its thousands apart."""
        return format_decimal(value, locale=self._locale)

    def percent(self, basis_points: int) -> str:
        """A share out of 10,000 as per cent, with as many digits as it has."""
        return format_percent(
            Decimal(basis_points) / 10_000, format="#,##0.##%", locale=self._locale
        )

    def yuan(self, fen: int) -> str:
        """An amount to the fen: `¥1,234,567.50`, negative ones with a minus in front."""
        sign = "−" if fen < 0 else ""
        whole, rest = divmod(abs(fen), 100)
        return f"{sign}{self._currency}{whole:,}.{rest:02d}"

    def about(self, fen: int) -> str:
        """A large amount as it is spoken of: 万元 and 亿元, or thousands and millions."""
        sign = "−" if fen < 0 else ""
        value = Decimal(abs(fen)) / 100
        units = (
            ((Decimal(10**8), "亿"), (Decimal(10**4), "万"))
            if self.language == "zh"
            else ((Decimal(10**6), "M"), (Decimal(10**3), "K"))
        )
        for size, unit in units:
            if value >= size:
                told = format_decimal(round(value / size, 1), format="#,##0.#", locale="en")
                return f"{sign}{self._currency}{told}{unit}"
        return f"{sign}{self._currency}{format_decimal(value, format='#,##0.##', locale='en')}"

    def day(self, value: date) -> str:
        """A day: 2026年11月20日, or Nov 20, 2026."""
        return format_date(value, "medium" if self.language == "en" else "long", self._locale)

    def weekday(self, value: date) -> str:
        """周五, or Fri."""
        return self.weekday_name(value.weekday())

    def weekday_name(self, number: int) -> str:
        """周一, or Mon, for 0."""
        return _WEEKDAYS[self.language][number]

    def short_day(self, value: date) -> str:
        """A day of a near week: 11/20 周五, or Fri Nov 20."""
        if self.language == "zh":
            return f"{value.month}/{value.day} {self.weekday(value)}"
        return f"{self.weekday(value)} {format_date(value, 'MMM d', self._locale)}"

    def moment(self, value: datetime) -> str:
        """A day and a time: 2026年11月20日 23:05, or Nov 20, 2026, 23:05."""
        local = value.astimezone(SHANGHAI)
        return format_datetime(
            local,
            "y年M月d日 HH:mm" if self.language == "zh" else "MMM d, y, HH:mm",
            locale=self._locale,
        )

    def clock(self, value: datetime) -> str:
        """The time of day: 23:05."""
        return format_time(value.astimezone(SHANGHAI), "HH:mm", locale=self._locale)

    def span(self, begins: datetime, ends: datetime) -> str:
        """From when until when; the day is said once where it is the same."""
        first, last = begins.astimezone(SHANGHAI), ends.astimezone(SHANGHAI)
        if first.date() == last.date():
            return f"{self.moment(begins)}–{self.clock(ends)}"
        return f"{self.moment(begins)} – {self.moment(ends)}"

    def minutes(self, value: int) -> str:
        """A length of time: 1 小时 30 分, or 1 h 30 min."""
        hours, rest = divmod(value, 60)
        hour, minute = ("小时", "分") if self.language == "zh" else ("h", "min")
        parts = ([f"{hours:,} {hour}"] if hours else []) + ([f"{rest} {minute}"] if rest else [])
        return " ".join(parts) or f"0 {minute}"

    @property
    def _locale(self) -> str:
        return _LOCALES[self.language]

    @property
    def _currency(self) -> str:
        return "¥" if self.language == "zh" else "CN¥"
