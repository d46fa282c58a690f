"""Use cases of rewards on a real database."""
