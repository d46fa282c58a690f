"""What everybody may see: the start page, instruments, the rules of the money."""

from litestar.types import ControllerRouterHandler

from marketplace.web.areas.public import entering, home, instrument, instruments
from marketplace.web.navigation import Area, link

areas = (
    Area(
        "找仪器",
        "Find",
        (link("/instruments", "仪器", "Instruments"),),
    ),
)
routes: list[ControllerRouterHandler] = [
    *home.routes,
    *instruments.routes,
    *instrument.routes,
    *entering.routes,
]
