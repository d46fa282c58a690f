"""Reservations of instruments, and the sessions in which they are used."""
