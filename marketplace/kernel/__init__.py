"""What every domain stands on and what knows no domain.

Money in fen, instants in UTC, one transaction per command, refusals that name their rule,
facts told after commit, an audit trail, settings, tokens, and the one shape of every problem.
"""
