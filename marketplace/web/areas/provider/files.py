"""Lists as files, where the provider's pages look for them."""

from marketplace.web.files import ROWS_MAX, as_file, file_format

__all__ = ["ROWS_MAX", "as_file", "file_format"]
