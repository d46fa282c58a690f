"""What the bank says, line by line, and what each line is: the books equal the bank, to the fen.

A statement is imported whole or not at all, and continues the one before. Each of its lines posts
at once between bank and bank suspense, so the ledger's bank account equals the statement's closing
balance whatever is explained yet. Matching a line moves it from suspense to what it is: a payout
that the bank made or sent back, an SME's top-up, a fund of treasury, a charge. So suspense always
is the sum of the lines that nobody has explained.

    file ──import──▶ unmatched ──match (rules, or a person with a reason)──▶ matched
                         ▲──────────── undo (reversing entry) ───────────────┘

Invariants: the statements of an account are one chain, closing = opening; a line is known once,
however often a file with it comes; a line is matched whole, and once; a payment is matched once;
a wrong automatic match is worse than none, so what is ambiguous is left to a person with a note;
two persons sign a period off, when bank and books agree and no line of it is unexplained.
"""
