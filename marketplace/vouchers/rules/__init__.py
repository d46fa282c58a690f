"""What the voucher policy says, as functions of values: no database, no clock."""
