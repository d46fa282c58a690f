"""Resources, instruments, sites, opening hours, qualifications, and the search for them."""
