"""The steps of an own claim: attach papers, leave something out, submit, take it back."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response, post
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from marketplace.kernel.db import Tx
from marketplace.kernel.errors import DomainError
from marketplace.kernel.http import read
from marketplace.vouchers.rules.states import EvidenceKind
from marketplace.vouchers.use_cases import (
    AttachEvidence,
    DatePapers,
    LeaveOut,
    PaperDay,
    Piece,
    SubmitClaim,
    WithdrawClaim,
    attach_evidence,
    date_papers,
    leave_out,
    submit_claim,
    withdraw_claim,
)
from marketplace.web.acting import act
from marketplace.web.areas.provider.claims import (
    CLAIMANTS,
    ClaimLook,
    claim_shown,
    own_claim,
)
from marketplace.web.forms import Typed, typed
from marketplace.web.visitor import PageRequest, members, visitor_of
from marketplace.web.words import told

FILE_BYTES_MAX = 10_000_000
NAME_LENGTH_MAX = 120
# What an invoice is known by; its use case counts the digits.
NUMBER_LENGTH_MAX = 40
CORRECTION = "correction-"
DAY = "day-"
# In the order in which the page has them.
DATED = (EvidenceKind.INVOICE, EvidenceKind.PAYMENT_PROOF)


async def _step(
    request: PageRequest,
    claim_id: int,
    use_case: Callable[[Tx, Any], Awaitable[Any]],
    command: Callable[[Typed], Awaitable[Any]],
    said: tuple[str, str],
) -> Response[Any]:
    speech = visitor_of(request).speech
    await read(request, own_claim, ClaimLook(claim_id))
    form = await typed(request, speech)
    try:
        asked = await command(form)
        form.require()
        return await act(request, form, use_case, asked, to=f"/claims/{claim_id}", said=said)
    except DomainError as error:
        return await claim_shown(request, claim_id, form, told(error, speech), error.status)


@post("/claims/{claim_id:int}/evidence", **members(*CLAIMANTS))
async def send_evidence(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """Attach papers to a redemption. The platform keeps their digests; the files stay here."""

    async def command(form: Typed) -> AttachEvidence:
        redemption_id = form.whole("redemption", least=1) or 0
        pieces = []
        for kind in EvidenceKind:
            upload = await form.file(kind, bytes_max=FILE_BYTES_MAX, needed=False)
            if upload is None:
                continue
            number = None
            if kind is EvidenceKind.INVOICE:
                number = form.text("number", length_max=NUMBER_LENGTH_MAX, needed=False)
            name, content = upload
            digest = hashlib.sha256(content).hexdigest()
            day = form.day(f"{DAY}{kind}", needed=False) if kind in DATED else None
            pieces.append(Piece(redemption_id, kind, digest, name[:NAME_LENGTH_MAX], number, day))
        if not pieces:
            form.wrong("file", "请至少选择一个文件", "Choose at least one file")
        return AttachEvidence(claim_id, tuple(pieces))

    said = ("证明已附上", "The papers are attached.")
    return await _step(request, claim_id, attach_evidence, command, said)


@post("/claims/{claim_id:int}/days", **members(*CLAIMANTS))
async def send_days(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """Say of which day the papers of a redemption are."""

    async def command(form: Typed) -> DatePapers:
        redemption_id = form.whole("redemption", least=1) or 0
        typed_days = [(kind, form.day(f"{DAY}{kind}", needed=False)) for kind in DATED]
        days = [PaperDay(redemption_id, kind, day) for kind, day in typed_days if day is not None]
        if not days:
            form.wrong("day", "请填写日期", "Say a day")
        return DatePapers(claim_id, tuple(days))

    said = ("日期已记下", "The days are written down.")
    return await _step(request, claim_id, date_papers, command, said)


@post("/claims/{claim_id:int}/leave-out", **members(*CLAIMANTS))
async def send_leave_out(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """Claim a redemption another time."""

    async def command(form: Typed) -> LeaveOut:
        return LeaveOut(claim_id, (form.whole("redemption", least=1) or 0,))

    said = ("已移出本次申请，可下次申请", "Left out; it may be claimed another time.")
    return await _step(request, claim_id, leave_out, command, said)


@post("/claims/{claim_id:int}/submit", **members(*CLAIMANTS))
async def send_submit(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """Hand it to the voucher officer."""

    async def command(form: Typed) -> SubmitClaim:
        ids = [
            int(name.removeprefix(CORRECTION))
            for name in form.fields
            if name.startswith(CORRECTION) and name.removeprefix(CORRECTION).isdecimal()
        ]
        corrections = {
            each: form.text(f"{CORRECTION}{each}", length_max=500, needed=False) for each in ids
        }
        return SubmitClaim(claim_id, corrections)

    said = ("已提交，等待审核", "Submitted; the voucher officer audits it.")
    return await _step(request, claim_id, submit_claim, command, said)


@post("/claims/{claim_id:int}/withdraw", **members(*CLAIMANTS))
async def send_withdraw(request: PageRequest, claim_id: FromPath[int]) -> Response[Any]:
    """Take the own claim back; its redemptions may be claimed again."""

    async def command(form: Typed) -> WithdrawClaim:
        return WithdrawClaim(claim_id, form.text("reason", length_max=500))

    said = ("申请已撤回", "The claim is withdrawn.")
    return await _step(request, claim_id, withdraw_claim, command, said)


routes: list[ControllerRouterHandler] = [
    send_evidence,
    send_days,
    send_leave_out,
    send_submit,
    send_withdraw,
]
