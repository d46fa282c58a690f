"""Reads one XLSX workbook from stdin and writes its rows to stdout: a script, run by itself.

A few bytes of XLSX can ask for more memory than there is (one cell in the last corner of a sheet
is enough), and the reader then aborts its process. So it has one of its own, with bounds.

Frames on stdout: four bytes of length, then MessagePack of `[sheet, first line, rows]`; a length
of zero ends a workbook that was read whole. Imports nothing of ours, so that it starts fast.
"""

from __future__ import annotations

import datetime
import io
import struct
import sys
from typing import Any

import msgspec
import python_calamine

MEMORY_BYTES_MAX = 3 * 1024**3
CPU_SECONDS_MAX = 120
ROWS_PER_FRAME = 500
SHEETS_MAX = 20
COLUMNS_MAX = 500
# As much as Excel itself keeps in a cell.
CELL_LENGTH_MAX = 32_767


def bound_this_process() -> None:
    """Have the operating system end this process when it takes too much; not on Windows."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    except (ValueError, OSError):
        # macOS has the limit by name only; the other bounds hold there.
        return


def text(cell: Any) -> str:
    """A cell as a person would read it: `12`, not `12.0`; a day without a midnight."""
    if isinstance(cell, str):
        return cell[:CELL_LENGTH_MAX]
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        # Excel itself shows and compares 15 digits; more of them are noise of binary fractions.
        return f"{cell:.15g}"
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(" ")
    return str(cell)


def send(frame: bytes) -> None:
    """Write one frame."""
    sys.stdout.buffer.write(struct.pack(">I", len(frame)) + frame)


def main() -> int:
    """Read stdin, write frames; 3 when it is no workbook."""
    bound_this_process()
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        for name in book.sheet_names[:SHEETS_MAX]:
            rows: list[list[str]] = []
            first = 1
            for cells in book.get_sheet_by_name(name).iter_rows():
                rows.append([text(cell) for cell in cells[:COLUMNS_MAX]])
                if len(rows) == ROWS_PER_FRAME:
                    send(msgspec.msgpack.encode([name, first, rows]))
                    first, rows = first + len(rows), []
            send(msgspec.msgpack.encode([name, first, rows]))
    except python_calamine.CalamineError:
        return 3
    send(b"")
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
