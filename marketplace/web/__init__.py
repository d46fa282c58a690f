"""Pages for people. No rule lives here."""
