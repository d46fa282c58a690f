"""Files of rows that people send: CSV in whatever encoding, XLSX in a process of its own.

Every cell comes out as text, every row with the line it stands on. Reading is streamed in batches,
off the event loop, and bounded: a file that would fill the memory is refused, not read.
"""

from marketplace.kernel.spreadsheets.reading import FileUnreadable, Row, row_batches

__all__ = ["FileUnreadable", "Row", "row_batches"]
