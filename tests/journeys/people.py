"""Somebody at a desk: signed in with a password, talking to the platform over HTTP."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from marketplace.demo.bank import DemoBank
from marketplace.kernel.db import Database
from marketplace.kernel.outbox import deliver_due
from marketplace.kernel.time import SHANGHAI, SetClock
from marketplace.parties.roles import Role
from marketplace.worker import all_handlers
from tests.builders.parties import PASSWORD, a_centre, a_person, a_provider, an_sme

_numbers = itertools.count(1)


@dataclass
class Somebody:
    """A person signed in for one organisation; every step must succeed unless it says not."""

    api: httpx.AsyncClient
    organisation_id: int
    headers: dict[str, str]

    async def posts(self, path: str, body: Any = None, **how: Any) -> Any:
        """What the platform answered; an answer that is not a success fails the journey."""
        answer = await self.asks("POST", path, body, **how)
        assert answer.is_success, f"POST {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def puts(self, path: str, body: Any) -> Any:
        """What the platform answered."""
        answer = await self.asks("PUT", path, body)
        assert answer.is_success, f"PUT {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def reads(self, path: str, **params: Any) -> Any:
        """What the platform shows."""
        answer = await self.fetches(path, **params)
        return answer.json()

    async def fetches(self, path: str, **params: Any) -> httpx.Response:
        """A file, or an answer whose headers matter."""
        answer = await self.api.get(f"/api/v1{path}", params=params, headers=self.headers)
        assert answer.is_success, f"GET {path}: {answer.status_code} {answer.text}"
        return answer

    async def is_refused(self, path: str, body: Any = None) -> str:
        """The kind of problem that a POST meets, for instance `403 forbidden`."""
        answer = await self.asks("POST", path, body)
        assert answer.is_client_error, f"POST {path}: {answer.status_code} {answer.text}"
        return f"{answer.status_code} {answer.json()['type'].removeprefix('/problems/')}"

    async def asks(self, method: str, path: str, body: Any = None, **how: Any) -> httpx.Response:
        """One request with an idempotency key of its own."""
        headers = self.headers | {"Idempotency-Key": f"journey-{next(_numbers)}"}
        if "content" not in how:
            how["json"] = {} if body is None else body
        return await self.api.request(method, f"/api/v1{path}", headers=headers, **how)


async def signed_in(
    api: httpx.AsyncClient, database: Database, organisation_id: int, *roles: Role
) -> Somebody:
    """A new person with these roles, signed in with their password."""
    email = f"journey{next(_numbers)}@example.com"
    await a_person(
        database, organisation_id=organisation_id, roles=tuple(map(str, roles)), email=email
    )
    answer = await api.post(
        "/api/v1/sign-in",
        json={"email": email, "password": PASSWORD, "organisation_id": organisation_id},
    )
    assert answer.is_success, answer.text
    token = answer.json()["access_token"]
    return Somebody(api, organisation_id, {"Authorization": f"Bearer {token}"})


@dataclass
class People:
    """Who takes part, the clock that they live by, and the bank that they all use."""

    database: Database
    clock: SetClock
    manager: Somebody
    technician: Somebody
    buyer: Somebody
    sme_administrator: Somebody
    officer: Somebody
    other_officer: Somebody
    maker: Somebody
    checker: Somebody
    evaluator: Somebody
    other_evaluator: Somebody
    expert: Somebody
    auditor: Somebody
    bank: DemoBank = field(default_factory=DemoBank)

    async def days_pass(self, until: datetime) -> None:
        """Time goes by, and the worker delivers what was told."""
        await deliver_due(self.database, all_handlers())
        self.clock.set(until)


async def everybody(api: httpx.AsyncClient, database: Database, clock: SetClock) -> People:
    """A provider, an SME and the centre's staff, signed in on 3 February 2025."""
    clock.set(at(2025, 2, 3, 9))
    provider_id, sme_id = await a_provider(database), await an_sme(database)
    centre_id = await a_centre(database)

    async def of(organisation_id: int, *roles: Role) -> Somebody:
        return await signed_in(api, database, organisation_id, *roles)

    return People(
        database=database,
        clock=clock,
        manager=await of(provider_id, Role.PROVIDER_MANAGER),
        technician=await of(provider_id, Role.TECHNICIAN),
        buyer=await of(sme_id, Role.BUYER),
        sme_administrator=await of(sme_id, Role.SME_ADMINISTRATOR),
        officer=await of(centre_id, Role.VOUCHER_OFFICER),
        other_officer=await of(centre_id, Role.VOUCHER_OFFICER),
        maker=await of(centre_id, Role.FINANCE_MAKER),
        checker=await of(centre_id, Role.FINANCE_CHECKER),
        evaluator=await of(centre_id, Role.EVALUATOR),
        other_evaluator=await of(centre_id, Role.EVALUATOR),
        expert=await of(centre_id, Role.EXPERT),
        auditor=await of(centre_id, Role.AUDITOR),
    )


def at(year: int, month: int, day: int, hour: int) -> datetime:
    """An hour in Shanghai."""
    return datetime(year, month, day, hour, tzinfo=SHANGHAI)
