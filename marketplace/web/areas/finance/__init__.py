"""What the centre's finance staff do: reconcile, pay, reward, keep the books and close them."""

from litestar.types import ControllerRouterHandler

from marketplace.web.areas.finance import accounts, ledger
from marketplace.web.areas.finance.roles import READERS, READS_ENTRIES
from marketplace.web.navigation import Area, link

areas = (
    Area(
        "财务",
        "Finance",
        (
            link("/finance/ledger", "账簿", "Ledger", *READS_ENTRIES),
            link("/finance/accounts", "账户", "Accounts", *READS_ENTRIES),
            link("/finance/trial-balance", "试算平衡", "Trial balance", *READERS),
        ),
    ),
)
routes: list[ControllerRouterHandler] = [*ledger.routes, *accounts.routes]
