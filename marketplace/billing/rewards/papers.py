"""A legal entity's rewards of a year as a paper: Chinese first, English beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marketplace.billing.rewards import queries
from marketplace.kernel.db import Tx
from marketplace.kernel.documents import Column, Paper
from marketplace.kernel.money import yuan
from marketplace.kernel.time import SHANGHAI
from marketplace.parties import queries as parties

# At most so many units stand on a paper; a legal entity has fewer.
UNITS_MAX = 2_000
# Where the policy leaves a number open, no clause can be named.
LEFT_OPEN = "J.gap"
LEFT_OPEN_TOLD = "政策未定，按惯例 left open; by practice"
TITLE = "开放共享服务奖励对账单 Statement of rewards"
GRADES = {
    "excellent": "优秀 excellent",
    "good": "良好 good",
    "qualified": "合格 qualified",
    "unqualified": "不合格 unqualified",
    None: "未评级 none",
}
BOUND_BY = {
    "share-cap": "比例上限 share cap",
    "instrument": "单台仪器上限 instrument cap",
    "unit": "单位上限 unit cap",
    "legal-entity": "法人上限 legal entity cap",
    "use-report": "待报使用情况 report on use owed",
    "budget": "预算 budget",
}
COUNTS = {
    "voucher-orders": "使用创新券的订单 orders paid partly by voucher",
    "all-orders": "全部订单 all orders",
}


@dataclass(frozen=True, slots=True)
class RunOfEntity:
    """A run with what it paid the legal entity and each of its units."""

    run: queries.RewardRun
    entity: queries.EntityShare
    units: Sequence[queries.RewardShare]


@dataclass(frozen=True, slots=True)
class EntityRewards:
    """Everything that stands on the paper."""

    entity: parties.LegalEntity
    statement: queries.EntityStatement
    runs: Sequence[RunOfEntity]
    names: Mapping[int, str]
    made_at: datetime


async def entity_rewards(tx: Tx, asked: queries.EntityYear) -> EntityRewards:
    """A legal entity's year with the arithmetic of every unit; its own providers may ask, too.

    Raises:
        Missing: when the legal entity is another one's.

    Policy: J.30a, J.30b
    """
    statement = await queries.entity_statement(tx, asked)
    shares = await queries.shares_of_entity(tx, asked, limit=UNITS_MAX)
    runs = await queries.runs_of_year(tx, asked.year)
    found = await parties.organisations(tx, {each.provider_id for each in shares})
    return EntityRewards(
        entity=await parties.legal_entity(tx, asked.legal_entity_id),
        statement=statement,
        runs=[
            RunOfEntity(run, entity, [each for each in shares if each.run_id == entity.run_id])
            for entity in statement.shares
            for run in runs
            if run.id == entity.run_id
        ],
        names={each.id: each.name for each in found.values()},
        made_at=tx.now,
    )


async def statement_of_entity(tx: Tx, asked: queries.EntityYear) -> bytes:
    """The statement as PDF, to print, to sign and to send."""
    return statement_paper(await entity_rewards(tx, asked))


def statement_paper(found: EntityRewards) -> bytes:
    """The paper: the year under its cap, then every run with its arithmetic."""
    of, year = found.entity, found.statement.year
    paper = Paper(TITLE, made_at=found.made_at, foot=f"{TITLE} · {of.name} · {year}")
    cap_fen = found.statement.cap_fen
    paper.facts(
        [
            ("法人单位 Legal entity", f"{of.name} {of.name_en}".strip()),
            ("统一社会信用代码 Credit code", of.uscc),
            ("年度 Year", str(year)),
            ("已付奖励 Paid", yuan(found.statement.paid_fen)),
            ("法人年度上限 Cap of the year", "—" if cap_fen is None else yuan(cap_fen)),
            ("其中已追回 Asked back", yuan(found.statement.clawed_back_fen)),
            ("更正后多付 Overpaid", yuan(found.statement.overpaid_fen)),
            (
                "生成时间 Made at",
                found.made_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"),
            ),
        ]
    )
    for each in found.runs:
        _run(paper, each, found.names)
    if not found.runs:
        paper.paragraph("本年度没有奖励。 No rewards in this year.")
    paper.paragraph(
        "金额单位：人民币元。服务总额×费率得出应得奖励，先受单台仪器和单位上限，再合并受法人上限；"
        "扣除此前已付，超出预算按比例减少，按最大余数分到各单位，合计到分。",
        quiet=True,
    )
    paper.paragraph(
        "Amounts in CNY. Services × rate, under the caps of instruments and units, then the sum "
        "under the legal entity's cap; less what was paid before, pro rata of a budget, split by "
        "largest remainder to the fen.",
        quiet=True,
    )
    return paper.pdf()


def _run(paper: Paper, of: RunOfEntity, names: Mapping[int, str]) -> None:
    run, entity = of.run, of.entity
    paper.heading(
        f"{run.year} 年第 {run.sequence} 次，计至 {run.through} "
        f"Run {run.sequence}, through {run.through}"
    )
    paper.facts(
        [
            ("计入的服务 Services that count", COUNTS[run.terms["base_counts"]["value"]]),
            ("服务总额 Services", yuan(entity.service_total_fen)),
            ("应得 Earned", yuan(entity.entitled_fen)),
            ("上限内 Under the cap", yuan(entity.capped_fen)),
            ("此前已付 Paid before", yuan(entity.paid_before_fen)),
            ("暂缓 Held back", yuan(entity.held_fen)),
            ("应付 Due", yuan(entity.claimed_fen)),
            ("本次奖励 Paid by this run", yuan(entity.amount_fen)),
            ("依据 Sources", _sources(run.terms)),
        ]
    )
    paper.table(
        [
            Column("单位 Unit", 32),
            Column("服务总额 Services", 25, "RIGHT"),
            Column("等级 Grade", 18),
            Column("费率 Rate", 11, "RIGHT"),
            Column("应得 Earned", 23, "RIGHT"),
            Column("此前已付 Paid before", 22, "RIGHT"),
            Column("奖励 Reward", 22, "RIGHT"),
            Column("受限于 Lowered by", 27),
        ],
        [_unit(each, names) for each in of.units],
        total=[
            "合计 Sum",
            yuan(sum(each.service_total_fen for each in of.units)),
            "",
            "",
            "",
            yuan(sum(each.paid_before_fen for each in of.units)),
            yuan(sum(each.amount_fen for each in of.units)),
            "",
        ],
    )


def _unit(share: queries.RewardShare, names: Mapping[int, str]) -> list[str]:
    # Drafted before extra caps were counted, a share has no list of them.
    bound_by = share.arithmetic.get("bound_by", [])
    return [
        names.get(share.provider_id, ""),
        yuan(share.service_total_fen),
        GRADES[share.grade] if share.rate_class == "graded" else "按单位性质 by kind of body",
        f"{share.rate_basis_points / 100:g} %",
        yuan(int(share.arithmetic["unit"]["earned"]) // 10_000),
        yuan(share.paid_before_fen),
        yuan(share.amount_fen),
        "、".join(BOUND_BY[each] for each in bound_by) or "—",
    ]


def _sources(terms: Mapping[str, Any]) -> str:
    named = {term["source"] for term in terms.values()}
    told = sorted(named - {LEFT_OPEN})
    return ", ".join([*told, LEFT_OPEN_TOLD] if LEFT_OPEN in named else told)
