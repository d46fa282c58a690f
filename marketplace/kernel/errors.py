"""The refusals of the platform: one tree, each leaf with a code that clients may rely on.

`DomainError` is never raised itself; a domain's `errors.py` derives from one of its five branches.
A leaf that names a `constraint` is what PostgreSQL's violation of that constraint turns into.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason why something was refused: the rule, its limit, what was asked, and its source."""

    rule: str
    message: str
    limit: Any = None
    asked: Any = None
    source: str | None = None
    overridable: bool = False


class DomainError(Exception):
    """A refusal that a caller can understand and act on. Bugs are not DomainErrors.

    Args:
        detail: what was wrong, in one sentence, with what to do instead.
        reasons: every reason at once, not only the first.
        alternatives: what would be possible instead, as plain values.
        extras: typed facts for the problem body, for instance `limit`, `asked`, `source`.
    """

    code: ClassVar[str] = ""
    title: ClassVar[str] = ""
    status: ClassVar[int] = 500
    constraint: ClassVar[str | None] = None

    by_constraint: ClassVar[dict[str, type[DomainError]]] = {}

    def __init__(
        self,
        detail: str = "",
        *,
        reasons: Sequence[Reason] = (),
        alternatives: Sequence[Mapping[str, Any]] = (),
        **extras: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.reasons = tuple(reasons)
        self.alternatives = tuple(alternatives)
        self.extras = extras

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.constraint is not None:
            known = DomainError.by_constraint.setdefault(cls.constraint, cls)
            if known is not cls:
                raise TypeError(f"{cls.constraint} already means {known.__name__}")


class Malformed(DomainError):
    """The request cannot be read: wrong type, unknown field, not JSON, too large a number."""

    code = "malformed"
    title = "The request cannot be read"
    status = 400


class Unauthenticated(DomainError):
    """Nobody is signed in, or the token is expired, revoked or not ours."""

    code = "unauthenticated"
    title = "Sign in first"
    status = 401


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    code = "forbidden"
    title = "Not allowed for your role"
    status = 403


class Missing(DomainError):
    """There is no such thing, or none that the caller may see: the two look the same."""

    code = "not-found"
    title = "Not found"
    status = 404


class Conflict(DomainError):
    """The world says no: somebody else was there first, or the state has moved on."""

    code = "conflict"
    title = "Conflicts with what already exists"
    status = 409


class Refused(DomainError):
    """The policy says no."""

    code = "refused"
    title = "Refused by a rule"
    status = 422


class TooMany(DomainError):
    """A rate limit was reached; `retry_after_seconds` says when to come back."""

    code = "too-many-requests"
    title = "Too many requests"
    status = 429


class Unavailable(DomainError):
    """The platform cannot answer just now; the same request may be sent again."""

    code = "unavailable"
    title = "Try again shortly"
    status = 503


@dataclass(slots=True)
class Reasons:
    """Collects reasons so that a rule can say all of them at once."""

    found: list[Reason] = field(default_factory=list)

    def add(
        self,
        rule: str,
        message: str,
        *,
        limit: Any = None,
        asked: Any = None,
        source: str | None = None,
        overridable: bool = False,
    ) -> None:
        """Note one more reason."""
        self.found.append(
            Reason(
                rule,
                message,
                limit=limit,
                asked=asked,
                source=source,
                overridable=overridable,
            )
        )

    def raise_as(self, error: type[DomainError], detail: str = "") -> None:
        """Raise `error` with everything noted so far, or return when there is nothing."""
        if self.found:
            message = detail or "; ".join(reason.message for reason in self.found)
            raise error(message, reasons=self.found)


class OnlyLooking(Forbidden):
    """Who looks as somebody else changes nothing."""

    code = "only-looking"
    title = "You look as somebody else: nothing can be changed"
