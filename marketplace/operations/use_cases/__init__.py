"""The verbs of running the platform: publish a notice, withdraw it, send a message again."""

from marketplace.operations.rules.notices import NoticeState, Severity
from marketplace.operations.use_cases.messages import retry_message
from marketplace.operations.use_cases.notices import (
    PublishNotice,
    WithdrawNotice,
    publish_notice,
    withdraw_notice,
)

__all__ = [
    "NoticeState",
    "PublishNotice",
    "Severity",
    "WithdrawNotice",
    "publish_notice",
    "retry_message",
    "withdraw_notice",
]
