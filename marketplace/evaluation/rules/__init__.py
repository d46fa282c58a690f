"""How records become a score, and a score a grade."""
