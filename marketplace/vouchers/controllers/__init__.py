"""The JSON API of vouchers: programmes, applications, wallets, claims."""

from litestar.types import ControllerRouterHandler

from marketplace.vouchers.controllers import (
    anomalies,
    applications,
    audits,
    claim_steps,
    claims,
    files,
    grants,
    programmes,
    reports,
    sanctions,
    versions,
    wallets,
)

routes: list[ControllerRouterHandler] = [
    *programmes.routes,
    *versions.routes,
    *applications.routes,
    *grants.routes,
    *wallets.routes,
    *files.routes,
    *claims.routes,
    *audits.routes,
    *claim_steps.routes,
    *sanctions.routes,
    *reports.routes,
    *anomalies.routes,
]
