"""What a unit may ask for a service, from when, and what one service comes to."""
