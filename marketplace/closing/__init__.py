"""Closing the books: a month's checklist, its sign-off by two persons, and what auditors take away.

    open ──one person finds it ready──▶ draft ──another signs──▶ closed ──two persons──▶ open

Invariants: nothing is signed off while a blocking item is open; who drafted does not sign; an
entry never gets into a closed period; what was signed off stays as it was said.
"""
