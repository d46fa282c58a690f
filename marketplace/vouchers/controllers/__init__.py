"""The JSON API of vouchers: programmes, applications, wallets, claims."""

from litestar.types import ControllerRouterHandler

from marketplace.vouchers.controllers import audits, claims, programmes, versions, wallets

routes: list[ControllerRouterHandler] = [
    *programmes.routes,
    *versions.routes,
    *wallets.routes,
    *claims.routes,
    *audits.routes,
]
