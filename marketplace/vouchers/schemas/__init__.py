"""What goes over the wire for vouchers."""

from marketplace.vouchers.schemas.answers import (
    ApplicationOut,
    ApprovalOut,
    CheckOut,
    ClaimNoticeOut,
    ClaimOut,
    ClaimPageOut,
    DecidedOut,
    EligibilityOut,
    EvidenceOut,
    ProgrammeOut,
    ProgrammePageOut,
    RedemptionOut,
    WalletVoucherOut,
)
from marketplace.vouchers.schemas.parts import LayerPartOut, VoucherPartOut
from marketplace.vouchers.schemas.requests import (
    ApplicationIn,
    ClaimIn,
    DecisionIn,
    EvidenceIn,
    LeaveOutIn,
    ProgrammeIn,
    ReasonIn,
    SpotCheckIn,
)

__all__ = [
    "ApplicationIn",
    "ApplicationOut",
    "ApprovalOut",
    "CheckOut",
    "ClaimIn",
    "ClaimNoticeOut",
    "ClaimOut",
    "ClaimPageOut",
    "DecidedOut",
    "DecisionIn",
    "EligibilityOut",
    "EvidenceIn",
    "EvidenceOut",
    "LayerPartOut",
    "LeaveOutIn",
    "ProgrammeIn",
    "ProgrammeOut",
    "ProgrammePageOut",
    "ReasonIn",
    "RedemptionOut",
    "SpotCheckIn",
    "VoucherPartOut",
    "WalletVoucherOut",
]
