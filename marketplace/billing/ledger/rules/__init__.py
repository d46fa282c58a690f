"""What an account is, what an entry is, and what makes the books true: no database needed."""
