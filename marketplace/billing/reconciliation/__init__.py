"""Bank statements matched against what the ledger expects, and the closing of periods."""
