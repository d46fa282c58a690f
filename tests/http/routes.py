"""The API's route table, as tests walk over it: each route says who may call it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.types.internal_types import PathParameterDefinition

from marketplace.app import create_app
from marketplace.kernel.db import Database
from marketplace.kernel.http import Services
from marketplace.kernel.settings import Settings
from marketplace.kernel.tokens import AccessTokens, MemoryRefreshStore, RefreshTokens
from tests.conftest import TOKEN_SECRET

API = "/api/v1"
# Nothing listens there: a request that gets as far as the database is answered with 503.
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/nothing"


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """One method of one address, and who may call it: roles, `signed-in` or `public`."""

    method: str
    path: str
    roles: frozenset[str] | str
    parts: tuple[str | PathParameterDefinition, ...]
    body: Any
    # What a system's key must be good for; None where keys are not taken.
    scope: str | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path.removeprefix(API)}"

    @property
    def parameters(self) -> list[PathParameterDefinition]:
        """What stands for something in the address."""
        return [part for part in self.parts if not isinstance(part, str)]

    def address(self, values: dict[str, Any]) -> str:
        """The address with `values`, by parameter name."""
        return "/" + "/".join(
            part if isinstance(part, str) else str(values[part.name]) for part in self.parts
        )

    def made_up_address(self) -> str:
        """The address of something that may or may not exist."""
        return self.address(
            {each.name: 1 if each.type in (int, float) else "x" for each in self.parameters}
        )


def an_app_without_database(settings: Settings) -> tuple[Litestar, Services]:
    """The whole application over a database that is not there."""
    services = Services(
        database=Database(NO_DATABASE),
        access_tokens=AccessTokens(TOKEN_SECRET, minutes=10),
        refresh_tokens=RefreshTokens(MemoryRefreshStore(), days=1),
    )
    return create_app(services, settings), services


def api_routes(app: Litestar) -> list[ApiRoute]:
    """Every route of the API, in a stable order."""
    found = []
    for route in app.routes:
        if not route.path.startswith("/api/"):
            continue
        for handler in getattr(route, "route_handlers", []):
            if not isinstance(handler, HTTPRouteHandler):
                continue
            parameter = handler.parsed_fn_signature.parameters.get("data")
            found += [
                ApiRoute(
                    method=str(method),
                    path=route.path,
                    roles=handler.opt["roles"],
                    parts=tuple(route.path_components),
                    body=parameter.annotation if parameter else None,
                    scope=handler.opt.get("scope"),
                )
                for method in sorted(handler.http_methods - {"OPTIONS"})
            ]
    return sorted(found, key=lambda each: (each.path, each.method))
