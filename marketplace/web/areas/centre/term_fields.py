"""The terms of a programme as fields of a form: what each is called, and how it is typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Names = tuple[tuple[str, str, str], ...]
"""Values that may be chosen, each with its Chinese and English name."""

YES_OR_NO: Final[Names] = (("yes", "是", "Yes"), ("no", "否", "No"))
FUNDERS: Final[Names] = (
    ("province", "省级", "Province"),
    ("city", "市县", "City"),
    ("zone", "高新区", "Zone"),
)
FIRST_USE: Final[Names] = (
    ("yes", "首次用券", "First use only"),
    ("no", "非首次", "Later uses only"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: a term, or a column of a term with rows.

    `kind`: money, count, percent, words, boxes, choice, flag, day or validity.
    """

    name: str
    kind: str
    chinese: str
    english: str
    needed: bool = False
    choices: Names = ()
    hint: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Rows:
    """A term that is a list: a row for each entry, and empty ones to add to it."""

    name: str
    chinese: str
    english: str
    cells: tuple[Cell, ...]
    hint: tuple[str, str] = ("", "")
    single: bool = False
    """The term is one such entry, not a list of them."""
    numbered: str = ""
    """The entry's number, given by its place."""
    sourced: bool = True
    """Each entry names its own clause."""


@dataclass(frozen=True, slots=True)
class Group:
    """Terms that belong together."""

    chinese: str
    english: str
    cells: tuple[Cell, ...] = ()
    tables: tuple[Rows, ...] = ()


_WORDS = ("用空格或逗号分开；留空为不限", "apart by blanks or commas; empty: any")
_REGIONS = ("六位地区代码；留空为不限", "codes of six digits; empty: any")

