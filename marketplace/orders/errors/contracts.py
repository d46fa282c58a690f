"""What contracts and their registration refuse."""

from __future__ import annotations

from marketplace.kernel.errors import Conflict, Missing, Refused


class ContractMissing(Missing):
    """The order has no contract or addendum of this number, for whoever asks."""

    code = "contract-not-found"
    title = "No such contract"


class RegistrationRefused(Refused):
    """The registration of a contract goes by its steps, and says what each needs."""

    code = "registration-refused"
    title = "The contract cannot stand like this with the registry"


class ContractSigned(Conflict):
    """What was agreed and signed is not changed."""

    code = "contract-agreed"
    title = "A signed contract is not changed"
    constraint = "contract_agreed"
