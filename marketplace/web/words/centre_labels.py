"""Names of what the centre works with: versions, dry runs, notices, people, jobs."""

from __future__ import annotations

from typing import Final

from marketplace.web.words.naming import Label

CENTRE: Final[dict[str, dict[str, Label]]] = {
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
        "instrument-sharing": Label("仪器共享", "Instrument sharing"),
        "instrument-service": Label("仪器服务", "Services on instruments"),
        "research": Label("研究开发", "Research"),
        "testing": Label("检验检测", "Testing"),
        "pilot": Label("中试", "Pilot"),
        "proof-of-concept": Label("概念验证", "Proof of concept"),
        "computing": Label("算力", "Computing"),
        "": Label("未注明", "Not said"),
    },
    "notice": {
        "info": Label("通知", "Notice", "info"),
        "warning": Label("提醒", "Warning", "warning"),
        "critical": Label("紧急", "Critical", "error"),
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
}
