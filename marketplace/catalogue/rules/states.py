"""The words that an instrument's description may use, with what the national layout calls them."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where an instrument stands on the platform."""

    UNLISTED = "unlisted"
    """Entered by its provider, not yet visible."""
    LISTED = "listed"
    """Visible, and may be booked."""
    WITHDRAWN = "withdrawn"
    """Taken off the platform for a reason; may be listed again."""
    DISPOSED = "disposed"
    """At the end of its life; never comes back."""


class Kind(StrEnum):
    """通用 or 专用: the yearly quota of machine-hours differs."""

    GENERAL = "general"
    SPECIAL = "special"


class ShareMode(StrEnum):
    """Who may use it: the own unit, society, or nobody else."""

    INTERNAL = "internal"
    EXTERNAL = "external"
    NONE = "none"


class Funds(StrEnum):
    """Who paid for it."""

    CENTRAL = "central"
    LOCAL = "local"
    OWN = "own"
    OTHER = "other"


class Source(StrEnum):
    """How the unit came by it."""

    PURCHASED = "purchased"
    DEVELOPED = "developed"
    DONATED = "donated"
    OTHER = "other"


class Condition(StrEnum):
    """How well it works."""

    NORMAL = "normal"
    OCCASIONAL_FAULTS = "occasional-faults"
    FREQUENT_FAULTS = "frequent-faults"
    AWAITING_REPAIR = "awaiting-repair"
    AWAITING_DISPOSAL = "awaiting-disposal"


class Exemption(StrEnum):
    """Why a public instrument need not be open. Policy: N.5a, J.9."""

    NATIONAL_SECURITY = "national-security"
    SECRECY = "secrecy"
    OTHER_LAW = "other-law"


# The first label of each is what the national layout writes; the others are seen in files.
LABELS: dict[type[StrEnum], dict[StrEnum, tuple[str, ...]]] = {
    Kind: {Kind.GENERAL: ("通用", "通用仪器"), Kind.SPECIAL: ("专用", "专用仪器")},
    ShareMode: {
        ShareMode.INTERNAL: ("内部共享", "对内共享"),
        ShareMode.EXTERNAL: ("外部共享", "对外共享"),
        ShareMode.NONE: ("不共享",),
    },
    Funds: {
        Funds.CENTRAL: ("中央财政资金", "中央财政"),
        Funds.LOCAL: ("地方财政资金", "地方财政"),
        Funds.OWN: ("单位自有资金", "自有资金"),
        Funds.OTHER: ("其他资金", "其他"),
    },
    Source: {
        Source.PURCHASED: ("购置", "购买"),
        Source.DEVELOPED: ("研制", "自制"),
        Source.DONATED: ("赠送", "捐赠"),
        Source.OTHER: ("其他", "其它"),
    },
    Condition: {
        Condition.NORMAL: ("正常",),
        Condition.OCCASIONAL_FAULTS: ("偶有故障",),
        Condition.FREQUENT_FAULTS: ("故障频繁",),
        Condition.AWAITING_REPAIR: ("待修",),
        Condition.AWAITING_DISPOSAL: ("待报废",),
    },
    Exemption: {
        Exemption.NATIONAL_SECURITY: ("国家安全", "涉及国家安全"),
        Exemption.SECRECY: ("涉密", "保密"),
        Exemption.OTHER_LAW: ("法律法规另有规定", "其他法律规定"),
    },
}


def label(member: StrEnum) -> str:
    """What the national layout writes for `member`."""
    return LABELS[type(member)][member][0]


def members_by_label(words: type[StrEnum]) -> dict[str, StrEnum]:
    """Every spelling that means a member: its labels, and our own word for it."""
    spellings: dict[str, StrEnum] = {}
    for member, labels in LABELS[words].items():
        for spelling in (*labels, member.value):
            spellings[spelling] = member
    return spellings