MONEY = Group(
    "抵扣多少",
    "How much",
    (
        Cell(
            "cap_per_order_fen",
            "money",
            "每单上限（元）",
            "Cap for one order, CNY",
            hint=("各层合计；留空为不封顶", "all layers together; empty: none"),
        ),
        Cell(
            "cap_per_sme_year_fen",
            "money",
            "每家企业每年上限（元）",
            "Cap for an SME and year, CNY",
            hint=("每层；留空为不封顶", "of each layer; empty: none"),
        ),
        Cell("minimum_order_fen", "money", "最低订单金额（元）", "Least order, CNY"),
        Cell("round_to_fen", "money", "向下取整到（元）", "Rounded down to, CNY"),
        Cell(
            "face_value_fen",
            "money",
            "券面额（元）",
            "Face value, CNY",
            hint=("整张使用；留空为额度制", "used whole; empty: a quota of money"),
        ),
        Cell("face_vouchers_max", "count", "最多张数", "Vouchers at most"),
        Cell(
            "steps_over",
            "choice",
            "阶梯按",
            "Steps count over",
            choices=(("order", "每单", "each order"), ("sme-year", "企业全年", "the SME's year")),
        ),
    ),
    (
        Rows(
            "ratio_steps",
            "阶梯比例",
            "Steps of the ratio",
            (
                Cell("up_to_fen", "money", "至（元）", "Up to, CNY"),
                Cell(
                    "ratio_basis_points",
                    "percent",
                    "取各层比例的（%）",
                    "Of the layers' ratio, %",
                    needed=True,
                ),
            ),
            hint=("最后一档留空金额即不封顶", "the last step has no end"),
            sourced=False,
        ),
        Rows(
            "rates",
            "差别比例",
            "Rates that differ",
            (
                Cell("ratio_basis_points", "percent", "比例（%）", "Ratio, %", needed=True),
                Cell("funder", "choice", "出资方", "Funder", choices=FUNDERS),
                Cell("service_kinds", "words", "服务类型", "Kinds of service"),
                Cell("buyer_regions", "words", "企业地区", "Regions of SMEs"),
                Cell("provider_regions", "words", "仪器地区", "Regions of providers"),
                Cell("beneficiaries", "words", "受益对象", "Beneficiaries"),
                Cell("first_use", "flag", "首次", "First use", choices=FIRST_USE),
            ),
            hint=("第一条符合的代替该层比例", "the first that fits takes the place of the layer's"),
        ),
        Rows(
            "caps",
            "其他封顶",
            "More caps",
            (
                Cell(
                    "scope",
                    "choice",
                    "按",
                    "Over",
                    needed=True,
                    choices=(
                        ("order", "每单", "an order"),
                        ("person", "每名受训人", "a person trained"),
                        ("application", "每次申请", "an application"),
                        ("grant", "每张券", "a voucher"),
                        ("held", "持有未用", "held at a time"),
                        ("sme-year", "企业全年", "the SME's year"),
                        ("group-year", "集团全年", "the group's year"),
                        ("instrument-year", "仪器全年", "the instrument's year"),
                    ),
                ),
                Cell("amount_fen", "money", "上限（元）", "At most, CNY", needed=True),
                Cell("funder", "choice", "出资方", "Funder", choices=FUNDERS),
                Cell("beneficiaries", "words", "受益对象", "Beneficiaries"),
                Cell("first_use", "flag", "首次", "First use", choices=FIRST_USE),
                Cell("service_kinds", "words", "服务类型", "Kinds of service"),
            ),
            hint=(
                "只有每单和每名受训人的封顶可限服务类型",
                "only caps of an order or a person are for some kinds of service",
            ),
        ),
    ),
)
WHO = Group(
    "谁、用于什么",
    "Who, and for what",
    (
        Cell("staff_max", "count", "职工上限（人）", "Staff at most", needed=True),
        Cell("sales_max_fen", "money", "年销售收入上限（元）", "Sales at most, CNY", needed=True),
        Cell("assets_max_fen", "money", "资产总额上限（元）", "Assets at most, CNY", needed=True),
        Cell(
            "common_control_basis_points",
            "percent",
            "视为关联的持股比例（%）",
            "Affiliated from a share of, %",
            needed=True,
        ),
        Cell(
            "service_kinds", "words", "支持的服务类型", "Kinds of service that count", hint=_WORDS
        ),
        Cell(
            "excluded_services",
            "words",
            "排除的服务类型",
            "Kinds that never count",
            hint=("用空格或逗号分开", "apart by blanks or commas"),
        ),
        Cell("buyer_regions", "words", "企业所在地区", "Regions of SMEs", hint=_REGIONS),
        Cell("provider_regions", "words", "仪器所在地区", "Regions of providers", hint=_REGIONS),
        Cell(
            "instrument_categories",
            "words",
            "支持的仪器类别",
            "Classes of instruments that count",
            hint=("分类代码或其开头，留空即不限", "codes or their beginnings; empty: any"),
        ),
        Cell(
            "instrument_worth_min_fen",
            "money",
            "仪器原值下限（元）",
            "Instruments worth at least, CNY",
        ),
    ),
)
WHEN = Group(
    "期限",
    "When",
    (
        Cell(
            "validity",
            "validity",
            "券有效期",
            "A voucher is valid",
            needed=True,
            choices=(
                ("year-end", "至当年年底", "until the year's end"),
                ("months-3", "发放后 3 个月", "3 months from its grant"),
                ("months-6", "发放后 6 个月", "6 months from its grant"),
                ("months-12", "发放后 12 个月", "12 months from its grant"),
                ("programme-end", "至政策结束", "until the programme ends"),
                ("day", "至指定日期", "until the day beside"),
            ),
        ),
        Cell("ends_on", "day", "政策结束日", "The programme ends on"),
        Cell(
            "claim_every",
            "choice",
            "兑付周期",
            "Claims every",
            choices=(
                ("month", "每月", "month"),
                ("quarter", "每季", "quarter"),
                ("half-year", "每半年", "half-year"),
                ("year", "每年", "year"),
            ),
        ),
    ),
    (
        Rows(
            "services_within",
            "服务期间",
            "Services ordered within",
            (
                Cell("opens_on", "day", "从", "From", needed=True),
                Cell("closes_on", "day", "到", "Until", needed=True),
            ),
            single=True,
        ),
        Rows(
            "invoices_within",
            "发票日期",
            "Invoices dated within",
            (
                Cell("opens_on", "day", "从", "From", needed=True),
                Cell("closes_on", "day", "到", "Until", needed=True),
            ),
            hint=("留空即不限", "none: any day"),
            single=True,
        ),
        Rows(
            "payments_within",
            "付款日期",
            "Payments made within",
            (
                Cell("opens_on", "day", "从", "From", needed=True),
                Cell("closes_on", "day", "到", "Until", needed=True),
            ),
            hint=("留空即不限", "none: any day"),
            single=True,
        ),
        Rows(
            "batches",
            "申请批次",
            "Rounds of applications",
            (
                Cell("opens_on", "day", "从", "From", needed=True),
                Cell("closes_on", "day", "到", "Until", needed=True),
                Cell("amount_fen", "money", "最多发放（元）", "Grants at most, CNY"),
            ),
            hint=("留空为整个申请期都可申请", "none: any day of the programme"),
            numbered="number",
        ),
        Rows(
            "claim_windows",
            "兑付窗口",
            "Claims are taken",
            (
                Cell("opens_on", "day", "从", "From", needed=True),
                Cell("closes_on", "day", "到", "Until", needed=True),
            ),
        ),
    ),
)
HOW = Group(
    "办理",
    "How it is handled",
    (
        Cell("spot_check_basis_points", "percent", "抽查比例（%）", "Spot checks, %", needed=True),
        Cell(
            "notice_working_days",
            "count",
            "公示（工作日）",
            "Public notice, working days",
            needed=True,
        ),
        Cell("approvers", "count", "审批人数", "Persons who decide"),
        Cell("applications_per_year", "count", "每年申请次数", "Applications a year"),
        Cell("resubmissions", "count", "更正次数", "Corrections of a refused line"),
        Cell(
            "required_evidence",
            "boxes",
            "兑付所需凭证",
            "Evidence of a claim",
            needed=True,
            choices=(
                ("contract", "合同", "contract"),
                ("invoice", "发票", "invoice"),
                ("payment-proof", "付款凭证", "proof of payment"),
                ("result", "结果", "result"),
                ("usage-log", "上机记录", "record of use"),
                ("provider-qualification", "服务机构资质", "provider's qualification"),
                ("service-confirmation", "线上服务确认", "online confirmation"),
                ("service-rating", "线上服务评价", "online rating"),
            ),
        ),
        Cell("application_documents", "words", "申请材料", "Documents of an application"),
        Cell("local_audit", "flag", "先由地方审核", "Audited locally first", choices=YES_OR_NO),
        Cell("oldest_first", "flag", "先用旧券", "Oldest voucher first", choices=YES_OR_NO),
        Cell(
            "refund_restores_voucher",
            "flag",
            "退款后可再用",
            "A refund may be spent again",
            choices=YES_OR_NO,
        ),
        Cell(
            "returns_free_caps",
            "flag",
            "退回释放额度",
            "What returns frees caps",
            choices=YES_OR_NO,
        ),
        Cell(
            "clawback_frees_caps",
            "flag",
            "追回释放额度",
            "What is clawed back frees caps",
            choices=YES_OR_NO,
        ),
    ),
    (
        Rows(
            "waiting_first",
            "轮候优先",
            "Who comes first of those that wait",
            (
                Cell("founded_from", "day", "成立于此日或之后", "Founded on or after"),
                Cell("certificates", "words", "持有证明", "With certificates"),
            ),
            hint=("按行依次优先；都不符合的排在最后", "row by row; who meets none comes last"),
        ),
    ),
)
GROUPS: Final = (MONEY, WHO, WHEN, HOW)

STRUCTURED: Final[Names] = (
    ("beneficiaries", "受益对象", "Beneficiaries"),
    ("stacking", "与其他资金叠加", "With other money"),
    ("cost_split", "跨地区分担", "Cost split between regions"),
)
"""Terms within terms: typed as JSON, or uploaded as TOML."""

CELLS: Final = {cell.name: cell for group in GROUPS for cell in group.cells}
TABLES: Final = {table.name: table for group in GROUPS for table in group.tables}
TERM_NAMES: Final = {
    **{name: (each.chinese, each.english) for name, each in CELLS.items()},
    **{name: (each.chinese, each.english) for name, each in TABLES.items()},
    **{name: (chinese, english) for name, chinese, english in STRUCTURED},
    "layers": ("出资层", "Layers"),
    "redeemed_by": ("由谁兑付", "Who claims"),
    "source": ("改动依据", "The clause that says so"),
    "starts_on": ("生效日", "In force from"),
    "reason": ("为什么改", "Why"),
}
