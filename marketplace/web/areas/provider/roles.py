"""Who works for a provider: technicians serve, the manager also answers, prices and sets rules."""

from marketplace.parties.roles import Role

STAFF = (Role.TECHNICIAN, Role.PROVIDER_MANAGER)
MANAGER = (Role.PROVIDER_MANAGER,)
