"""Papers as PDF: contracts, statements, sheets to print, Chinese first, without a browser.

The same content gives the same bytes: a paper can be made again and compared by its SHA-256.
"""

from marketplace.kernel.documents.paper import Column, Label, Paper

__all__ = ["Column", "Label", "Paper"]
