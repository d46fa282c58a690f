"""Other systems: the national platform, catalogues that harvest ours, calendars, webhooks."""
