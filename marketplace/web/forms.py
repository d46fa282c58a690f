"""Forms as people fill them in: each field is read, and everything wrong is said at once.

A form whose fields do not read is shown again as it was typed: `Typed` goes back to the template.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from litestar.datastructures import FormMultiDict, UploadFile
from litestar.datastructures.multi_dicts import ImmutableMultiDict, MultiDict

from marketplace.kernel.errors import Malformed, Reason
from marketplace.kernel.time import SHANGHAI
from marketplace.web.visitor import PageRequest
from marketplace.web.words import Speech

FIELDS_MAX = 500
TEXT_LENGTH_MAX = 4_000
AMOUNT_FEN_MAX = 10**13


class FormWrong(Malformed):
    """Fields of a form cannot be read; each is named with what is wrong."""

    code = "form-wrong"
    title = "Please check the form"


class Typed:
    """What was typed, read field by field. `problems` collects what is wrong, by field.

    Reading never raises: `require()` does, once everything was looked at.
    """

    def __init__(self, fields: MultiDict[Any] | ImmutableMultiDict[Any], speech: Speech) -> None:
        self.fields = fields
        self.speech = speech
        self.problems: dict[str, str] = {}

    def raw(self, name: str, default: str = "") -> str:
        """A field as it was typed, to be shown again."""
        value = self.fields.get(name, default)
        return value if isinstance(value, str) else default

    def all(self, name: str) -> list[str]:
        """Every value of a field that may come several times."""
        return [value for value in self.fields.getall(name, []) if isinstance(value, str)]

    def wrong(self, name: str, chinese: str, english: str) -> None:
        """Note what is wrong with a field; the first remark about it stays."""
        self.problems.setdefault(name, self.speech.t(chinese, english))

    def text(self, name: str, *, length_max: int = TEXT_LENGTH_MAX, needed: bool = True) -> str:
        """A text without blanks around it."""
        value = self.raw(name).strip()
        if needed and not value:
            self.wrong(name, "请填写", "Please fill this in")
        elif len(value) > length_max:
            self.wrong(
                name,
                f"最多 {length_max} 个字，现有 {len(value)} 个",
                f"At most {length_max} characters, these are {len(value)}",
            )
        return value[:length_max]

    def choice(self, name: str, among: Sequence[str], *, needed: bool = True) -> str:
        """One of the values that the form offers."""
        value = self.raw(name)
        if value in among:
            return value
        if value or needed:
            self.wrong(name, "请选择其中一项", "Choose one of the list")
        return ""

    def ticked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return name in self.fields

    def whole(
        self, name: str, *, least: int = 0, most: int = 1_000_000_000, needed: bool = True
    ) -> int | None:
        """A whole number within bounds; None when there is none."""
        value = self.raw(name).strip().replace(",", "").replace("，", "")
        if not value:
            if needed:
                self.wrong(name, "请填写", "Please fill this in")
            return None
        try:
            number = int(value)
        except ValueError:
            self.wrong(name, "请填写整数", "A whole number, please")
            return None
        if not least <= number <= most:
            self.wrong(name, f"应在 {least} 到 {most} 之间", f"From {least} to {most}")
            return None
        return number

    def amount(self, name: str, *, needed: bool = True) -> int | None:
        """An amount of yuan as fen: `1,234.5` is 123450."""
        value = self.raw(name).strip().replace(",", "").replace("，", "").lstrip("¥￥")
        if not value:
            if needed:
                self.wrong(name, "请填写金额", "Please give an amount")
            return None
        try:
            fen = Decimal(value) * 100
        except InvalidOperation:
            fen = Decimal("NaN")
        if not fen.is_finite() or fen != fen.to_integral_value() or not 0 <= fen <= AMOUNT_FEN_MAX:
            self.wrong(name, "请填写金额，最多两位小数", "An amount with at most two decimals")
            return None
        return int(fen)

    def percentage(self, name: str, *, needed: bool = True) -> int | None:
        """A percentage as basis points: `12.5` is 1250."""
        value = self.raw(name).strip().rstrip("%％ ")
        if not value and not needed:
            return None
        try:
            points = Decimal(value) * 100
        except InvalidOperation:
            points = Decimal("NaN")
        if not points.is_finite() or points != points.to_integral_value():
            self.wrong(name, "请填写百分数", "A percentage, please")
            return None
        if not 0 <= points <= 10_000:
            self.wrong(name, "应在 0 到 100 之间", "From 0 to 100")
            return None
        return int(points)

    def day(self, name: str, *, needed: bool = True) -> date | None:
        """A day, as `<input type=date>` sends it."""
        value = self.raw(name).strip()
        if not value and not needed:
            return None
        try:
            found = date.fromisoformat(value)
        except ValueError:
            self.wrong(name, "请填写日期", "A date, please")
            return None
        if not 2000 <= found.year <= 2100:
            self.wrong(name, "年份有误", "The year cannot be right")
            return None
        return found

    def moment(self, day: str, clock: str, *, needed: bool = True) -> datetime | None:
        """A day and a time of day in Shanghai, from two fields."""
        on = self.day(day, needed=needed)
        value = self.raw(clock).strip()
        if not value and not needed:
            return None
        try:
            at = time.fromisoformat(value)
        except ValueError:
            self.wrong(clock, "请填写时间", "A time of day, please")
            return None
        return None if on is None else datetime.combine(on, at.replace(tzinfo=None), SHANGHAI)

    async def file(
        self, name: str, *, bytes_max: int, needed: bool = True
    ) -> tuple[str, bytes] | None:
        """An uploaded file: its name and its content."""
        upload = self.fields.get(name)
        content = await upload.read(bytes_max + 1) if isinstance(upload, UploadFile) else b""
        if not isinstance(upload, UploadFile) or not content:
            if needed:
                self.wrong(name, "请选择文件", "Choose a file")
            return None
        if len(content) > bytes_max:
            megabytes = bytes_max // 1_000_000
            self.wrong(name, f"文件最大 {megabytes} MB", f"At most {megabytes} MB")
            return None
        return upload.filename, content

    def require(self) -> None:
        """Go on only when every field that was read is right.

        Raises:
            FormWrong: with every field that is not.
        """
        if self.problems:
            raise FormWrong(
                "",
                reasons=[Reason(name, text) for name, text in self.problems.items()],
            )


async def typed(request: PageRequest, speech: Speech) -> Typed:
    """The form that was sent."""
    return Typed(await request.form(), speech)


def time_fields(starts_at: datetime, ends_at: datetime) -> dict[str, str]:
    """A stretch of time as forms of bookings take it, on Shanghai's clocks."""
    local = starts_at.astimezone(SHANGHAI)
    return {
        "day": local.date().isoformat(),
        "start": local.strftime("%H:%M"),
        "minutes": str(int((ends_at - starts_at).total_seconds()) // 60),
    }


def new_key() -> str:
    """A value for the hidden field that makes a form count once, however often it is sent."""
    return uuid.uuid4().hex


def empty(speech: Speech, **values: Any) -> Typed:
    """A form as it is first shown, with its defaults."""
    fields = FormMultiDict([(name, str(each)) for name, each in values.items() if each is not None])
    return Typed(fields, speech)
