"""A province made up for trying things out: people, instruments, a year of bookings and money."""
