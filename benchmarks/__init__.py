"""How fast the platform is on this machine; each module prints its conditions with its figures."""
