"""A programme as a file: TOML in, a plan or every problem out.

What a file leaves out is neutral: no steps, nothing excluded but what is excluded everywhere, the
national definition of a technology SME.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marketplace.kernel.errors import Reason
from marketplace.vouchers.errors import ProgrammeRefused
from marketplace.vouchers.rules.limits import NO_CONTROLS, Funder, Region
from marketplace.vouchers.rules.programme_check import Days, wrong_terms
from marketplace.vouchers.rules.regions import LayerRegion

FOLDER = Path(__file__).resolve().parent.parent / "programmes"
"""The files of real programmes that come with the platform."""

FILE_BYTES_MAX = 256 * 1024

_DEFINITION = "国科发政〔2017〕115号"
_USUAL = "usual practice"

UNLIMITED_FEN = 10**15
"""What stands for no cap at all."""

_NEUTRAL: Mapping[str, tuple[Any, str]] = {
    "ratio_steps": ([{"ratio_basis_points": 10_000}], _USUAL),
    "cap_per_order_fen": (UNLIMITED_FEN, _USUAL),
    "cap_per_sme_year_fen": (UNLIMITED_FEN, _USUAL),
    "validity": ("year-end", _USUAL),
    "staff_max": (500, _DEFINITION),
    "sales_max_fen": (20_000_000_000, _DEFINITION),
    "assets_max_fen": (20_000_000_000, _DEFINITION),
    "common_control_basis_points": (5000, _USUAL),
    "excluded_services": (
        [
            "statutory-test",
            "law-enforcement-inspection",
            "commercial-inspection",
            "bulk-inspection",
            "medical-service",
            "commercial-photography",
        ],
        _USUAL,
    ),
    "spot_check_basis_points": (500, _USUAL),
    "notice_working_days": (5, _USUAL),
    "required_evidence": (["contract", "invoice", "payment-proof", "result", "usage-log"], _USUAL),
}
NEUTRAL = {name: {"value": value, "source": source} for name, (value, source) in _NEUTRAL.items()}
"""What holds where a file says nothing."""

Text = Annotated[str, Field(min_length=1, max_length=300, pattern=NO_CONTROLS)]


class LayerInFile(BaseModel):
    """A funder's budget for the SMEs of a region, and its ratio."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    funder: Funder
    region_code: Region
    ratio_basis_points: Annotated[int, Field(ge=1, le=10_000)]
    budget_fen: Annotated[int, Field(ge=1, le=10**15)]
    name: Annotated[str, Field(max_length=100, pattern=NO_CONTROLS)] = ""
    budget_year: Annotated[int, Field(ge=2000, le=2100)] | None = None


class GivenTerm(BaseModel):
    """A term, the clause it comes from, and whose practice it follows where no clause says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Any
    source: Text
    note: Annotated[str, Field(max_length=1000, pattern=NO_CONTROLS)] = ""


class ProgrammeFile(BaseModel):
    """The file of a programme."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")]
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_CONTROLS)]
    name_en: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_CONTROLS)]
    year: Annotated[int, Field(ge=2000, le=2100)]
    opens_on: date
    closes_on: date
    source: Text
    assumed: list[Text] = Field(default_factory=list, max_length=50)
    layers: Annotated[list[LayerInFile], Field(min_length=1, max_length=200)]
    terms: dict[str, GivenTerm]

    @property
    def days(self) -> Days:
        """When applications are taken."""
        return Days(self.year, self.opens_on, self.closes_on)

    @property
    def regions(self) -> list[LayerRegion]:
        """The layers as the rules read them, numbered in order."""
        return [
            LayerRegion(
                number, each.funder, each.region_code, each.ratio_basis_points, each.budget_year
            )
            for number, each in enumerate(self.layers, start=1)
        ]

    def snapshot(self) -> dict[str, Any]:
        """The terms as they are frozen with the programme: those given, and neutral ones."""
        given = {name: term.model_dump(mode="json") for name, term in self.terms.items()}
        ratios = {each.funder: each.ratio_basis_points for each in self.layers}
        layers = [
            {"funder": funder, "ratio_basis_points": ratio} for funder, ratio in ratios.items()
        ]
        return {
            **NEUTRAL,
            "layers": {"value": layers, "source": self.source},
            **given,
        }


@dataclass(frozen=True, slots=True)
class ProgrammePlan:
    """A programme that a file describes without a fault."""

    file: ProgrammeFile
    terms: Mapping[str, Any]


def shipped_programme(code: str) -> Path:
    """The file of a programme that comes with the platform, for instance `jiangsu-2020`."""
    return FOLDER / f"{code}.toml"


def shipped_programmes() -> list[ProgrammeFile]:
    """The programmes that come with the platform, by their codes."""
    return [read_programme(path.read_bytes()).file for path in sorted(FOLDER.glob("*.toml"))]


def read_programme(content: bytes) -> ProgrammePlan:
    """The programme of a file.

    Raises:
        ProgrammeRefused: with everything that is wrong with the file.

    Policy: J.22a, J.22b
    """
    try:
        file = ProgrammeFile.model_validate(_document(content))
    except ValidationError as error:
        raise _refused([_problem(entry) for entry in error.errors()]) from error
    terms = file.snapshot()
    problems = wrong_terms(terms, file.regions, file.days)
    if problems:
        raise _refused(problems)
    return ProgrammePlan(file, terms)


class ChangesFile(BaseModel):
    """Terms that change, as a file: the part of a programme's file below `[terms]`."""

    # A whole programme's file says its terms in the same place: the rest of it is not looked at.
    model_config = ConfigDict(extra="ignore", frozen=True)

    terms: Annotated[dict[str, GivenTerm], Field(min_length=1, max_length=60)]


def read_changes(content: bytes) -> Mapping[str, GivenTerm]:
    """The terms in a file, by name.

    Raises:
        ProgrammeRefused: with everything that is wrong with the file.
    """
    try:
        return ChangesFile.model_validate(_document(content)).terms
    except ValidationError as error:
        raise _refused([_problem(entry) for entry in error.errors()]) from error


def _document(content: bytes) -> dict[str, Any]:
    if len(content) > FILE_BYTES_MAX:
        raise _refused(
            [Reason("file", "The file is too large.", limit=FILE_BYTES_MAX, asked=len(content))]
        )
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _refused([Reason("file", f"The file is not UTF-8: {error.reason}.")]) from error
    except tomllib.TOMLDecodeError as error:
        raise _refused([Reason("file", f"The file is not TOML: {error}.")]) from error


def _refused(problems: Sequence[Reason]) -> ProgrammeRefused:
    return ProgrammeRefused("; ".join(each.message for each in problems), reasons=tuple(problems))


def _problem(entry: Any) -> Reason:
    where = ".".join(map(str, entry["loc"])) or "file"
    return Reason(where, f"{where}: {entry['msg']}.")
