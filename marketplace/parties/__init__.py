"""Legal entities, people, memberships, roles and sign-in."""
