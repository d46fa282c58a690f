"""A province's rulebook: read once, validated at the start, asked by day ever after."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from marketplace.kernel.settings import settings
from marketplace.rulebook.guards import GuardSection
from marketplace.rulebook.sections import (
    BankingSection,
    BookingSection,
    CatalogueSection,
    CreditSection,
    EvaluationSection,
    OrdersSection,
    PricingSection,
    ProvinceSection,
    RewardSection,
    VoucherSection,
)

FOLDER = Path(__file__).parent
FILE_BYTES_MAX = 1_000_000


class Rulebook(BaseModel):
    """Every dated term of one province."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    province: ProvinceSection
    catalogue: CatalogueSection
    booking: BookingSection
    pricing: PricingSection
    orders: OrdersSection
    credit: CreditSection
    banking: BankingSection
    voucher: VoucherSection
    guards: GuardSection
    reward: RewardSection
    evaluation: EvaluationSection


def rulebook_path(name: str) -> Path:
    """Where the rulebook called `name` lies: one of ours, or a file of the province's own."""
    return FOLDER / f"{name}.toml" if name.isidentifier() else Path(name)


def load(path: Path) -> Rulebook:
    """Read and validate a rulebook.

    Raises:
        FileNotFoundError: when there is no such file.
        tomllib.TOMLDecodeError: when it is not TOML.
        pydantic.ValidationError: with every term that is wrong.
        ValueError: when the file is too large to be a rulebook.
    """
    if path.stat().st_size > FILE_BYTES_MAX:
        raise ValueError(f"{path} is larger than a rulebook can be")
    return Rulebook.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


@lru_cache(maxsize=8)
def _loaded(path: Path) -> Rulebook:
    return load(path)


_in_use: ContextVar[Rulebook | None] = ContextVar("rulebook", default=None)


def rulebook() -> Rulebook:
    """The rulebook of this process: the one the settings name."""
    return _in_use.get() or _loaded(rulebook_path(settings().province))


@contextmanager
def use_rulebook(book: Rulebook) -> Iterator[None]:
    """Compute with another rulebook inside the block: a test, or a "what if"."""
    token = _in_use.set(book)
    try:
        yield
    finally:
        _in_use.reset(token)
