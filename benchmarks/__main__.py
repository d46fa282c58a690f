"""Every benchmark, one after the other, each in a process of its own.

python -m benchmarks [NAME ...] [what the named ones take, as `rewards --lines 500000`]
"""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = (
    "anomalies",
    "booking",
    "dry_run",
    "ledger",
    "matching",
    "pages",
    "rewards",
    "settlement",
)


def main(arguments: list[str]) -> int:
    """Run the benchmarks named, or all; the first failure ends it."""
    begins = next((at for at, each in enumerate(arguments) if each.startswith("-")), None)
    names, options = arguments[:begins], arguments[begins:] if begins is not None else []
    if options and not names:
        print(f"{__doc__}\nThere are {', '.join(BENCHMARKS)}.")
        return 2
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
        return 2
    for name in names or BENCHMARKS:
        print(f"── {name} ──", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
