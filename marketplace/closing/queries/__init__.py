"""Reads of closing."""
