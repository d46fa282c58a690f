"""The rules of pricing."""
