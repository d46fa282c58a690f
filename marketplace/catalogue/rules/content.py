"""What is said about an instrument: one value, whichever way it came (file, form, another system).

Everything that could be wrong with a value is decided here, so that an imported line and a request
are held to the same rules.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date
from typing import Annotated, Any

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from marketplace.catalogue.rules.categories import normal_code
from marketplace.catalogue.rules.layout import PASSED_ON
from marketplace.catalogue.rules.states import Condition, Exemption, Funds, Kind, ShareMode, Source
from marketplace.kernel.money import AMOUNT_FEN_MAX

TEXT_LENGTH_MAX = 10_000
EARLIEST = date(1900, 1, 1)

# PostgreSQL text holds no NUL; the others are never meant.
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def _known_category(code: str) -> str:
    normal = normal_code(code)
    if normal is None:
        raise PydanticCustomError(
            "category_unknown",
            "not a category code: six digits, of which the first four are a middle class",
        )
    return normal


def _plausible_day(day: date) -> date:
    if day < EARLIEST or day.year > 2100:
        raise PydanticCustomError("date_implausible", "this day is not plausible")
    return day


def _safe(text: Any) -> Any:
    if isinstance(text, str) and CONTROLS.search(text):
        raise PydanticCustomError("control_character", "holds a control character")
    if isinstance(text, str) and text.lstrip().startswith("="):
        # A spreadsheet program would run it as soon as somebody opens an export.
        raise PydanticCustomError("formula", "holds a formula, not its value")
    return text


def _known_further(further: dict[str, str]) -> dict[str, str]:
    for name in further:
        if name not in PASSED_ON:
            raise PydanticCustomError("further_unknown", "no field of the national layout")
    return {name: text for name, text in further.items() if text}


_Readable = BeforeValidator(_safe)
Code = Annotated[
    str,
    _Readable,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=100),
]
Name = Annotated[
    str,
    _Readable,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=200),
]
Phrase = Annotated[
    str, _Readable, StringConstraints(strict=True, strip_whitespace=True, max_length=500)
]
Text = Annotated[
    str,
    _Readable,
    StringConstraints(strict=True, strip_whitespace=True, max_length=TEXT_LENGTH_MAX),
]
Day = Annotated[date, AfterValidator(_plausible_day)]


class InstrumentContent(BaseModel):
    """An instrument as its provider describes it, in the platform's own words.

    `worth_fen` is the original value; `began_on` the day it went into use; `accepted_on` the day
    its purchase was accepted, from which the time to list it runs; `further` what the national
    layout asks for and the platform only passes on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    inner_id: Code
    cname: Name
    ename: Phrase = ""
    category_code: Annotated[str, AfterValidator(_known_category)]
    model: Phrase = ""
    manufacturer: Phrase = ""
    nation: Phrase = ""
    worth_fen: Annotated[int, Field(ge=0, le=AMOUNT_FEN_MAX)]
    funds: Funds
    source: Source | None = None
    customs_supervised: bool
    began_on: Day | None = None
    accepted_on: Day | None = None
    kind: Kind
    technical: Text = ""
    functions: Text = ""
    subjects: Text = ""
    service_content: Text = ""
    achievement: Text = ""
    requirement: Text = ""
    fee_text: Text = ""
    service_url: Phrase = ""
    share_mode: ShareMode
    exemption: Exemption | None = None
    condition: Condition
    department: Phrase = ""
    province: Phrase = ""
    city: Phrase = ""
    county: Phrase = ""
    street: Phrase = ""
    postalcode: Phrase = ""
    contact: Phrase = ""
    phone: Phrase = ""
    email: Phrase = ""
    further: Annotated[dict[str, Text], AfterValidator(_known_further)] = Field(
        default_factory=dict
    )


CONTENT_FIELDS: tuple[str, ...] = tuple(InstrumentContent.model_fields)


def content_sha256(values: dict[str, Any]) -> bytes:
    """A digest of the content: the same values give the same digest, so nothing changed."""
    ordered = [values[name] for name in CONTENT_FIELDS]
    return hashlib.sha256(msgspec.json.encode(ordered, order="deterministic")).digest()
