"""Who takes part: legal entities, organisations, people, the roles they hold, and signing in.

A legal entity is registered by its unified social credit code and verified by another person; one
or more organisations belong to it. A person holds roles in organisations (`roles.py`); a sign-in
is for one person in one organisation, with every role held there.

What always holds: a code and an e-mail address are registered once; a role fits the kind of its
organisation; nobody grants a role to themselves; five failures lock a sign-in for a quarter of an
hour; a suspended organisation and a disabled person sign in no more, and their refresh tokens end.
What is not public of an organisation exists for itself, for the centre and for the regulator.
"""
