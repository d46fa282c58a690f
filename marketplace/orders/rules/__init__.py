"""What an order may do next, what it costs in the end, and what its contract says."""
