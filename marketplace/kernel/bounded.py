"""Work on what strangers sent, in a process of its own: it may take too long, or all memory.

A module that does such work calls `serve_once` when it is run; `answer_of` runs it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable


class BoundsPassed(Exception):
    """The work took more time or memory than it may, or failed."""


async def answer_of(module: str, question: bytes, *, seconds: float) -> bytes:
    """What `module` answers, run by itself.

    Raises:
        BoundsPassed: when it was ended, or ended without an answer.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        answer, _ = await asyncio.wait_for(process.communicate(question), seconds)
    except TimeoutError as error:
        raise BoundsPassed(f"longer than {seconds:.0f} seconds") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise BoundsPassed(f"ended with {process.returncode}")
    return answer


def serve_once(answer: Callable[[bytes], bytes], *, cpu_seconds: int, memory_bytes: int) -> None:
    """Answer the question on stdin, in a process that the operating system bounds."""
    _bound(cpu_seconds, memory_bytes)
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))
    sys.stdout.buffer.flush()


def _bound(cpu_seconds: int, memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:
        return  # Windows has no such limits; the time limit of the caller holds there.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # macOS has the limit by name only.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
