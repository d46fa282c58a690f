"""The rules of booking: pure functions over values, no database and no clock."""
