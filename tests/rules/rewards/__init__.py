"""The rules of rewards."""
