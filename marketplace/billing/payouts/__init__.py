"""Instructions to pay, their approval, the bank files, and what became of them."""
