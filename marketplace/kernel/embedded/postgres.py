"""The embedded PostgreSQL: one cluster in a folder, reached by a Unix socket only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from marketplace.kernel.embedded.binaries import (
    PostgresBinaries,
    copy_postgres,
    postgres_binaries,
)
from marketplace.kernel.embedded.server import (
    POLL_SECONDS,
    EmbeddedServer,
    EmbeddedServerError,
    Launch,
    ServerWentAway,
    plain_environment,
)

USER = "marketplace"
# Who the application logs in as: nobody's member until `marketplace migrate` lets it in.
APPLICATION_USER = "application"
# The socket's folder is this server's alone, so the number can always be the same.
PORT = 5432
# Unix socket paths end at 104 bytes on macOS and 108 on Linux; this leaves room for the name.
SOCKET_FOLDER_BYTES_MAX = 72
# A URL, a connection string and a configuration file all read these characters as they are.
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+-]+")
ELSEWHERE = "marketplace-cluster-"
TEMPORARY = Path("/tmp")  # noqa: S108 - Only for mkdtemp; TMPDIR may be too long for a socket.
STATUS_LINES = 8
CONNECT_SECONDS = 10.0
SETTLE_SECONDS = 40.0
OPTIONS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "logging_collector": "off",
}


class EmbeddedPostgres(EmbeddedServer):
    """A PostgreSQL on a folder, shared by every process that uses the folder.

    Args:
        folder: where the cluster lives; one server per folder. Created when missing.
        database: created when missing.
        options: server settings, for instance `{"fsync": "off"}` in tests. They hold for the server
            that this call launches; one that already runs keeps its own.
        follow_parent: end the server when its last user ends (see `EmbeddedServer`).

    Anyone who may enter the socket's folder is trusted as a superuser, so that folder is 0700.
    The application itself comes as another user, who can do nothing but what it is granted: see
    `application_url`.

    PostgreSQL refuses to run as root. Started by root it runs as `nobody`; where `nobody` cannot
    reach the folder (root's home), the cluster lives under /var/lib and `home` is a link to it,
    because changing the modes of somebody's folders is not for us to do.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database: str = "marketplace",
        options: Mapping[str, str] | None = None,
        follow_parent: bool = True,
    ) -> None:
        super().__init__(folder, follow_parent=follow_parent)
        self.database = database
        self.options = {**(options or {}), **OPTIONS}
        self.home = self.folder / "home"

    @property
    def application_url(self) -> str:
        """Where the server is for the application, which owns nothing; only after `start()`."""
        return self.url.replace(f"//{USER}@", f"//{APPLICATION_USER}@", 1)

    @property
    def _data(self) -> Path:
        """PostgreSQL's own folder, with links followed: its user may not get past the link."""
        return self.home.resolve() / "data"

    def _running(self) -> bool:
        """Whether PostgreSQL says so itself, in the eighth line of its `postmaster.pid`."""
        status = _postmaster(self._data)
        return status is not None and status[STATUS_LINES - 1 :] == ["ready"]

    def _settle(self) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while _postmaster(self._data) is not None and not self._running():
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"The server is stuck:\n{self._last_words()}")
            time.sleep(POLL_SECONDS)

    def _ready(self) -> str:
        status = _postmaster(self._data)
        if status is None or len(status) < STATUS_LINES:
            raise ServerWentAway(f"The server ended at once:\n{self._last_words()}")
        port, host = int(status[3]), status[4]
        _ensure_database(host, port, self.database)
        return f"postgresql+asyncpg://{USER}@/{self.database}?host={host}&port={port}"

    def _prepare(self) -> Launch:
        uid, gid = _server_user()
        binaries = postgres_binaries()
        self._make_home(uid, gid)
        data = self._data
        if uid >= 0 and not _reachable(binaries.postgres, uid, gid):
            binaries = copy_postgres(binaries, data.parent)
        if not (data / "PG_VERSION").exists():
            _make_cluster(binaries, data, uid, gid)
        cluster = int((data / "PG_VERSION").read_text())
        if cluster != binaries.major:
            raise EmbeddedServerError(
                f"{data} was made by PostgreSQL {cluster}, and the one found here is "
                f"{binaries.major}. Dump it with the old version, or choose another data folder."
            )
        _remove_stale_pid(data)
        socket_folder, tidy = self._socket_folder(uid, gid)
        options = self.options | {"unix_socket_directories": f'"{socket_folder}"'}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [str(binaries.postgres), "-D", str(data), *settings]
        return Launch(command, uid=uid, gid=gid, tidy=tidy)

    def _make_home(self, uid: int, gid: int) -> None:
        """Make the folder that the server's own user must be able to reach."""
        if self.home.exists():
            return
        if uid < 0:
            self.home.mkdir(mode=0o700)
        elif _reachable(self.folder, uid, gid):
            self.home.mkdir()
            self.home.chmod(0o711)
        else:
            place = _other_place(self.folder)
            _sweep(place)
            made = Path(tempfile.mkdtemp(prefix=ELSEWHERE, dir=place))
            made.chmod(0o711)
            # A link whose target is gone would stop the next line; a new start is what is wanted.
            self.home.unlink(missing_ok=True)
            self.home.symlink_to(made)
            (made / "linked-from").write_text(str(self.home))

    def _socket_folder(self, uid: int, gid: int) -> tuple[str, str]:
        """Where the socket goes, and the same again when it is to be removed afterwards."""
        near = str(self._data.with_name("run"))
        if len(near) <= SOCKET_FOLDER_BYTES_MAX and PLAIN_PATH.fullmatch(near):
            path, tidy = near, ""
            Path(path).mkdir(mode=0o700, exist_ok=True)
        else:
            path = tidy = tempfile.mkdtemp(prefix="marketplace-", dir=TEMPORARY)
        if uid >= 0:
            os.chown(path, uid, gid)
        return path, tidy


