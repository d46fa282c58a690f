"""What the scheduler does for vouchers."""

from __future__ import annotations

from marketplace.kernel.actors import system_actor
from marketplace.kernel.db import Database, atomically
from marketplace.kernel.jobs import Job
from marketplace.kernel.storage import files, remove_orphans
from marketplace.vouchers.queries.reports import (
    ReconciliationAsked,
    reconciliation,
    require_no_difference,
)
from marketplace.vouchers.use_cases import (
    DOCUMENTS_AREA,
    ExpireVouchers,
    ProposeNext,
    ReturnBudgets,
    closed_programmes,
    expire_vouchers,
    named_files,
    programmes_with_a_line,
    propose_next,
    return_budgets,
)
from marketplace.vouchers.use_cases.dry_runs import work_dry_run
from marketplace.vouchers.use_cases.guards import RunDetectors, run_detectors


async def expire_due_vouchers(database: Database) -> int:
    """Expire every grant past its last day, a batch per transaction; how many have ended."""
    actor = system_actor("job:expire_vouchers")
    done, after = 0, 0
    while True:
        expired = await atomically(
            database, expire_vouchers, ExpireVouchers(after=after), actor=actor
        )
        done += expired.grants
        if expired.last is None:
            return done
        after = expired.last


async def run_guards(database: Database) -> int:
    """Look for anomalies in what is new since the last run; how many are new."""
    actor = system_actor("job:run_guards")
    run = await atomically(database, run_detectors, RunDetectors(), actor=actor)
    return run.found


async def work_dry_runs(database: Database) -> int:
    """Work off every dry run that waits; how many."""
    done = 0
    while await work_dry_run(database) is not None:
        done += 1
    return done


async def reconcile_programmes(database: Database) -> int:
    """Compare the programmes' tables with the ledger; how many sums agree.

    Raises:
        AccountsDiffer: with every sum that does not.
    """
    actor = system_actor("job:reconcile_programmes")
    compared = await atomically(database, reconciliation, ReconciliationAsked(), actor=actor)
    require_no_difference(compared)
    return len(compared)


async def propose_who_waits(database: Database) -> int:
    """Put the next in line of every programme before the officers; how many."""
    actor = system_actor("job:propose_who_waits")
    done = 0
    for programme_id in await atomically(database, programmes_with_a_line, None, actor=actor):
        turns = await atomically(database, propose_next, ProposeNext(programme_id), actor=actor)
        done += len(turns)
    return done


async def return_unspent_budgets(database: Database) -> int:
    """Return what came back to the budgets of closed programmes; how many programmes."""
    actor = system_actor("job:return_unspent_budgets")
    done = 0
    for programme_id in await atomically(database, closed_programmes, None, actor=actor):
        command = ReturnBudgets(programme_id)
        done += bool(await atomically(database, return_budgets, command, actor=actor))
    return done


async def remove_orphan_documents(database: Database) -> int:
    """Remove files of applications older than a day that no row names."""
    return await remove_orphans(database, files(), DOCUMENTS_AREA, named_files)


JOBS: list[Job] = [
    Job(
        name="propose_who_waits",
        cron="*/10 * * * *",
        run=propose_who_waits,
        about="Proposes the next applications in line where a budget has money again.",
    ),
    Job(
        name="return_unspent_budgets",
        cron="40 0 * * *",
        run=return_unspent_budgets,
        about="Returns what came back to the budgets of closed programmes to the appropriation.",
    ),
    Job(
        name="remove_orphan_voucher_documents",
        cron="50 3 * * *",
        run=remove_orphan_documents,
        about="Removes files of applications older than a day that an upload left without a row.",
    ),
    Job(
        name="reconcile_programmes",
        cron="50 * * * *",
        run=reconcile_programmes,
        about="Compares budgets, holds and use of voucher programmes with the ledger; fails if"
        " they differ.",
    ),
    Job(
        name="run_guards",
        cron="40 1 * * *",
        run=run_guards,
        about="Looks for anomalies in what vouchers paid since the last run.",
    ),
    Job(
        name="dry_runs",
        cron="* * * * *",
        run=work_dry_runs,
        about="Reckons what changed terms would have made of a programme's past orders.",
    ),
    Job(
        name="expire_vouchers",
        cron="1 0 * * *",
        run=expire_due_vouchers,
        about="Returns what is left of vouchers past their last day to their programmes' budgets.",
    ),
]
