"""Policy as data: every number that a policy fixes, with its dates and its source article."""
