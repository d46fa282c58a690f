"""Use cases of invoicing on a real database."""
