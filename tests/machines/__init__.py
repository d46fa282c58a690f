"""Anything in any order, over HTTP, and the books looked at after every step."""
