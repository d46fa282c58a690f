"""What holds for notices."""
