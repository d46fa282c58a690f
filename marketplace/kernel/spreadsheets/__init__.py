"""Files of rows that people send, and those they are sent.

What is read: CSV in whatever encoding, XLSX in a process of its own.

Every cell comes out as text, every row with the line it stands on. Reading is streamed in batches,
off the event loop, and bounded: a file that would fill the memory is refused, not read.
"""

from marketplace.kernel.spreadsheets.reading import FileUnreadable, Row, row_batches
from marketplace.kernel.spreadsheets.writing import (
    MEDIA_TYPES,
    FileFormat,
    csv_bytes,
    table_file,
    workbook_bytes,
)

__all__ = [
    "MEDIA_TYPES",
    "FileFormat",
    "FileUnreadable",
    "Row",
    "csv_bytes",
    "row_batches",
    "table_file",
    "workbook_bytes",
]
