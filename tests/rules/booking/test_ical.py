"""Calendar files that we write, as clients of other people's making read them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import icalendar
import ics  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.booking.rules.ical import (
    MASKED,
    CalendarEvent,
    ClosedTime,
    EventStatus,
    FeedKind,
    Reader,
    ReservedTime,
    calendar_file,
    closure_event,
    event_status,
    reservation_event,
    shown_from,
)
from marketplace.booking.rules.states import LIVE, Purpose, Status
from marketplace.kernel.time import During

HOST = "market.example"
AT = datetime(2025, 3, 5, 1, 0, tzinfo=UTC)
PROVIDER, CUSTOMER, OUTSIDER = 10, 20, 30
RESERVED = ReservedTime(
    id=7,
    instrument_id=1,
    provider_id=PROVIDER,
    organisation_id=CUSTOMER,
    person_id=21,
    operator_id=11,
    starts_at=AT,
    ends_at=AT + timedelta(hours=2),
    seat=2,
    status=Status.CONFIRMED,
    purpose=Purpose.EXTERNAL,
    revision=3,
    changed_at=AT - timedelta(days=1),
    instrument="场发射扫描电子显微镜",
    place="江苏省南京市玄武区",
    organisation="南京某某材料有限公司",
    person="张三",
    operator="李四",
)
SECRETS = ("南京某某材料有限公司", "张三", "李四", "service to others", "机位", "预约 Reservation")


def read_by(kind: FeedKind, organisation_id: int, person_id: int = 0) -> Reader:
    return Reader(kind, organisation_id, person_id)


def shown_to(reader: Reader, **changes: object) -> CalendarEvent:
    return reservation_event(replace(RESERVED, **changes), reader, host=HOST)  # type: ignore[arg-type]


def test_an_outsider_learns_that_a_time_is_taken_and_nothing_else():
    event = shown_to(read_by(FeedKind.INSTRUMENT, OUTSIDER))
    text = calendar_file("仪器", [event]).decode()

    assert event.summary == MASKED
    assert [secret for secret in SECRETS if secret in text.replace("\r\n ", "")] == []


@pytest.mark.parametrize("organisation_id", [PROVIDER, CUSTOMER])
def test_the_provider_and_whose_reservation_it_is_see_who_it_is(organisation_id: int):
    event = shown_to(read_by(FeedKind.INSTRUMENT, organisation_id))

    assert event.summary == "南京某某材料有限公司 · 张三"
    assert "Operator: 李四" in event.description
    assert "Seat: 2" in event.description
    assert event.location == "江苏省南京市玄武区"


def test_each_kind_of_feed_says_what_its_name_does_not():
    mine = read_by(FeedKind.PERSON, CUSTOMER, 21)
    operating = read_by(FeedKind.PERSON, PROVIDER, 11)
    all_of_them = read_by(FeedKind.PROVIDER, PROVIDER)

    assert shown_to(mine).summary == "场发射扫描电子显微镜"
    assert shown_to(operating).summary.startswith("场发射扫描电子显微镜 · 操作 operating · 南京")
    assert shown_to(all_of_them).summary == "场发射扫描电子显微镜 · 南京某某材料有限公司 · 张三"


@pytest.mark.parametrize("status", Status)
def test_what_keeps_its_time_is_shown_and_what_gave_it_back_is_cancelled(status: Status):
    shown = event_status(status)

    assert (shown is EventStatus.CANCELLED) == (status not in LIVE | {Status.USED})
    assert (shown is EventStatus.TENTATIVE) == (
        status in (Status.HELD, Status.OFFERED, Status.REQUESTED)
    )


def test_a_moved_reservation_keeps_its_name_and_counts_its_changes():
    before = shown_to(read_by(FeedKind.PROVIDER, PROVIDER))
    after = shown_to(
        read_by(FeedKind.PROVIDER, PROVIDER),
        starts_at=AT + timedelta(days=1),
        ends_at=AT + timedelta(days=1, hours=2),
        revision=4,
    )

    assert before.uid == after.uid == "reservation-7@market.example"
    assert (before.sequence, after.sequence) == (3, 4)


def test_an_independent_client_reads_what_we_write():
    closure = ClosedTime(5, AT + timedelta(days=1), AT + timedelta(days=2), "更换探测器, 停机")
    gone = shown_to(read_by(FeedKind.PROVIDER, PROVIDER), id=8, status=Status.NO_SHOW)
    written = calendar_file(
        "显微镜, 一号; 台",
        [
            shown_to(read_by(FeedKind.PROVIDER, PROVIDER)),
            gone,
            closure_event(closure, made_at=AT, host=HOST),
        ],
        note="只显示前 5000 条",
    )

    calendar = ics.Calendar(written.decode())
    by_uid = {event.uid: event for event in calendar.events}

    assert by_uid.keys() == {f"reservation-{each}@{HOST}" for each in (7, 8)} | {
        f"closure-5@{HOST}"
    }
    first = by_uid[f"reservation-7@{HOST}"]
    assert first.begin.datetime == AT
    assert first.duration == timedelta(hours=2)
    assert first.name == "场发射扫描电子显微镜 · 南京某某材料有限公司 · 张三"
    assert first.location == "江苏省南京市玄武区"
    assert first.status == "CONFIRMED"
    assert by_uid[f"reservation-8@{HOST}"].status == "CANCELLED"
    assert by_uid[f"closure-5@{HOST}"].name == "停用 Closed: 更换探测器, 停机"


def test_a_file_has_what_subscribing_clients_need():
    event = shown_to(read_by(FeedKind.PROVIDER, PROVIDER))
    lines = calendar_file("显微镜", [event]).decode().split("\r\n")

    assert {
        "VERSION:2.0",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
        "X-PUBLISHED-TTL:PT15M",
        "X-WR-CALNAME:显微镜",
        "X-WR-TIMEZONE:Asia/Shanghai",
        "TZID:Asia/Shanghai",
        "TZOFFSETTO:+0800",
        "DTSTART;TZID=Asia/Shanghai:20250305T090000",
        "DTSTAMP:20250304T010000Z",
        "LAST-MODIFIED:20250304T010000Z",
        "SEQUENCE:3",
        "STATUS:CONFIRMED",
    } <= set(lines)
    assert not any(line.startswith(("METHOD", "ORGANIZER")) for line in lines)
    alone = calendar_file("显微镜", [event], organiser="lab@nju.example").decode()
    assert "METHOD:PUBLISH\r\n" in alone
    assert "ORGANIZER:mailto:lab@nju.example\r\n" in alone


def test_a_feed_reaches_from_sixty_days_ago_to_four_hundred_ahead():
    shown = shown_from(AT)

    assert (AT - shown.starts_at).days == 60
    assert (shown.ends_at - AT).days == 400


# Anything that somebody may have typed into a name, and more.
texts = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from('场发射;,:\\"\r\n\t\u2028\x85 '),
    max_size=120,
)


@given(name=texts, summary=texts, description=texts, location=texts)
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_a_line_or_becomes_one(
    name: str, summary: str, description: str, location: str
):
    event = CalendarEvent(
        uid="reservation-1@market.example",
        during=During(AT, AT + timedelta(hours=1)),
        status=EventStatus.CONFIRMED,
        summary=summary,
        changed_at=AT,
        description=description,
        location=location,
    )
    written = calendar_file(name, [event])

    lines = written.split(b"\r\n")
    assert lines.pop() == b""
    assert all(len(line) <= 75 for line in lines)
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    for line in lines:
        # Folds stand between characters, never inside one.
        line.decode()
    whole = written.replace(b"\r\n ", b"").decode().split("\r\n")
    assert [line for line in whole if line.startswith("BEGIN:")] == [
        "BEGIN:VCALENDAR",
        "BEGIN:VTIMEZONE",
        "BEGIN:STANDARD",
        "BEGIN:VEVENT",
    ]
    read = icalendar.Calendar.from_ical(written).walk("VEVENT")[0]
    assert "".join(str(read["summary"]).split()) == "".join(printable(summary).split())


def printable(text: str) -> str:
    return "".join(
        "\n" if char in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029" else char
        for char in text
        if (char >= " " and char != "\x7f") or char in "\t\r\n\x0b\x0c\x1c\x1d\x1e"
    )
