"""The JSON API of vouchers: programmes, applications, wallets, claims."""

from litestar.types import ControllerRouterHandler

from marketplace.vouchers.controllers import audits, claims, programmes, wallets

routes: list[ControllerRouterHandler] = [
    *programmes.routes,
    *wallets.routes,
    *claims.routes,
    *audits.routes,
]
