"""The embedded Valkey: a Redis that remembers nothing, for one machine."""

from __future__ import annotations

import json
import secrets
import socket
from pathlib import Path

from marketplace.kernel.embedded.binaries import valkey_binary
from marketplace.kernel.embedded.server import EmbeddedServer, EmbeddedServerError, Launch

HOST = "127.0.0.1"
ANSWER_SECONDS = 1.0


class EmbeddedRedis(EmbeddedServer):
    """A Valkey on the loopback address, with a port and a password of its own, writing no file.

    What it holds is gone when it ends; PostgreSQL is the only truth. It listens on a port and not
    on a Unix socket because every library that takes a Redis URL knows `redis://`, and not every
    one `unix://`; the password keeps the machine's other users out.

    It runs as the user who starts it: it needs no file, and Valkey does not mind root.
    """

    def __init__(self, folder: Path, *, follow_parent: bool = True) -> None:
        super().__init__(folder, follow_parent=follow_parent)
        self._address = self.folder / "address.json"

    def _running(self) -> bool:
        try:
            known = json.loads(self._address.read_text())
            with socket.create_connection((HOST, known["port"]), ANSWER_SECONDS) as connection:
                connection.sendall(f"AUTH {known['password']}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2:
                    part = connection.recv(1024)
                    if not part:
                        return False
                    answer += part
        except (OSError, ValueError, KeyError):
            return False
        return answer == b"+OK\r\n+PONG\r\n"

    def _settle(self) -> None:
        return  # It comes up and goes down at once, and leaves nothing that would stand in the way.

    def _prepare(self) -> Launch:
        binary = valkey_binary()
        with socket.socket() as free:
            free.bind((HOST, 0))
            port: int = free.getsockname()[1]
        password = secrets.token_hex(24)
        configuration = self.folder / "valkey.conf"
        # In a file, since everybody can read a command line.
        lines = (
            f"bind {HOST}",
            f"port {port}",
            f"requirepass {password}",
            'save ""',
            "appendonly no",
            "daemonize no",
        )
        _write_private(configuration, "\n".join(lines) + "\n")
        _write_private(self._address, json.dumps({"port": port, "password": password}))
        return Launch([str(binary), str(configuration)])

    def _ready(self) -> str:
        try:
            known = json.loads(self._address.read_text())
        except (OSError, ValueError) as error:
            raise EmbeddedServerError(f"{self._address} cannot be read: {error}") from error
        return f"redis://:{known['password']}@{HOST}:{known['port']}/0"


def _write_private(path: Path, text: str) -> None:
    """Write a file that nobody else may read, whatever the umask, in one step."""
    making = path.with_name(f"{path.name}.new")
    making.unlink(missing_ok=True)
    making.touch(mode=0o600)
    making.write_text(text)
    making.replace(path)
