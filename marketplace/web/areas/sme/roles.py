"""Who works for a company: buyers order and sign, the administrator keeps the organisation."""

from marketplace.parties.roles import Role

BUYERS = (Role.BUYER, Role.SME_ADMINISTRATOR, Role.STATION_AGENT)
# Whoever may ask for another time of an order; only buyer and manager sign.
ASKERS = (Role.BUYER, Role.STATION_AGENT, Role.TECHNICIAN, Role.PROVIDER_MANAGER)
SIGNERS = (Role.BUYER, Role.PROVIDER_MANAGER)
# People of an order's two sides.
SIDES = (Role.BUYER, Role.SME_ADMINISTRATOR, Role.TECHNICIAN, Role.PROVIDER_MANAGER)
# The regulator reads sums, and never a single order (N.24a).
READERS = (
    *BUYERS,
    Role.TECHNICIAN,
    Role.PROVIDER_MANAGER,
    Role.VOUCHER_OFFICER,
    Role.FINANCE_MAKER,
    Role.FINANCE_CHECKER,
    Role.AUDITOR,
)
# Who of a company may ask to be trained; the provider's people see to it on their own pages.
LEARNERS = (Role.BUYER, Role.SME_ADMINISTRATOR)
