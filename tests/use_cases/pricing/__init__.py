"""Use cases of pricing on a real database."""
