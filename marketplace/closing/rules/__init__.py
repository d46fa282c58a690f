"""What closing decides, without a database."""
