"""What counts as service, what may be corrected, and what an invoice number looks like."""
