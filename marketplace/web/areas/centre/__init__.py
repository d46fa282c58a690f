"""What the centre's officers and auditors do: oversee, verify, decide, look rules up."""

from litestar.types import ControllerRouterHandler

from marketplace.parties.roles import Role
from marketplace.web.areas.centre import (
    anomalies,
    board,
    dry_runs,
    figures,
    notices,
    programme_editor,
    programmes,
    register,
    rulebook_page,
    trail,
    users,
    verification,
    versions,
    view_as,
)
from marketplace.web.areas.centre.who import OVERSEERS
from marketplace.web.navigation import Area, link

areas = (
    Area(
        "平台",
        "Centre",
        (
            link("/ops", "总览", "Overview", *OVERSEERS),
            link("/ops/orgs", "单位", "Organisations", *register.READERS),
            link("/ops/users", "人员", "People", *users.READERS),
            link("/ops/verification", "待核验", "To be verified", *verification.READERS),
            link("/ops/programmes", "创新券政策", "Voucher programmes", *programmes.READERS),
            link("/ops/anomalies", "异常", "Anomalies", *anomalies.READERS),
            link("/ops/notices", "通知", "Notices", *notices.READERS),
            link("/ops/audit", "审计日志", "Audit trail", Role.AUDITOR, Role.ADMINISTRATOR),
            link("/ops/jobs", "后台任务", "Jobs", *OVERSEERS),
            link("/ops/messages", "失败的消息", "Failed messages", *board.SERVICE),
        ),
    ),
)
routes: list[ControllerRouterHandler] = [
    *board.routes,
    *figures.routes,
    *register.routes,
    *users.routes,
    *view_as.routes,
    *verification.routes,
    *programmes.routes,
    *programme_editor.routes,
    *versions.routes,
    *dry_runs.routes,
    *anomalies.routes,
    *notices.routes,
    *trail.routes,
    *rulebook_page.routes,
]
