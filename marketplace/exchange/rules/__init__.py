"""What is decided without looking: the layout, its checks, how our records map to it."""
