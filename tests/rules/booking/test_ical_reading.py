"""Calendar files of others: which times they mean, and what is wrong with bad ones, by line."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.booking.rules.ical_reading import (
    BYTES_MAX,
    PROBLEMS_MAX,
    TIMES_MAX,
    CalendarRead,
    read_calendar,
    window_of_import,
)
from marketplace.kernel.time import During, shanghai_instant

NOW = shanghai_instant(date(2025, 3, 3), 9 * 60)
WINDOW = window_of_import(NOW)
SHANGHAI_ZONE = "TZID=Asia/Shanghai"


def a_file(*events: str, before: str = "") -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//"]
    lines += [line for line in before.splitlines() if line]
    for event in events:
        lines += ["BEGIN:VEVENT", *event.strip().splitlines(), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def read(*events: str, before: str = "") -> CalendarRead:
    return read_calendar(a_file(*events, before=before), WINDOW)


def spans(found: CalendarRead) -> list[str]:
    """Each time as clocks in Shanghai show it."""
    assert found.problems == ()
    local = timedelta(hours=8)
    return [
        f"{each.during.starts_at + local:%m-%d %H:%M} → {each.during.ends_at + local:%m-%d %H:%M}"
        for each in found.times
    ]


def problems(found: CalendarRead) -> list[tuple[int, str]]:
    assert found.times == ()
    return [(each.line, each.rule) for each in found.problems]


MEETING = f"UID:a\nDTSTART;{SHANGHAI_ZONE}:20250304T090000\nDTEND;{SHANGHAI_ZONE}:20250304T103000"
WINDOWS_ZONE = 'DTSTART;TZID="China Standard Time":20250304T090000\nDURATION:PT1H'
OWN_ZONE = """BEGIN:VTIMEZONE
TZID:Our Lab
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0900
TZOFFSETTO:+0900
END:STANDARD
END:VTIMEZONE"""


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (MEETING, ["03-04 09:00 → 03-04 10:30"]),
        ("DTSTART:20250304T010000Z\nDTEND:20250304T020000Z", ["03-04 09:00 → 03-04 10:00"]),
        # Without a zone it is meant here, and so is a day.
        ("DTSTART:20250304T090000\nDURATION:PT1H30M", ["03-04 09:00 → 03-04 10:30"]),
        ("DTSTART;VALUE=DATE:20250304", ["03-04 00:00 → 03-05 00:00"]),
        ("DTSTART;VALUE=DATE:20250304\nDTEND;VALUE=DATE:20250306", ["03-04 00:00 → 03-06 00:00"]),
        ("DTSTART:20250304\nDURATION:P2D", ["03-04 00:00 → 03-06 00:00"]),
        (WINDOWS_ZONE, ["03-04 09:00 → 03-04 10:00"]),
        (
            "DTSTART;TZID=/mozilla.org/2005/Europe/Berlin:20250304T090000\nDURATION:PT1H",
            ["03-04 16:00 → 03-04 17:00"],
        ),
        # It began long ago and lasts until tomorrow.
        ("DTSTART:20250220T000000\nDTEND:20250304T000000", ["02-20 00:00 → 03-04 00:00"]),
        # Neither of these takes any time.
        ("DTSTART:20250304T090000", []),
        ("DTSTART:20250304T090000\nDTEND:20250304T090000", []),
        (MEETING + "\nTRANSP:TRANSPARENT", []),
        (MEETING + "\nSTATUS:CANCELLED", []),
        (MEETING + "\nTRANSP:OPAQUE\nSTATUS:TENTATIVE", ["03-04 09:00 → 03-04 10:30"]),
        # Over, or too far ahead.
        ("DTSTART:20250301T090000\nDURATION:PT1H", []),
        ("DTSTART:20260501T090000\nDURATION:PT1H", []),
    ],
)
def test_an_event_keeps_others_out_for_the_time_it_means(event: str, expected: list[str]):
    assert spans(read(event)) == expected


def test_a_zone_that_the_file_describes_itself_is_used():
    event = "DTSTART;TZID=Our Lab:20250304T090000\nDURATION:PT1H"

    assert spans(read(event, before=OWN_ZONE)) == ["03-04 08:00 → 03-04 09:00"]
    assert problems(read(event)) == [(5, "time-zone")]


def test_one_file_does_not_lend_its_zones_to_the_next():
    event = "DTSTART;TZID=Our Lab:20250304T090000\nDURATION:PT1H"
    other = OWN_ZONE.replace("+0900", "+0700")

    assert spans(read(event, before=OWN_ZONE)) == ["03-04 08:00 → 03-04 09:00"]
    assert spans(read(event, before=other)) == ["03-04 10:00 → 03-04 11:00"]


def test_folded_lines_and_any_line_ending_are_read():
    folded = "UID:a\nSUMM\n ARY:校准\\, 一\n  号\nDTSTART:202503\n\t04T090000\nDURATION:PT1H"
    for ending in ("\r\n", "\n"):
        content = a_file(folded).decode().replace("\r\n", ending).encode()
        found = read_calendar(b"\xef\xbb\xbf" + content, WINDOW)

        assert spans(found) == ["03-04 09:00 → 03-04 10:00"]
        assert found.times[0].summary == "校准, 一 号"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("RRULE:FREQ=DAILY;COUNT=3", ["04", "05", "06"]),
        ("RRULE:FREQ=WEEKLY;UNTIL=20250318T010000Z", ["04", "11", "18"]),
        ("RRULE:FREQ=WEEKLY;UNTIL=20250318T005959Z", ["04", "11"]),
        ("RRULE:FREQ=WEEKLY;UNTIL=20250318", ["04", "11", "18"]),
        ("RRULE:FREQ=WEEKLY;BYDAY=TU,TH;COUNT=4", ["04", "06", "11", "13"]),
        (
            f"RRULE:FREQ=DAILY;COUNT=4\nEXDATE;{SHANGHAI_ZONE}:20250305T090000",
            ["04", "06", "07"],
        ),
        ("RRULE:FREQ=DAILY;COUNT=4\nEXDATE;VALUE=DATE:20250305,20250306", ["04", "07"]),
        (f"RDATE;{SHANGHAI_ZONE}:20250310T090000,20250312T090000", ["04", "10", "12"]),
        ("RRULE:FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2\nEXDATE:20250304T010000Z", ["31", "31"]),
    ],
)
def test_what_repeats_is_busy_each_time(rule: str, expected: list[str]):
    found = read(f"{MEETING}\n{rule}")

    assert [span[3:5] for span in spans(found)] == expected
    keys = [each.recurrence_id for each in found.times]
    assert keys == [f"{each.during.starts_at:%Y%m%dT%H%M%SZ}" for each in found.times]


def test_a_series_from_long_ago_is_followed_up_to_the_window():
    found = read("DTSTART:20080101T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE")

    assert spans(found)[0] == "03-03 09:00 → 03-03 10:00"
    assert len(found.times) == 115


def test_one_time_of_a_series_that_was_moved_or_called_off_is_that_and_no_other():
    series = f"{MEETING}\nRRULE:FREQ=DAILY;COUNT=4"
    moved = (
        f"UID:a\nRECURRENCE-ID;{SHANGHAI_ZONE}:20250305T090000\n"
        f"DTSTART;{SHANGHAI_ZONE}:20250305T140000\nDURATION:PT1H"
    )
    off = (
        "UID:a\nRECURRENCE-ID:20250306T010000Z\nDTSTART:20250306T010000Z\nDURATION:PT1H\n"
        "STATUS:CANCELLED"
    )

    for events in ([series, moved, off], [off, moved, series]):
        found = read(*events)

        assert spans(found) == [
            "03-04 09:00 → 03-04 10:30",
            "03-05 14:00 → 03-05 15:00",
            "03-07 09:00 → 03-07 10:30",
        ]
        # It keeps its name while it moves.
        assert found.times[1].recurrence_id == "20250305T010000Z"


def test_two_events_under_one_name_both_keep_others_out():
    other = MEETING.replace("T09", "T19").replace("T10", "T20")
    found = read(MEETING, other, MEETING)

    assert spans(found) == ["03-04 09:00 → 03-04 10:30", "03-04 19:00 → 03-04 20:30"]
    assert len({(each.uid, each.recurrence_id) for each in found.times}) == 2


def test_names_that_are_too_long_are_kept_by_their_digest():
    found = read(MEETING.replace("UID:a", "UID:" + "x" * 5000) + "\nSUMMARY:" + "长" * 5000)

    assert found.times[0].uid.startswith("sha256:")
    assert len(found.times[0].summary) == 200


EACH_HOUR = "BYHOUR=" + ",".join(map(str, range(24)))
BAD = {
    "no time": ("UID:a", [(4, "start")]),
    "no day": ("DTSTART:20250230T090000", [(5, "instant")]),
    "no instant": ("DTSTART:tomorrow", [(5, "instant")]),
    "a year of no calendar": ("DTSTART:00010101T000000Z", [(5, "year")]),
    "an unknown zone": ("DTSTART;TZID=Mars/Base:20250304T090000", [(5, "time-zone")]),
    "a path for a zone": ("DTSTART;TZID=../../etc/passwd:20250304T090000", [(5, "time-zone")]),
    "ends before it starts": ("DTSTART:20250304T090000\nDTEND:20250304T080000", [(4, "end")]),
    "a negative length": ("DTSTART:20250304T090000\nDURATION:-PT1H", [(4, "end")]),
    "no length": ("DTSTART:20250304T090000\nDURATION:long", [(6, "duration")]),
    "years long": ("DTSTART:20250304T090000\nDTEND:20290304T080000", [(4, "length")]),
    "seconds": (MEETING + "\nRRULE:FREQ=SECONDLY", [(8, "rule")]),
    "hours": (MEETING + "\nRRULE:FREQ=HOURLY", [(8, "rule")]),
    "a thousand times a day": (
        f"{MEETING}\nRRULE:FREQ=DAILY;{EACH_HOUR};BYMINUTE=0,30",
        [(8, "rule")],
    ),
    "no interval": (MEETING + "\nRRULE:FREQ=DAILY;INTERVAL=0", [(8, "rule")]),
    "an endless interval": (MEETING + "\nRRULE:FREQ=DAILY;INTERVAL=9999999999999", [(8, "rule")]),
    "no rule": (MEETING + "\nRRULE:every day", [(8, "rule")]),
    "no weekday": (MEETING + "\nRRULE:FREQ=WEEKLY;BYDAY=XX", [(8, "rule")]),
    "an unknown part": (MEETING + "\nRRULE:FREQ=DAILY;RSCALE=CHINESE", [(8, "rule")]),
    "centuries": (
        f"DTSTART:19700101T090000\nDURATION:PT1H\nRRULE:FREQ=YEARLY;BYDAY=MO;{EACH_HOUR}",
        [(7, "repeats")],
    ),
    "too many": (f"{MEETING}\nRRULE:FREQ=DAILY;{EACH_HOUR}", [(4, "times")]),
    "periods": (MEETING + "\nRDATE;VALUE=PERIOD:20250310T090000Z/PT1H", [(8, "period")]),
    "and all that follow": (
        MEETING + "\nRECURRENCE-ID;RANGE=THISANDFUTURE:20250304T010000Z",
        [(8, "range")],
    ),
    "an old exception rule": (MEETING + "\nEXRULE:FREQ=DAILY", [(8, "exrule")]),
    "no value": ("DTSTART", [(5, "line")]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_told_by_line(name: str):
    event, expected = BAD[name]

    assert problems(read(event)) == expected


def test_a_file_that_is_wrong_in_several_places_says_all_of_them_and_lands_nothing():
    found = read(MEETING, "UID:b", "DTSTART:x\nDURATION:y")

    assert problems(found) == [(9, "start"), (13, "instant"), (14, "duration")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", [(1, "calendar")]),
        (b"<html><body>Sign in first</body></html>", [(1, "calendar")]),
        (b"BEGIN:VEVENT\nDTSTART:20250304T090000\nEND:VEVENT\n", [(1, "calendar")]),
        ("BEGIN:VCALENDAR\nX-NAME:仪器\nEND:VCALENDAR".encode("gb18030"), [(2, "encoding")]),
        (
            b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20250304T09",
            [(3, "instant"), (1, "end"), (2, "end")],
        ),
        (b"BEGIN:VCALENDAR\nEND:VEVENT\nEND:VCALENDAR", [(2, "end")]),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:X\n" * 50, [(9, "depth")]),
        (b" " * (BYTES_MAX + 1), [(0, "size")]),
    ],
)  # fmt: skip
def test_what_is_no_calendar_says_why(content: bytes, expected: list[tuple[int, str]]):
    found = problems(read_calendar(content, WINDOW))

    assert sorted(found) == sorted(expected)


def test_an_empty_calendar_is_one_without_busy_times():
    assert read().problems == ()
    assert read().times == ()


def test_problems_are_bounded_like_times():
    found = read(*["UID:b"] * (PROBLEMS_MAX + 50))

    assert len(found.problems) == PROBLEMS_MAX
    many = read(*[f"{MEETING}\nUID:{number}" for number in range(TIMES_MAX)])
    assert len(many.times) == TIMES_MAX


days = st.dates(date(2024, 1, 1), date(2026, 6, 1))
rules = st.builds(
    lambda freq, interval, ends, extra: ";".join(
        [f"FREQ={freq}", f"INTERVAL={interval}", *ends, *extra.get(freq, [])]
    ),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 4),
    st.sampled_from([[], ["COUNT=7"], ["COUNT=400"], ["UNTIL=20250901T000000Z"]]),
    st.fixed_dictionaries(
        {},
        optional={
            "WEEKLY": st.sampled_from([["BYDAY=MO,FR"], ["BYDAY=SU;WKST=SU"], ["BYHOUR=8,20"]]),
            "MONTHLY": st.sampled_from(
                [["BYMONTHDAY=31"], ["BYDAY=2TU"], ["BYDAY=MO,TU;BYSETPOS=-1"], ["BYMONTHDAY=-1"]]
            ),
            "YEARLY": st.sampled_from([["BYMONTH=2,3;BYMONTHDAY=29"], ["BYDAY=1MO"]]),
        },
    ),
)
zones = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC"])


@given(
    day=days,
    hour=st.integers(0, 23),
    minutes=st.integers(1, 3000),
    zone=zones,
    rule=rules,
    left_out=st.lists(st.integers(0, 30), max_size=3),
    added=st.lists(days, max_size=3),
)
@settings(max_examples=250, deadline=None)
def test_repetitions_are_those_that_an_independent_library_finds(
    day: date,
    hour: int,
    minutes: int,
    zone: str,
    rule: str,
    left_out: list[int],
    added: list[date],
):
    start = f"{day:%Y%m%d}T{hour:02}3000"
    lines = [
        "UID:a",
        f"DTSTART;TZID={zone}:{start}",
        f"DURATION:PT{minutes}M",
        f"RRULE:{rule}",
        *(
            f"EXDATE;TZID={zone}:{day + timedelta(days=each):%Y%m%d}T{hour:02}3000"
            for each in left_out
        ),
        *(f"RDATE;TZID={zone}:{each:%Y%m%d}T{hour:02}3000" for each in added),
    ]
    content = a_file("\n".join(lines))

    found = read_calendar(content, WINDOW)
    oracle = recurring_ical_events.of(icalendar.Calendar.from_ical(content)).between(
        WINDOW.starts_at, WINDOW.ends_at
    )

    assert found.problems == ()
    ours = {each.during.starts_at for each in found.times}
    theirs = {each.start.astimezone(UTC) for each in oracle}
    first = datetime.strptime(start, "%Y%m%dT%H%M%S")
    # A first time that its own rule does not name is left to each calendar (RFC 5545, 3.8.5.3).
    assert {
        at for at in ours ^ theirs if at.astimezone(each_zone(zone)).replace(tzinfo=None) != first
    } == set()


def each_zone(name: str):

    return ZoneInfo(name)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_it_stumble(content: bytes):
    found = read_calendar(content, WINDOW)

    assert found.times == ()


pieces = st.sampled_from(
    [
        "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTIMEZONE",
        "END:VTIMEZONE", "BEGIN:STANDARD", "END:STANDARD", "TZID:Our Lab", "TZOFFSETFROM:+0800",
        "TZOFFSETTO:x", "DTSTART;TZID=Our Lab:20250304T090000", "DTSTART:20250304", "DURATION:P1D",
        "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY;BYDAY=99XX", "RDATE:,", "EXDATE;TZID=:2", "UID",
        "RECURRENCE-ID:20250304", "DTSTART;VALUE=DATE;TZID=\"x:20250304T090000Z", ";:", " x", "",
        "RRULE:FREQ=YEARLY;BYEASTER=1", "RRULE:FREQ=DAILY;UNTIL=;COUNT=-1", "SUMMARY;;;=:\\",
    ]
)  # fmt: skip


@given(st.lists(pieces, max_size=40))
@settings(max_examples=400, deadline=None)
def test_no_mixture_of_lines_makes_it_stumble(lines: list[str]):
    found = read_calendar("\r\n".join(["BEGIN:VCALENDAR", *lines]).encode(), WINDOW)

    assert not (found.times and found.problems)
    assert all(During(each.during.starts_at, each.during.ends_at) for each in found.times)
