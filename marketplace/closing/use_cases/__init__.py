"""What closing does."""
