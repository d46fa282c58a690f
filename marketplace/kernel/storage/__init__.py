"""Files outside the database: on this machine's disk, or in an S3-compatible store by setting.

A file is named after its SHA-256, so the same bytes are kept once and a damaged file is known when
it is read: it is an error then, and never served. A file is there whole or not at all.

    async with one transaction:
        key = await keep_file(tx, "deliverables", content)      the file first,
        insert the row that names the key                       then its row

What a crash leaves between the two is a file without a row; `remove_orphans` takes it away once it
is a day old. A key is locked from the writing of its file to the COMMIT of its row, and while it is
removed: nobody's file is taken away under a row that is about to name it.
"""

from marketplace.kernel.storage.bucket import BucketFiles
from marketplace.kernel.storage.disk import DiskFiles
from marketplace.kernel.storage.files import FileDamaged, Files
from marketplace.kernel.storage.orphans import ORPHAN_AGE, remove_orphans
from marketplace.kernel.storage.use import files, keep_file, kept_file, use_files

__all__ = [
    "ORPHAN_AGE",
    "BucketFiles",
    "DiskFiles",
    "FileDamaged",
    "Files",
    "files",
    "keep_file",
    "kept_file",
    "remove_orphans",
    "use_files",
]
