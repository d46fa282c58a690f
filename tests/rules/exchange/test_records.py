"""How orders and own use become records, what is masked, and what a run holds."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from marketplace.exchange.errors import ExportNotInState, QuarterNotOver
from marketplace.exchange.rules import layout, masking
from marketplace.exchange.rules.quarters import Quarter
from marketplace.exchange.rules.run import json_lines, run_of, table
from marketplace.exchange.rules.service_record import (
    ApplicantFacts,
    InstrumentFacts,
    OrderFacts,
    OwnUseFacts,
    hours,
    record_of_order,
    record_of_own_use,
)
from marketplace.exchange.rules.states import (
    RETURN_CODES,
    ExportStatus,
    Step,
    after_answer,
    require_step,
)
from marketplace.kernel.time import shanghai_instant

SPRING = Quarter(2025, 1)
INSTRUMENT = InstrumentFacts(
    instrument_id=7,
    inner_id="A-1",
    ins_code="0" * 32,
    cname="扫描电镜",
    service_content="形貌\n分析",
    subjects="材料科学",
    contact="陈工",
    phone="025-8368 1234",
    email="chen@unit.example",
)
APPLICANT = ApplicantFacts("王小明", "13812345601", "wang@sme.example", "某公司")
ORDER = OrderFacts(
    order_id=9,
    settled_fen=123_456,
    status="settled",
    ended_at=datetime(2025, 3, 31, 15, 59, tzinfo=UTC),
    sessions=1,
    minutes=125,
    samples=None,
    attended=False,
    needs_training=False,
    customer_class="sme",
    free_purpose=None,
    same_legal_entity=False,
    signed_by_both=True,
    stars=4,
)
OWN_USE = OwnUseFacts(
    day=date(2025, 2, 28),
    purpose="teaching",
    user_class="own_unit",
    organisation_id=3,
    unit="某大学",
    last_minute=shanghai_instant(date(2025, 2, 28), 1439),
    sessions=2,
    minutes=90,
    attended=False,
    needs_training=True,
)


def content(**changes) -> dict[str, str]:
    return record_of_order(replace(ORDER, **changes), INSTRUMENT, APPLICANT).content


def run(*records, accepted=None, masks=()):
    return run_of(records, SPRING, accepted=accepted or {}, masks=masks)


def test_an_order_is_a_record_that_passes():
    record = record_of_order(ORDER, INSTRUMENT, APPLICANT)

    assert {
        "innerId": "A-1",
        "recordInnerId": "O9",
        "amounts": "1234.56",
        "serviceTime": "1",
        "endTime": "2025-03-31 23",
        "serviceAmount": "2.1",
        "serviceContent": "上机使用：形貌 分析",
        "serviceWay": "占用共享",
        "subjectIncome": "无",
        "subjectArea": "材料科学",
        "applicant": "王小明",
        "applicantUnit": "某公司",
        "comment": "基本满意",
        "serviceType": "130",
        "serviceDirection": "136",
        "signAgreement": "0",
        "adressType": "0",
    }.items() <= record.content.items()
    assert list(layout.NAMES) == list(record.content)
    assert 1 == len(run(record).new)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(0, "0.0"), (2, "0.0"), (3, "0.1"), (60, "1.0"), (89, "1.5"), (93, "1.6"), (6000, "100.0")],
)
def test_hours_are_told_to_a_tenth_half_up(minutes: int, expected: str):
    assert expected == hours(minutes)


def test_the_way_of_a_service_follows_who_ran_the_instrument():
    assert "技术共享" == content(attended=True)["serviceWay"]
    assert "技术共享" == content(needs_training=True)["serviceWay"]
    samples = content(samples=5, minutes=0)
    assert ("委托共享", "5") == (samples["serviceWay"], samples["serviceAmount"])


def test_five_stars_are_the_five_steps_and_no_review_is_no_comment():
    said = [content(stars=stars)["comment"] for stars in (5, 4, 3, 2, 1)]

    assert list(layout.COMMENTS) == said
    assert "" == content(stars=None)["comment"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"customer_class": "academic"}, "135"),
        ({"customer_class": "enterprise"}, "136"),
        ({"free_purpose": "public-security"}, "138"),
        ({"free_purpose": "public-interest-research"}, "135"),
    ],
)
def test_the_direction_of_a_service_follows_the_customer(changes, expected: str):
    assert expected == content(**changes)["serviceDirection"]


def test_a_service_inside_one_legal_entity_is_internal_and_an_unsigned_one_says_so():
    inside = content(same_legal_entity=True, signed_by_both=False)

    assert ("120", "1") == (inside["serviceType"], inside["signAgreement"])


def test_an_order_that_is_not_settled_waits_for_its_amount_and_only_for_that():
    unsettled = replace(ORDER, settled_fen=None, status="delivered")

    (left_out,) = run(record_of_order(unsettled, INSTRUMENT, APPLICANT)).refused

    (reason,) = left_out.reasons
    assert ("amounts", 4) == (reason.field, reason.column)
    assert "delivered" in reason.message


def test_a_day_of_own_use_is_a_record_of_the_unit_and_its_published_contact():
    record = record_of_own_use(OWN_USE, INSTRUMENT)

    assert {
        "recordInnerId": "U7-20250228-TU-3",
        "amounts": "0.00",
        "serviceTime": "2",
        "endTime": "2025-02-28 23",
        "serviceAmount": "1.5",
        "serviceWay": "技术共享",
        "applicant": "陈工",
        "applicantUnit": "某大学",
        "serviceType": "120",
        "serviceDirection": "137",
    }.items() <= record.content.items()
    assert 1 == len(run(record).new)


def test_service_to_others_without_an_order_is_left_out_with_its_reason():
    record = record_of_own_use(
        replace(OWN_USE, purpose="external", user_class="enterprise"), INSTRUMENT
    )

    (left_out,) = run(record).refused

    assert ["amounts"] == [reason.field for reason in left_out.reasons]


def test_personal_fields_are_masked_as_the_term_says():
    sent = run(
        record_of_order(ORDER, INSTRUMENT, APPLICANT),
        masks=("applicant", "applicantPhone", "applicantEmail"),
    ).new[0]

    assert ("王**", "138******01", "w***@sme.example") == (
        sent.content["applicant"],
        sent.content["applicantPhone"],
        sent.content["applicantEmail"],
    )
    assert ("", "*****", "") == (masking.phone(""), masking.phone("110"), masking.email("nobody"))
    assert "陈" == masking.name("陈")


def test_a_run_holds_what_is_new_or_changed_and_tells_what_is_gone():
    first = record_of_order(ORDER, INSTRUMENT, APPLICANT)
    other = record_of_own_use(OWN_USE, INSTRUMENT)
    whole = run(first, other)
    known = {one.record.record_inner_id: one.sha256 for one in whole.new} | {"O1": "0" * 64}
    reviewed = record_of_order(replace(ORDER, stars=1), INSTRUMENT, APPLICANT)

    again = run(reviewed, other, accepted=known)

    assert ["O9"] == [one.record.record_inner_id for one in again.new]
    assert ["U7-20250228-TU-3"] == [one.record.record_inner_id for one in again.unchanged]
    assert ("O1",) == again.gone
    assert again.sha256 != whole.sha256


def test_reasons_are_counted_and_lines_count_every_record():
    bad = record_of_order(replace(ORDER, order_id=10), replace(INSTRUMENT, ins_code=""), APPLICANT)

    found = run(bad, record_of_order(ORDER, INSTRUMENT, APPLICANT))

    assert {"insCode: this field is required": 1} == found.reasons
    assert ([1], [2]) == ([one.line for one in found.refused], [one.line for one in found.new])


def test_a_file_has_two_headers_and_json_lines_the_fields_in_their_order():
    one = record_of_order(ORDER, INSTRUMENT, APPLICANT).content

    rows = table([one])

    assert ("仪器单位内部编号", "innerId", "A-1") == tuple(row[0] for row in rows)
    assert json_lines([one, one]).startswith(b'{"innerId":"A-1","insCode":"000')
    assert 2 == json_lines([one, one]).count(b"\n")


def test_quarters_begin_and_end_where_the_calendar_has_it():
    assert [(date(2024, 10, 1), date(2025, 1, 1)), (date(2025, 1, 1), date(2025, 4, 1))] == [
        (one.first_on, one.ends_before) for one in (Quarter(2024, 4), SPRING)
    ]
    assert (date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)) == Quarter(2024, 1).months
    assert 91 * 1440 == Quarter(2024, 1).during.minutes
    SPRING.require_over(date(2025, 4, 1))
    with pytest.raises(QuarterNotOver):
        SPRING.require_over(date(2025, 3, 31))


def test_return_codes_lead_where_the_platform_means_them_to():
    assert {0: "sent", 1: "accepted", 100: "accepted"} == {
        code: after_answer(code) for code in (0, 1, 100)
    }
    assert {ExportStatus.REJECTED} == {
        after_answer(code) for code in RETURN_CODES if code not in (0, 1, 100)
    }


def test_an_export_takes_its_steps_in_their_order():
    require_step(ExportStatus.MADE, Step.SEND)
    require_step(ExportStatus.SENT, Step.ANSWER)
    for present, step in (
        (ExportStatus.MADE, Step.ANSWER),
        (ExportStatus.SENT, Step.WITHDRAW),
        (ExportStatus.ACCEPTED, Step.SEND),
    ):
        with pytest.raises(ExportNotInState):
            require_step(present, step)
