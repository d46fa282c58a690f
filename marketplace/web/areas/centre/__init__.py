"""What the centre's officers and auditors do: oversee, verify, decide, look rules up."""

from litestar.types import ControllerRouterHandler

from marketplace.parties.roles import Role
from marketplace.web.areas.centre import (
    anomalies,
    applications,
    audit_paths,
    board,
    disputes,
    dry_runs,
    entities,
    evaluations,
    facts,
    figures,
    grants,
    holders,
    notices,
    programme_editor,
    programmes,
    register,
    registering,
    rulebook_page,
    sanctions,
    trail,
    users,
    verification,
    versions,
    view_as,
    voucher_reports,
)
from marketplace.web.areas.centre.who import OVERSEERS, READS_VOUCHERS
from marketplace.web.areas.sme import strikes
from marketplace.web.navigation import Area, link

areas = (
    Area(
        "平台",
        "Centre",
        (
            link("/ops", "总览", "Overview", *OVERSEERS),
            link("/ops/orgs", "单位", "Organisations", *register.READERS),
            link("/ops/entities", "法人", "Legal entities", *entities.READERS),
            link("/ops/users", "人员", "People", *users.READERS),
            link("/ops/verification", "待核验", "To be verified", *verification.READERS),
            link("/ops/disputes", "争议", "Disputes", *disputes.READERS),
            link("/strikes", "违约与申诉", "Strikes", *strikes.CENTRE),
            link("/ops/evaluations", "年度评价", "Evaluation", *evaluations.READERS),
            link("/ops/notices", "通知", "Notices", *notices.READERS),
            link("/ops/audit", "审计日志", "Audit trail", Role.AUDITOR, Role.ADMINISTRATOR),
            link("/credit", "授信", "Credit", Role.AUDITOR),
            link("/ops/jobs", "后台任务", "Jobs", *OVERSEERS),
            link("/ops/messages", "失败的消息", "Failed messages", *board.SERVICE),
        ),
    ),
    Area(
        "创新券管理",
        "Voucher programmes",
        (
            link("/ops/programmes", "政策计划", "Programmes", *programmes.READERS),
            link("/ops/applications", "申请审批", "Applications", *READS_VOUCHERS),
            link("/ops/facts", "企业事实", "Facts of companies", *READS_VOUCHERS),
            link("/ops/grants", "已发放的券", "Vouchers granted", *READS_VOUCHERS),
            link("/contracts", "合同登记", "Contracts", Role.VOUCHER_OFFICER, Role.AUDITOR),
            link("/ops/anomalies", "异常", "Anomalies", *anomalies.READERS),
            link("/sanctions", "处理与申诉", "Sanctions", *sanctions.CENTRE),
            link("/ops/voucher-report", "报表", "Report", *voucher_reports.READERS),
            link("/ops/audit-paths", "资金路径", "Audit paths", *audit_paths.READERS),
        ),
    ),
)
routes: list[ControllerRouterHandler] = [
    *board.routes,
    *figures.routes,
    *register.routes,
    *entities.routes,
    *holders.routes,
    *registering.routes,
    *users.routes,
    *view_as.routes,
    *verification.routes,
    *programmes.routes,
    *programme_editor.routes,
    *versions.routes,
    *dry_runs.routes,
    *anomalies.routes,
    *disputes.routes,
    *sanctions.routes,
    *evaluations.routes,
    *applications.routes,
    *facts.routes,
    *grants.routes,
    *voucher_reports.routes,
    *audit_paths.routes,
    *notices.routes,
    *trail.routes,
    *rulebook_page.routes,
]