def _postmaster(data: Path) -> list[str] | None:
    """The lines of `postmaster.pid`, stripped, when the process it names is a PostgreSQL."""
    try:
        lines = [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
        pid = int(lines[0])
    except (FileNotFoundError, NotADirectoryError, ValueError, IndexError):
        return None
    return lines if _is_postgres(pid) else None


def _is_postgres(pid: int) -> bool:
    """Whether the process lives and, where that can be told (Linux), is a PostgreSQL."""
    try:
        if Path("/proc/self/comm").exists():
            return Path(f"/proc/{pid}/comm").read_text().startswith("postgres")
        os.kill(pid, 0)
    except PermissionError:
        return True  # It lives and belongs to another user, which is how root's server runs.
    except (FileNotFoundError, ProcessLookupError):
        return False
    return True


def _remove_stale_pid(data: Path) -> None:
    """Remove a `postmaster.pid` that names a process which is no PostgreSQL.

    In a container the same small numbers come again: after a power cut the old number is often some
    other program's, and PostgreSQL then refuses to start, for it cannot tell.
    """
    if _postmaster(data) is None:
        (data / "postmaster.pid").unlink(missing_ok=True)


def _other_place(folder: Path) -> Path:
    """Where root's cluster goes when `nobody` cannot reach its folder: as lasting as the folder."""
    temporary = Path(tempfile.gettempdir()).resolve()
    if folder.resolve().is_relative_to(temporary):
        return temporary
    lasting = Path("/var/lib")
    return lasting if os.access(lasting, os.W_OK) else temporary


def _sweep(place: Path) -> None:
    """Remove the clusters in a temporary place whose folder is gone: test runs leave them.

    Never in a lasting place, where the folder may only be on a disk that is not mounted.
    """
    if place != Path(tempfile.gettempdir()).resolve():
        return
    for mark in place.glob(f"{ELSEWHERE}*/linked-from"):
        with contextlib.suppress(OSError):
            ours = mark.stat().st_uid == mark.parent.stat().st_uid == os.geteuid()
            if ours and Path(mark.read_text()).resolve() != mark.parent:
                shutil.rmtree(mark.parent)


def _server_user() -> tuple[int, int]:
    """The user and group to run as: ourselves (-1), or `nobody` for root."""
    if os.geteuid() != 0:
        return -1, -1
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _reachable(path: Path, uid: int, gid: int) -> bool:
    """Whether a user may pass through every folder down to the path and read or enter it."""
    real = path.resolve()
    for part in (real, *real.parents):
        mode = part.stat()
        if mode.st_uid == uid:
            wanted = stat.S_IXUSR
        elif mode.st_gid == gid:
            wanted = stat.S_IXGRP
        else:
            wanted = stat.S_IXOTH
        if not mode.st_mode & wanted:
            return False
    return True


def _make_cluster(binaries: PostgresBinaries, data: Path, uid: int, gid: int) -> None:
    """Run `initdb` beside the place and move the result there, so that half a cluster never counts.

    The order is by code point and the same on every machine. The letters are UTF-8's, for the
    built-in provider *and* for `lc-ctype`: pg_trgm and the text search parser ask only the latter,
    and to a plain C no Chinese character is a letter, so that nothing would be similar to anything.
    """
    making = data.with_name("data.new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    if uid >= 0:
        os.chown(making, uid, gid)
    ctype = "UTF-8" if sys.platform == "darwin" else "C.UTF-8"
    locale = ["--locale=C", f"--lc-ctype={ctype}"]
    if binaries.major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    done = subprocess.run(
        [
            *(str(binaries.initdb), "-D", str(making), "-U", USER, "-E", "UTF8"),
            *("--auth=trust", "--no-instructions", *locale),
        ],
        capture_output=True,
        check=False,
        text=True,
        cwd="/",
        env=plain_environment(),
        user=None if uid < 0 else uid,
        group=None if gid < 0 else gid,
        extra_groups=None if uid < 0 else [],
    )
    if done.returncode != 0:
        raise EmbeddedServerError(f"initdb failed:\n{done.stdout}{done.stderr}")
    shutil.rmtree(data, ignore_errors=True)
    making.rename(data)


def _ensure_database(host: str, port: int, database: str) -> None:
    """Make the database, in a thread of its own, since the caller may be inside an event loop."""
    errors: list[Exception] = []

    def work() -> None:
        try:
            asyncio.run(_make_database(host, port, database))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            errors.append(error)

    thread = threading.Thread(target=work, name="embedded-postgres")
    thread.start()
    thread.join()
    if errors:
        raise ServerWentAway(f"The server cannot be used: {errors[0]}") from errors[0]


# Two who start on one server may both find it missing.
_CREATE_APPLICATION_USER = f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{APPLICATION_USER}') THEN
    CREATE ROLE {APPLICATION_USER} LOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""


async def _make_database(host: str, port: int, database: str) -> None:
    connection = await asyncpg.connect(
        host=host,
        port=port,
        user=USER,
        database="postgres",
        ssl=False,
        timeout=CONNECT_SECONDS,
    )
    try:
        known = await connection.fetchval(
            "SELECT true FROM pg_catalog.pg_database WHERE datname = $1", database
        )
        if not known:
            name = database.replace('"', '""')
            await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.execute(_CREATE_APPLICATION_USER)
    finally:
        await connection.close()
