"""`marketplace demo`: build, live through the year, prove, serve."""

from __future__ import annotations

import asyncio
import shutil
import sys
from datetime import date
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from marketplace.demo.ahead import book_ahead
from marketplace.demo.build import YEAR, register_companies, register_providers, register_staff
from marketplace.demo.desks import leave_work
from marketplace.demo.finance import Finance
from marketplace.demo.plan import plan_province
from marketplace.demo.report import Proof, print_report, print_sign_ins
from marketplace.demo.today import eve_of, live_today
from marketplace.demo.tour import TOUR
from marketplace.demo.world import World
from marketplace.demo.year import Year
from marketplace.kernel.db import Database
from marketplace.kernel.embedded import EmbeddedPostgres
from marketplace.kernel.migrate import migrate_configured
from marketplace.kernel.observe import configure_logging
from marketplace.kernel.settings import Settings, settings
from marketplace.kernel.time import SetClock, SystemClock, shanghai_day, shanghai_instant, stopwatch
from marketplace.serving import serve_until_stopped
from marketplace.web.tour import Tour, write_tour


def run_demo(*, scale: str, seed: int, then_serve: bool, port: int | None, keep: bool) -> None:
    """Build a demo province in a database of its own and serve it.

    The demo's embedded server has its own folder, emptied first; `keep` builds into the configured
    database instead, which must be empty.
    """
    configured = settings()
    configure_logging(log_format=configured.log_format, level="WARNING")
    console = Console(width=None if sys.stdout.isatty() else 120)
    server: EmbeddedPostgres | None = None
    if not (keep and configured.database_url):
        folder = configured.data_folder / "demo"
        shutil.rmtree(folder, ignore_errors=True)
        server = EmbeddedPostgres(folder)
        owner = server.start()
        configured = configured.model_copy(
            update={
                "database_url": server.application_url,
                "migration_database_url": owner,
            }
        )
    try:
        proof, world = asyncio.run(build(configured, console, scale=scale, seed=seed))
        tour_file = configured.data_folder / "tour.json"
        ahead = world.clock.now() - SystemClock().now()
        write_tour(tour_file, Tour(TOUR, ahead_seconds=round(ahead.total_seconds())))
        changes: dict[str, Any] = {"port": port} if port else {}
        changes["tour_file"] = str(tour_file)
        wanted = configured.model_copy(update=changes)
        print_sign_ins(world, console, f"http://{wanted.host}:{wanted.port}")
        if not proof.holds:
            sys.exit(1)
        if then_serve:
            serve_until_stopped(wanted)
    finally:
        if server is not None:
            server.stop()


async def build(
    configured: Settings, console: Console, *, scale: str, seed: int
) -> tuple[Proof, World]:
    """Build the province, live its year, and print what came of it."""
    await asyncio.to_thread(migrate_configured, configured)
    clock = SetClock(shanghai_instant(date(YEAR, 1, 2), 8 * 60))
    database = Database(
        configured.database_url, statement_timeout_seconds=600, clock=clock, durable=False
    )
    world = World(database, clock)
    try:
        with stopwatch() as seconds:
            run_id, bank_fen = await _live(world, console, scale=scale, seed=seed)
            proof = await print_report(world, console, run_id=run_id, bank_fen=bank_fen)
            console.print(f"用时 Took {seconds():.0f} s")
        return proof, world
    finally:
        await database.close()


async def _live(world: World, console: Console, *, scale: str, seed: int) -> tuple[int, int]:
    plan = plan_province(scale=scale, seed=seed)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:>7,.0f} / {task.total:,.0f}"),
        TimeElapsedColumn(),
        console=console,
    ) as bars:
        staff = await register_staff(world)
        providers = bars.add_task("登记单位、导入仪器 Providers", total=len(plan.providers))
        await register_providers(world, plan, staff, lambda _, done: bars.advance(providers, done))
        companies = bars.add_task("登记企业 Companies", total=len(plan.companies))
        await register_companies(world, plan, lambda _, done: bars.advance(companies, done))
        finance = Finance(world, staff, plan)
        await finance.open_year()
        year = Year(world, staff, finance, orders=plan.scale.orders, seed=seed)
        steps = bars.add_task("过一年 The year", total=year.steps)
        await year.live(lambda _, done: bars.advance(steps, done))
        bars.update(steps, completed=year.steps)
        closing = bars.add_task("结账、评价、奖励 Closing", total=4)
        await finance.close_the_year()
        bars.advance(closing)
        await finance.evaluate()
        bars.advance(closing)
        run_id = await finance.reward()
        bars.advance(closing)
        today = shanghai_day(SystemClock().now())
        eve = eve_of(today)
        await finance.prepare_today(eve)
        await leave_work(world, staff, finance, plan, eve)
        await live_today(world, staff, today)
        await book_ahead(world, staff, today, seed)
        await world.deliver()
        bars.advance(closing)
    return run_id, finance.bank.balance_fen
