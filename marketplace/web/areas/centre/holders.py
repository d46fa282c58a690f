"""Who holds a legal entity from a day on, entered as its register says."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.parties import queries as parties
from marketplace.parties.roles import Role
from marketplace.parties.rules.shareholding import DatedShareholding, Shareholding
from marketplace.parties.use_cases import SetShareholdings, set_shareholdings
from marketplace.web.acting import take
from marketplace.web.areas.centre.entities import HERE
from marketplace.web.forms import Typed, empty, new_key
from marketplace.web.rendering import page
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import Told, told

HOLDERS_MAX = 200
NAME_LENGTH_MAX = 200
SOURCE_LENGTH_MAX = 200
# What may stand between a holder and the part: whatever lists are pasted from.
_SEPARATORS: Final = str.maketrans("，;；\t", ",,,,")


def holders_typed(form: Typed, field: str = "holders") -> tuple[Shareholding, ...]:
    """One holder a line: a name or a credit code, a comma, the part in per cent."""
    lines = [line.strip() for line in form.raw(field).splitlines() if line.strip()]
    if len(lines) > HOLDERS_MAX:
        form.wrong(field, f"最多 {HOLDERS_MAX} 个股东", f"At most {HOLDERS_MAX} holders")
    found = []
    for number, line in enumerate(lines[:HOLDERS_MAX], start=1):
        holder, _, part = line.translate(_SEPARATORS).rpartition(",")
        points = _basis_points(part)
        if not holder.strip() or len(holder) > NAME_LENGTH_MAX or points is None:
            form.wrong(
                field,
                f"第 {number} 行应为“名称或信用代码，比例”，比例不超过两位小数",
                f"Line {number}: a name or code, a comma, a percentage of at most two decimals",
            )
            continue
        found.append(Shareholding(holder.strip(), points))
    return tuple(found)


def _basis_points(part: str) -> int | None:
    try:
        points = Decimal(part.strip().rstrip("%％ ")) * 100
    except InvalidOperation:
        return None
    if not points.is_finite() or points != points.to_integral_value() or not 0 <= points <= 10_000:
        return None
    return int(points)


def as_lines(holders: list[Shareholding]) -> str:
    """Holders as they are typed."""
    return "\n".join(f"{each.holder}, {Decimal(each.basis_points) / 100}" for each in holders)


async def _present(
    tx: Tx, legal_entity_id: int
) -> tuple[parties.LegalEntity, list[Shareholding], list[DatedShareholding]]:
    entity = await parties.legal_entity(tx, legal_entity_id)
    held = await parties.shareholdings(tx, legal_entity_id)
    return entity, held, await parties.shareholding_history(tx, legal_entity_id)


@get(f"{HERE}/{{legal_entity_id:int}}/holders", **members(Role.ADMINISTRATOR))
async def show_holders(request: PageRequest, legal_entity_id: FromPath[int]) -> Response[Any]:
    """Who holds it now, to be changed."""
    return await _shown(request, legal_entity_id)


async def _shown(
    request: PageRequest,
    legal_entity_id: int,
    form: Typed | None = None,
    refusal: Told | None = None,
    status: int = 200,
) -> Response[Any]:
    entity, held, history = await read(request, _present, legal_entity_id)
    return page(
        request,
        "centre/holders.html",
        status=status,
        entity=entity,
        held=held,
        history=history,
        form=form or empty(visitor_of(request).speech, holders=as_lines(held)),
        refusal=refusal,
        key=new_key(),
    )


@post(f"{HERE}/{{legal_entity_id:int}}/holders", **members(Role.ADMINISTRATOR))
async def send_holders(request: PageRequest, legal_entity_id: FromPath[int]) -> Response[Any]:
    """Replace the holders from a day on; the register keeps those of the days before."""
    await read(request, parties.legal_entity, legal_entity_id)

    def asked(form: Typed) -> Any:
        return set_shareholdings, SetShareholdings(
            legal_entity_id,
            holders_typed(form),
            form.day("since"),
            form.text("source", length_max=SOURCE_LENGTH_MAX),
        )

    async def again(form: Typed, error: DomainError) -> Response[Any]:
        return await _shown(request, legal_entity_id, form, told(error, form.speech), error.status)

    return await take(
        request,
        asked,
        to=f"{HERE}/{legal_entity_id}",
        said=("股权已登记", "The holders are set."),
        again=again,
    )


routes: list[ControllerRouterHandler] = [show_holders, send_holders]
