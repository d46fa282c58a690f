"""Credit: what a provider lets one buyer owe for its services, and what comes of it.

A line is between one provider and one buyer. Its terms (limit, days until due, until when) are
proposed by one person of the provider and approved by another; approving posts the limit to the
line's account in the ledger. An order on account holds room on that account instead of money on
the buyer's wallet; its settlement turns the hold into a receivable with a due date, and a receipt
pays the oldest first and gives the room back.

States of terms: proposed → in force → ended; proposed → refused | withdrawn.
Invariants: held and owed together never pass the limit (the account's row guards it); a receivable
is paid by receipts only; a reminder's step is sent once; nobody decides on their own proposal.
"""
