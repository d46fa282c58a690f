"""What a director would ask for, and the proof that the books balance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from rich.console import Console
from rich.table import Table

from marketplace.billing.ledger import queries as ledger
from marketplace.billing.ledger.rules.chart import AccountType
from marketplace.billing.reconciliation import queries as reconciliation
from marketplace.billing.rewards import queries as rewards
from marketplace.booking import queries as booking
from marketplace.demo.build import YEAR
from marketplace.demo.world import MAIL_DOMAIN, PASSWORD, World, facts_of, plain
from marketplace.kernel.money import yuan
from marketplace.kernel.time import During, shanghai_instant
from marketplace.web.figures import figures


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether the books balance, and against what that was checked."""

    trial_balance_fen: int
    bank_difference_fen: int
    problems: int

    @property
    def holds(self) -> bool:
        """Balanced to the fen in the ledger, with the bank, and by recomputation."""
        return not (self.trial_balance_fen or self.bank_difference_fen or self.problems)


async def print_report(world: World, console: Console, *, run_id: int, bank_fen: int) -> Proof:
    """Print the year in figures and prove it."""
    numbers = await world.ask(figures, None)
    hours = await _machine_hours(world)
    lines, explained = await _lines(world)
    table = Table(title=f"{YEAR} 年 · The year {YEAR}", title_justify="left", show_header=False)
    table.add_row("在册仪器 Instruments listed", plain(numbers.instruments))
    table.add_row("仪器原值 Original value, CNY", yuan(numbers.value_fen))
    table.add_row("管理单位 Providers", plain(numbers.providers))
    table.add_row("企业 Companies", plain(numbers.companies))
    for name, title in (
        ("place_order", "订单 Orders placed"),
        ("accept_order", "验收 Accepted by the buyer"),
        ("close_service", "上机 Sessions closed"),
        ("submit_claim", "兑付申请 Claims submitted"),
        ("instruct_settlements", "结算批次 Settlement runs"),
    ):
        table.add_row(title, plain(world.done[name]))
    table.add_row("有效机时 Effective machine-hours", plain(hours.effective // 60))
    table.add_row("对外机时 External machine-hours", plain(hours.external // 60))
    table.add_row("共享率 Sharing rate", f"{hours.external / max(1, hours.effective):.1%}")
    for of_type, title in (
        (AccountType.APPROPRIATION, "创新券预算 Voucher budget, CNY"),
        (AccountType.PROGRAMME_SPENT, "创新券抵扣 Vouchers used, CNY"),
    ):
        table.add_row(title, yuan(await _balance(world, of_type)))
    table.add_row("银行流水 Statement lines, explained", f"{lines:,}, {explained:,}")
    table.add_row("结账 Periods signed off by two persons", plain(world.done["approve_sign_off"]))
    for code, count in facts_of(world.refused)[:8]:
        table.add_row(f"被拒 Refused: {code}", plain(count))
    console.print(table)
    await _rewards(world, console, run_id)
    return await _proof(world, console, bank_fen)


@dataclass(frozen=True, slots=True)
class _Hours:
    """Minutes over all instruments."""

    effective: int
    external: int


async def _machine_hours(world: World) -> _Hours:
    year = During(shanghai_instant(date(YEAR, 1, 1)), shanghai_instant(date(YEAR + 1, 1, 1)))
    rows = await world.ask(booking.machine_minutes, booking.MachineMinutesAsked(period=year))
    return _Hours(
        effective=sum(row.effective_minutes for row in rows),
        external=sum(row.minutes for row in rows if row.purpose == "external"),
    )


async def _lines(world: World) -> tuple[int, int]:
    """How many statement lines there are, and how many of them are explained."""
    search = reconciliation.LineSearch
    _, every = await world.ask(reconciliation.statement_lines, search(page_size=1))
    _, explained = await world.ask(
        reconciliation.statement_lines, search(status="matched", page_size=1)
    )
    return every, explained


async def _balance(world: World, of_type: AccountType) -> int:
    return sum(one.posted_fen for one in await world.ask(ledger.balances, of_type))


async def _rewards(world: World, console: Console, run_id: int) -> None:
    run = await world.ask(rewards.run, run_id)
    table = Table(title="奖励 · Rewards", title_justify="left")
    for column in ("提供方 Provider", "服务总额 Services", "等级 Grade", "奖励 Reward"):
        table.add_column(column, justify="left" if column.startswith("提供") else "right")
    shares = await world.ask(rewards.shares, rewards.ShareSearch(run_id=run_id, page_size=10))
    names = {unit.organisation_id: unit.name for unit in world.units}
    for share in shares.results:
        table.add_row(
            names.get(share.provider_id, str(share.provider_id)),
            yuan(share.service_total_fen),
            str(share.grade or "-"),
            yuan(share.amount_fen),
        )
    table.add_row("合计 Total", "", "", yuan(run.total_fen), style="bold")
    console.print(table)


async def _proof(world: World, console: Console, bank_fen: int) -> Proof:
    today = world.today
    lines = await world.ask(ledger.trial_balance, today)
    table = Table(title=f"试算平衡 · Trial balance {today}", title_justify="left")
    for column in ("账 Ledger", "科目 Account", "借方 Debit", "贷方 Credit"):
        table.add_column(column, justify="right" if "D" in column or "C" in column else "left")
    total = 0
    for line in lines:
        signed = line.debit_fen - line.credit_fen
        total += signed
        table.add_row(
            line.ledger,
            line.type,
            yuan(signed) if signed > 0 else "",
            yuan(-signed) if signed < 0 else "",
        )
    console.print(table)
    report = await ledger.verify(world.database)
    balancing = await world.ask(reconciliation.balancing, reconciliation.BalancingAsked())
    proof = Proof(total, balancing.ledger_fen - bank_fen, len(report.problems))
    console.print(
        f"账簿平衡 The books balance: {'是 yes' if proof.holds else '否 NO'}"
        f" ({report.entries:,} entries, {report.postings:,} postings, {report.seals} seals;"
        f" bank {yuan(bank_fen)} CNY, difference {yuan(proof.bank_difference_fen)})"
    )
    return proof


def print_sign_ins(world: World, console: Console, address: str) -> None:
    """Who may sign in, and where."""
    table = Table(title="登录 · Sign in", title_justify="left")
    table.add_column("角色 Role")
    table.add_column("邮箱 E-mail")
    for role, name in (
        ("企业 SME buyer and administrator", "sme1"),
        ("管理单位 Provider manager", "provider1"),
        ("机组 Technician", "technician1"),
        ("财务经办 Finance maker", "finance-maker"),
        ("财务复核 Finance checker", "finance-checker"),
        ("创新券 Voucher officer", "voucher-officer"),
        ("评价 Evaluator", "evaluator"),
        ("专家 Expert", "expert"),
        ("审计 Auditor", "auditor"),
        ("管理员 Administrator", "administrator"),
    ):
        table.add_row(role, f"{name}@{MAIL_DOMAIN}")
    console.print(table)
    console.print(f"密码 Password for all: [bold]{PASSWORD}[/]")
    console.print(f"{address}  ·  API: {address}/schema")
