"""The story of a service, from enquiry to review."""
