"""Pure rules: identifiers, roles, affiliation, lock-out, what is masked."""
