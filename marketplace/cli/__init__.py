"""The operator's commands: `marketplace --help`.

Exit codes: 0 done, 1 refused or found something wrong, 2 called wrongly, 130 interrupted.
Commands that a script would call take `--json` and then print one JSON document on standard output.
"""

from __future__ import annotations

import click

from marketplace import __version__
from marketplace.cli.data import instruments, ledger, organisation, rewards, user
from marketplace.cli.demo import demo
from marketplace.cli.doctor import doctor
from marketplace.cli.finance import closing, payouts, reconciliation
from marketplace.cli.policy import rulebook
from marketplace.cli.processes import migrate, serve, worker
from marketplace.cli.running import Operated
from marketplace.cli.vouchers import vouchers


@click.group(
    cls=Operated,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="marketplace")
def main() -> None:
    """Shared research instruments and innovation vouchers of a province.

    Without DATABASE_URL an embedded PostgreSQL in the data folder is used (see docs/settings.md).
    """


for command in (
    serve,
    worker,
    demo,
    migrate,
    doctor,
    rulebook,
    instruments,
    ledger,
    payouts,
    reconciliation,
    rewards,
    closing,
    vouchers,
    organisation,
    user,
):
    main.add_command(command)
