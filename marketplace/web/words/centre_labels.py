"""Names of what the centre works with: versions, dry runs, notices, people, jobs."""

from __future__ import annotations

from typing import Final

from marketplace.web.words.buyer_labels import BUYER
from marketplace.web.words.evaluation_labels import EVALUATION
from marketplace.web.words.naming import Label
from marketplace.web.words.trail_labels import TRAIL

CENTRE: Final[dict[str, dict[str, Label]]] = {
    **EVALUATION,
    **TRAIL,
    "programme_version": {
        "draft": Label("待批准", "Awaits approval", "warning"),
        "approved": Label("已批准", "Approved", "success"),
        "discarded": Label("已放弃", "Given up"),
    },
    "dry_run": {
        "waiting": Label("排队中", "Waiting", "warning"),
        "running": Label("试算中", "Running", "info"),
        "done": Label("已完成", "Done", "success"),
        "failed": Label("失败", "Failed", "error"),
    },
    "dry_run_size": {
        "up-to-20": Label("20 人及以下", "Up to 20 staff"),
        "up-to-100": Label("21–100 人", "21 to 100 staff"),
        "up-to-300": Label("101–300 人", "101 to 300 staff"),
        "up-to-500": Label("301–500 人", "301 to 500 staff"),
        "over-500": Label("500 人以上", "Over 500 staff"),
        "unknown": Label("未知", "Unknown"),
    },
    "dry_run_service_kind": {
        **BUYER["service_kind"],
        "instrument-service": Label("仪器服务", "Services on instruments"),
        "research": Label("研究开发", "Research"),
        "": Label("未注明", "Not said"),
    },
    "dispute_state": {
        "open": Label("待答复", "Waits for the provider", "warning"),
        "answered": Label("已答复，待处理", "Answered", "info"),
        "overdue": Label("答复逾期", "The answer is overdue", "error"),
        **BUYER["dispute_end"],
    },
    "sanction": {
        "proposed": Label("听取陈述中", "The party is heard", "warning"),
        "imposed": Label("生效", "Imposed", "error"),
        "dropped": Label("不予处理", "Dropped"),
        "appealed": Label("申诉中（仍有效）", "Appealed, in force", "warning"),
        "lifted": Label("已撤销", "Lifted", "success"),
    },
    "sanction_kind": {
        "warning": Label("警告", "Warning"),
        "suspension": Label("暂停创新券资格", "Suspension of voucher rights"),
        "exclusion": Label("取消计划资格", "Exclusion from a programme"),
    },
    "anomaly_severity": {
        "notice": Label("提示", "To know", "info"),
        "warning": Label("警示", "Warning", "warning"),
        "blocking": Label("暂停付款", "Blocks payment", "error"),
    },
    "anomaly_event": {
        "found": Label("发现", "Found"),
        "evidence_changed": Label("证据有变化", "The evidence changed"),
        "reopened": Label("重新打开", "Reopened"),
        "assigned": Label("指派", "Assigned"),
        "needs_information": Label("要求补充材料", "More was asked for"),
        "answered": Label("已答复", "Answered"),
        "confirmed": Label("属实", "Confirmed"),
        "dismissed": Label("排除", "Dismissed"),
    },
    "notice": {
        "info": Label("通知", "Notice", "info"),
        "warning": Label("提醒", "Warning", "warning"),
        "critical": Label("紧急", "Critical", "error"),
    },
    "statement_format": {
        "table": Label("表格（CSV、Excel）", "Table (CSV, Excel)"),
    },
    "notice_state": {
        "shown": Label("展示中", "Shown now", "success"),
        "planned": Label("待展示", "To come", "info"),
        "over": Label("已到期", "Over"),
        "withdrawn": Label("已撤回", "Withdrawn"),
    },
    "person": {
        "active": Label("正常", "Active", "success"),
        "locked": Label("暂时锁定", "Locked for now", "warning"),
        "disabled": Label("已停用", "Sign-in ended", "error"),
        "no-role": Label("未授角色", "Without a role", "warning"),
    },
    "job": {
        "done": Label("完成", "Done", "success"),
        "running": Label("运行中", "Running", "info"),
        "failed": Label("失败", "Failed", "error"),
        "never": Label("未运行", "Never ran"),
    },
    "job_name": {
        "booking.expire_requests": Label("释放逾期未答的预约", "Let go of unanswered requests"),
        "booking.mark_no_shows": Label("标记爽约", "Mark no-shows"),
        "booking.close_forgotten_sessions": Label("关闭忘记结束的上机", "Close forgotten sessions"),
        "booking.remind_of_expiry": Label("提醒上机资格到期", "Remind of qualifications that end"),
        "booking.draft_statements": Label("起草月度机时表", "Draft statements of machine-hours"),
        "booking.hand_on": Label("候补时段递补", "Hand free time on to who waits"),
        "booking.sweep_strikes": Label("补记违约", "Give strikes that are due"),
        "booking.fetch_outside_times": Label("抓取外部日历", "Fetch outside calendars"),
        "booking.follow_waiting_readings": Label(
            "跟进待匹配的仪器日志", "Follow readings that wait"
        ),
        "lapse_holds": Label("释放到期冻结款", "Let holds lapse"),
        "seal_entries": Label("分录封存", "Seal journal entries"),
        "credit.remind_of_debts": Label("催收提醒", "Remind of debts"),
        "match_open_lines": Label("自动对账", "Match open bank lines"),
        "reconciliation.remove_orphans": Label(
            "清理对账残留文件", "Remove leftover statement files"
        ),
        "rewards.open_use_reports": Label("发起奖励使用报告", "Ask for reports on rewards"),
        "rewards.remind_of_use_reports": Label("提醒奖励使用报告", "Remind of reports on rewards"),
        "rewards.remove_orphans": Label("清理奖励报告残留文件", "Remove leftover report files"),
        "propose_who_waits": Label("轮候申请递补", "Propose who is next in line"),
        "return_unspent_budgets": Label("退回未用预算", "Return unspent budgets"),
        "remove_orphan_voucher_documents": Label(
            "清理申请残留文件", "Remove leftover application files"
        ),
        "reconcile_programmes": Label("创新券账实核对", "Compare vouchers with the ledger"),
        "run_guards": Label("查找异常", "Look for anomalies"),
        "dry_runs": Label("规则试算", "Dry runs of rules"),
        "expire_vouchers": Label("到期券回收", "Expire vouchers"),
        "orders.accept_reviewed": Label("逾期自动验收", "Accept orders after review"),
        "orders.remind_disputes": Label("提醒争议答复", "Remind of disputes"),
        "orders.remove_evidence_orphans": Label("清理证据残留文件", "Remove leftover evidence"),
        "orders.expire_unanswered": Label("取消无人应答的订单", "End unanswered orders"),
        "orders.lapse_proposals": Label("改期提议失效", "Let proposals lapse"),
        "orders.remove_orphans": Label("清理结果残留文件", "Remove leftover results"),
        "orders.lapse_enquiries": Label("询价失效", "Let enquiries lapse"),
        "orders.look_through_searches": Label("检查订阅的检索", "Look through saved searches"),
        "orders.remove_enquiry_orphans": Label("清理询价附件残留", "Remove leftover attachments"),
        "closing.verify_ledger": Label("重算总账", "Verify the ledger"),
        "closing.build_packs": Label("生成审计包", "Build audit packs"),
        "closing.remove_orphan_parts": Label("清理审计包残留", "Remove leftover parts of packs"),
        "forget_idempotency_keys": Label("清理防重键", "Forget idempotency keys"),
    },
}
