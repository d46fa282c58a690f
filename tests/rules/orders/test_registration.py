"""The registration of technology contracts: who may take which step, and what each needs."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from marketplace.orders.errors import RegistrationRefused
from marketplace.orders.rules.registration import (
    STEPS,
    Registered,
    Registrar,
    RegistrationState,
    require_registered,
    require_registration,
)

SIGNED, TODAY = date(2025, 3, 3), date(2025, 3, 20)
GIVEN = Registered(
    RegistrationState.REGISTERED, "2025320101000123", date(2025, 3, 18), "南京市技术合同登记处"
)


def asked_for(state: RegistrationState) -> Registered:
    if state is RegistrationState.REGISTERED:
        return GIVEN
    return Registered(state, reason="常规检测")


@pytest.mark.parametrize("by", Registrar)
@pytest.mark.parametrize("to", RegistrationState)
@pytest.mark.parametrize("was", RegistrationState)
def test_a_step_is_taken_by_those_only_whom_the_table_names(
    was: RegistrationState, to: RegistrationState, by: Registrar
):
    def take() -> None:
        require_registration(was, asked_for(to), by=by, today=TODAY, signed_on=SIGNED)

    if by in STEPS.get((was, to), ()):
        take()
        return
    with pytest.raises(RegistrationRefused) as refusal:
        take()
    assert ["registration-step"] == [reason.rule for reason in refusal.value.reasons]


def test_the_docs_show_the_table_of_steps():
    page = Path(__file__).parents[3].joinpath("docs/orders.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| ([a-z, ]+) \|", page, re.MULTILINE)

    told = {(was, to): set(who.split(", ")) for was, to, who in rows}

    assert told == {(str(was), str(to)): set(map(str, who)) for (was, to), who in STEPS.items()}


def test_only_the_provider_files_and_only_the_centre_takes_a_recognition_back():
    states = RegistrationState
    assert {Registrar.PROVIDER} == STEPS[states.ELIGIBLE, states.SUBMITTED]
    assert {Registrar.CENTRE} == STEPS[states.REGISTERED, states.REFUSED]


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        (replace(GIVEN, number=" "), ["registration-number"]),
        (replace(GIVEN, registered_on=None), ["registration-number"]),
        (replace(GIVEN, registered_on=date(2025, 3, 2)), ["registration-day"]),
        (replace(GIVEN, registered_on=date(2025, 3, 21)), ["registration-day"]),
        (replace(GIVEN, number="", registered_on=date(2026, 1, 1)), None),
    ],
)
def test_a_registration_needs_its_number_and_a_day_that_can_be(
    given: Registered, rules: list[str] | None
):
    with pytest.raises(RegistrationRefused) as refusal:
        require_registered(given, today=TODAY, signed_on=SIGNED)

    expected = ["registration-number", "registration-day"] if rules is None else rules
    assert expected == [reason.rule for reason in refusal.value.reasons]


def test_a_refusal_needs_a_reason_and_has_no_number():
    with pytest.raises(RegistrationRefused) as refusal:
        require_registration(
            RegistrationState.SUBMITTED,
            Registered(RegistrationState.REFUSED, "1", reason=" "),
            by=Registrar.PROVIDER,
            today=TODAY,
            signed_on=SIGNED,
        )

    assert ["registration-number", "registration-reason"] == [
        reason.rule for reason in refusal.value.reasons
    ]
