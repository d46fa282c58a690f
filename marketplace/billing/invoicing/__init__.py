"""Charge lines, invoices and credit notes."""
