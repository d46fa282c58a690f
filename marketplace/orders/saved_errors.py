"""What keeping instruments and searches refuses."""

from __future__ import annotations

from marketplace.kernel.errors import Malformed, Missing, Refused


class SavedSearchMissing(Missing):
    """There is no such saved search, or it is another person's."""

    code = "saved-search-not-found"
    title = "No such saved search"


class TooManySaved(Refused):
    """A person keeps a bounded number of searches and of instruments."""

    code = "too-many-saved"
    title = "You keep too many"


class SavedSearchUnclear(Malformed):
    """A saved search names its days and its length together, and days that are to come."""

    code = "saved-search-unclear"
    title = "The search cannot be kept so"
