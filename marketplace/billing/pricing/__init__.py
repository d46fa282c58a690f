"""Cost sheets, price lists and quotes."""
