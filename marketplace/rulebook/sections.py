"""The numbers a province decides, by domain. Bounds here are what no province may exceed.

The field names are what `rulebook show` prints; the rule that reads a term is named beside it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from marketplace.rulebook.terms import Schedule, Section

Percent = Annotated[int, Field(ge=0, le=100)]
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]
Fen = Annotated[int, Field(ge=0, le=10**13)]
Minutes = Annotated[int, Field(ge=0, le=60 * 24 * 366)]
Days = Annotated[int, Field(ge=0, le=3660)]
Moves = Annotated[int, Field(ge=0, le=100)]
AnswerMinutes = Annotated[int, Field(ge=1, le=60 * 24 * 31)]
Times = Annotated[int, Field(ge=1, le=100)]
SomeDays = Annotated[int, Field(ge=1, le=3660)]
WastePercent = Annotated[int, Field(ge=100, le=10_000)]
AutoMatchScore = Annotated[int, Field(ge=80, le=100)]
Years = Annotated[int, Field(ge=1, le=10)]
Headcount = Annotated[int, Field(ge=0, le=1_000_000)]
Hours = Annotated[int, Field(ge=1, le=8784)]
Uscc = Annotated[str, Field(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$")]
ReminderDays = Annotated[
    tuple[Annotated[int, Field(ge=-60, le=365)], ...], Field(min_length=1, max_length=20)
]

Grade = Literal["excellent", "good", "qualified", "unqualified"]
UpkeepPurpose = Literal["maintenance", "test_run"]
MaskedField = Literal["applicant", "applicantPhone", "applicantEmail"]
EvidenceKind = Literal[
    "contract",
    "invoice",
    "payment-proof",
    "result",
    "usage-log",
    "provider-qualification",
    "service-confirmation",
    "service-rating",
]


class Frozen(BaseModel):
    """A structured value inside a term."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RateByGrade(Frozen):
    """Reward rate in basis points for each grade of the year's evaluation, and without one."""

    excellent: BasisPoints
    good: BasisPoints
    qualified: BasisPoints
    unqualified: BasisPoints
    ungraded: BasisPoints = 0

    def of(self, grade: str) -> int:
        """The rate of `grade`; an unknown grade earns nothing."""
        return int(getattr(self, grade, 0))


class FlatRates(Frozen):
    """Rates of bodies that earn by what they are and not by their grade.

    `social_capital` is for owners that no treasury funds, `special_units` for the legal entities
    that `special_usccs` lists by their credit codes. What is absent earns by its grade.
    """

    social_capital: BasisPoints | None = None
    special_units: BasisPoints | None = None
    special_usccs: tuple[Uscc, ...] = ()


class ExtraCaps(Frozen):
    """Caps of a calendar year beside that of the legal entity: of one instrument, of one unit."""

    per_instrument_fen: Fen | None = None
    per_unit_fen: Fen | None = None


class RewardedServices(Frozen):
    """Which services count: to whom, and by instruments of which worth at the least."""

    buyers: Literal["all", "companies"] = "all"
    instrument_worth_fen: Fen = 0


class GradeThresholds(Frozen):
    """Lowest score (0–100) of each grade; below `qualified` is unqualified."""

    excellent: Annotated[int, Field(ge=0, le=100)]
    good: Annotated[int, Field(ge=0, le=100)]
    qualified: Annotated[int, Field(ge=0, le=100)]

    @model_validator(mode="after")
    def _fall(self) -> GradeThresholds:
        if not self.excellent > self.good > self.qualified:
            raise ValueError("a better grade needs a higher score")
        return self


class IndexWeights(Frozen):
    """Weights of the evaluation index, in percent; they sum to 100."""

    resource_integration: Percent
    resource_quality: Percent
    talent_team: Percent
    use_and_contribution: Percent
    landmark_services: Percent
    external_service_volume: Percent
    rules_and_practice: Percent
    support: Percent

    @model_validator(mode="after")
    def _sum(self) -> IndexWeights:
        if sum(self.model_dump().values()) != 100:
            raise ValueError("the weights must sum to 100")
        return self


class ApprovalLimits(Frozen):
    """Up to which amount each role drafts, and approves, what goes to the bank in one file."""

    finance_maker: Fen
    finance_checker: Fen
    administrator: Fen


class RatioStep(Frozen):
    """Voucher ratio for the part of a service amount up to `up_to_fen` (None: without end)."""

    up_to_fen: Fen | None = None
    ratio_basis_points: BasisPoints


class Layer(Frozen):
    """One funder of a voucher programme and the part of the service amount it takes over."""

    funder: Literal["province", "city", "zone"]
    ratio_basis_points: BasisPoints


