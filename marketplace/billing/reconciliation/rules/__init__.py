"""What a bank export means, and what its lines are: pure, without a database."""