class ProvinceSection(BaseModel):
    """Which province, and what its officers call the rulebook."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=r"^[a-z_]{2,30}$")
    name: str
    name_en: str
    region_code: str = Field(pattern=r"^\d{2}$|^00$")


class CatalogueSection(Section):
    """Read by `catalogue.rules`."""

    must_open_worth_fen: Schedule[Fen]
    listing_working_days: Schedule[Days]


class BookingSection(Section):
    """Read by `booking.rules`; an instrument's own booking rule may be narrower."""

    step_minutes: Schedule[Minutes]
    minimum_minutes: Schedule[Minutes]
    maximum_minutes: Schedule[Minutes]
    notice_minutes: Schedule[Minutes]
    sample_notice_minutes: Schedule[Minutes]
    horizon_days: Schedule[Days]
    hold_minutes: Schedule[Minutes]
    early_start_minutes: Schedule[Minutes]
    no_show_after_minutes: Schedule[Minutes]
    late_cancel_minutes: Schedule[Minutes]
    late_cancel_fee_basis_points: Schedule[BasisPoints]
    no_show_fee_basis_points: Schedule[BasisPoints]
    late_move_fee_basis_points: Schedule[BasisPoints]
    moves_per_order: Schedule[Moves]
    move_answer_minutes: Schedule[AnswerMinutes]
    session_limit_minutes: Schedule[Minutes]
    waitlist_entries_max: Schedule[Times]
    offer_minutes: Schedule[AnswerMinutes]
    offer_decide_minutes: Schedule[AnswerMinutes]
    offers_lapsed_max: Schedule[Times]
    strikes_limit: Schedule[Times]
    strike_valid_days: Schedule[SomeDays]
    suspension_days: Schedule[SomeDays]
    appeal_days: Schedule[SomeDays]
    strike_waste_percent: Schedule[WastePercent]
    strike_waste_minutes: Schedule[Minutes]
    overrun_step_minutes: Schedule[Minutes]
    overrun_tolerance_minutes: Schedule[Minutes]
    repair_days: Schedule[Days]
    repair_tolerance_minutes: Schedule[Minutes]
    qualification_reminder_days: Schedule[Days]
    quota_hours_general: Schedule[Hours]
    quota_hours_special: Schedule[Hours]
    quota_hours_national: Schedule[Hours]
    effective_upkeep: Schedule[tuple[UpkeepPurpose, ...]]
    statement_due_days: Schedule[Days]
    record_masks: Schedule[tuple[MaskedField, ...]]


class PricingSection(Section):
    """Read by `billing.pricing.rules`."""

    notice_working_days: Schedule[Days]
    # Purchases made with these funds may be recovered by depreciation.
    depreciation_funds: Schedule[tuple[str, ...]]
    free_purposes: Schedule[tuple[str, ...]]


class OrdersSection(Section):
    """Read by `orders.rules`."""

    quote_valid_days: Schedule[Days]
    review_window_days: Schedule[Days]
    dispute_answer_working_days: Schedule[Days]
    contract_clauses: Schedule[tuple[str, ...]]
    enquiry_answer_working_days: Schedule[SomeDays]
    enquiry_idle_days: Schedule[SomeDays]


class CreditSection(Section):
    """Read by `billing.credit.rules`."""

    limit_max_fen: Schedule[Fen]
    due_days_max: Schedule[SomeDays]
    valid_days_max: Schedule[SomeDays]
    # Days after the due day, before it where negative.
    reminder_days: Schedule[ReminderDays]
    block_after_days: Schedule[Days]


class BankingSection(Section):
    """Read by `billing.payouts.rules` and `billing.reconciliation.rules`."""

    approval_limits: Schedule[ApprovalLimits]
    # What a rule has to be sure of, in percent, to explain a line without a person.
    auto_match_score: Schedule[AutoMatchScore]
    # How long after its file was sent a payment may show without its reference.
    match_days: Schedule[SomeDays]
    # After that, one whose account, name and amount are its alone may still show for so long.
    late_match_days: Schedule[SomeDays]
    # What may be written off between a line and what it is for.
    tolerance_fen: Schedule[Fen]


class VoucherSection(Section):
    """Read by `vouchers.rules`."""

    layers: Schedule[tuple[Layer, ...]]
    ratio_steps: Schedule[tuple[RatioStep, ...]]
    cap_per_order_fen: Schedule[Fen]
    cap_per_sme_year_fen: Schedule[Fen]
    validity: Schedule[Literal["year-end", "months-3", "months-12"]]
    staff_max: Schedule[Headcount]
    sales_max_fen: Schedule[Fen]
    assets_max_fen: Schedule[Fen]
    common_control_basis_points: Schedule[BasisPoints]
    excluded_services: Schedule[tuple[str, ...]]
    spot_check_basis_points: Schedule[BasisPoints]
    notice_working_days: Schedule[Days]
    required_evidence: Schedule[tuple[EvidenceKind, ...]]


class RewardSection(Section):
    """Read by `billing.rewards.rules`."""

    share_cap_basis_points: Schedule[BasisPoints]
    cap_per_legal_entity_fen: Schedule[Fen]
    rate_by_grade: Schedule[RateByGrade]
    base_counts: Schedule[Literal["voucher-orders", "all-orders"]]
    services: Schedule[RewardedServices]
    flat_rates: Schedule[FlatRates]
    extra_caps: Schedule[ExtraCaps]
    # A run is in public notice for so long before it is paid; 0: no notice is asked for.
    notice_working_days: Schedule[Days]
    permitted_uses: Schedule[tuple[str, ...]]
    # A provider reports how it used a reward within so many days of its payment.
    use_report_days: Schedule[SomeDays]
    use_report_reminder_days: Schedule[ReminderDays]
    # Above this part used for other purposes a report is flagged.
    other_use_flag_basis_points: Schedule[BasisPoints]
    # What an overdue report does to its legal entity's rewards.
    overdue_use_report: Schedule[Literal["nothing", "held-back"]]


class EvaluationSection(Section):
    """Read by `evaluation.rules`."""

    weights: Schedule[IndexWeights]
    thresholds: Schedule[GradeThresholds]
    every_years: Schedule[Years]
    objection_working_days: Schedule[Days]
    instruments_per_technician: Schedule[Headcount]
    full_sharing_rate_basis_points: Schedule[BasisPoints]
