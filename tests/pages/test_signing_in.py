"""Signing in with a browser: one session, of its own, ended when it should be."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from marketplace.kernel.db import atomically
from marketplace.kernel.time import SystemClock
from marketplace.parties.roles import Role
from marketplace.parties.use_cases import disable_person
from marketplace.web.tour import Stop, Task, Tour, read_tour, write_tour
from tests.builders.pages import OWN_PAGE, Browser
from tests.builders.parties import PASSWORD, TEST, a_person, an_actor, an_sme
from tests.pages.conftest import SHARED

ACCOUNT = "/me/sign-in"


@pytest.fixture
def address() -> str:
    return "buyer@example.com"


async def a_buyer(database, address: str) -> int:
    sme_id = await an_sme(database)
    return await a_person(database, organisation_id=sme_id, roles=(Role.BUYER,), email=address)


async def sign_in(browser: Browser, address: str, password: str = PASSWORD):
    start = await browser.open("/sign-in")
    return await browser.send(start, "/sign-in", email=address, password=password)


async def test_a_page_for_members_asks_to_sign_in_and_leads_back(visitor, database, address):
    await a_buyer(database, address)
    asked = await visitor.open(ACCOUNT, lang="en")
    shown = await visitor.send(asked, "/sign-in", email=address, password=PASSWORD)

    assert asked.path.startswith("/sign-in?next=")
    assert (200, True) == (shown.status, shown.path.startswith(ACCOUNT))


async def test_a_wrong_password_keeps_the_address_and_nothing_else(visitor, database, address):
    await a_buyer(database, address)
    shown = await sign_in(visitor, address, "wrong wrong wrong")

    assert 401 == shown.status
    assert {"email": address, "password": "", "next": ""} == shown.form("/sign-in").fields
    assert "sid" not in visitor.http.cookies


async def test_signing_in_begins_a_session_with_a_name_of_its_own(visitor, database, address):
    await a_buyer(database, address)
    visitor.http.cookies.set("sid", "planted-by-somebody-else", domain="platform.test")
    await sign_in(visitor, address)

    kept = [cookie.value for cookie in visitor.http.cookies.jar if cookie.name == "sid"]
    assert "planted-by-somebody-else" not in kept[-1:]


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(visitor, database, address):
    await a_buyer(database, address)
    answer = await visitor.http.post(
        "/sign-in",
        data={"email": address, "password": PASSWORD},
        headers=OWN_PAGE,
        follow_redirects=False,
    )
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if "sid=" in each]

    assert 303 == answer.status_code
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_signing_out_ends_the_session_on_the_server(visitor, database, address):
    await a_buyer(database, address)
    await sign_in(visitor, address)
    kept = visitor.http.cookies["sid"]
    await visitor.post("/sign-out", {})
    visitor.http.cookies.set("sid", kept, domain="platform.test")
    again = await visitor.http.get(ACCOUNT, headers=OWN_PAGE, follow_redirects=False)

    assert 303 == again.status_code
    assert again.headers["location"].startswith("/sign-in")


async def test_a_person_who_is_disabled_is_signed_out_at_once(visitor, database, address):
    person_id = await a_buyer(database, address)
    await sign_in(visitor, address)
    assert ACCOUNT == (await visitor.open(ACCOUNT)).path
    await atomically(database, disable_person, person_id, actor=TEST)

    assert (await visitor.open(ACCOUNT)).path.startswith("/sign-in")


async def test_a_changed_password_ends_every_session(visitor, enter, database, address):
    await a_buyer(database, address)
    await sign_in(visitor, address)
    page = await visitor.open(ACCOUNT)
    wrong = await visitor.send(
        page, ACCOUNT, present=PASSWORD, new="a new long password", again="another"
    )
    right = await visitor.send(
        page,
        ACCOUNT,
        present=PASSWORD,
        new="a new long password",
        again="a new long password",
    )

    assert 400 == wrong.status
    assert right.path.startswith("/sign-in")


async def test_one_acts_for_another_organisation_only_with_a_role_there(enter, database):
    actor = await an_actor(database, Role.BUYER)
    other_id, foreign_id = await an_sme(database), await an_sme(database)
    browser = await enter(actor)
    refused = await browser.post("/act-for", {"organisation": str(foreign_id)})

    assert 403 == refused.status
    assert other_id != foreign_id


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://platform.test"}, 303),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 303),
    ],
    ids=str,
)
async def test_no_other_site_can_send_our_forms(visitor, headers, status):
    answer = await visitor.http.post(
        "/prefs", data={"lang": "en"}, headers=headers, follow_redirects=False
    )

    assert status == answer.status_code


@pytest.mark.parametrize(
    ("asked", "leads"),
    [
        ("/instruments?text=x", "/instruments?text=x"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\nb", "/"),
    ],
)
async def test_nobody_is_sent_to_another_site(visitor, asked, leads):
    answer: httpx.Response = await visitor.http.post(
        "/prefs", data={"lang": "en", "back": asked}, headers=OWN_PAGE, follow_redirects=False
    )

    assert leads == answer.headers["location"]


async def test_language_and_theme_stay_as_chosen(visitor):
    start = await visitor.open("/")
    await visitor.post("/prefs", {**start.form("/prefs").fields, "lang": "en"})
    await visitor.post("/prefs", {"back": "/", "theme": "night"})
    shown = await visitor.open("/")

    assert "en" == shown.lang
    assert 'data-theme="night"' in shown.source


async def test_without_a_tour_there_is_nothing_to_step_into(visitor):
    assert 404 == (await visitor.post("/tour", {"role": "sme"})).status


async def test_a_task_of_the_tour_begins_on_its_page_and_on_no_other_site(
    visitor, database, address, monkeypatch
):
    await a_buyer(database, address)
    task = Task("看创新券", "See your vouchers", "/vouchers")
    stop = Stop("sme", "企业", "SME", address, PASSWORD, (task,))
    monkeypatch.setattr(SHARED.state, "tour", (stop,))

    offered = await visitor.open("/", lang="zh")
    there = await visitor.post("/tour", {"role": "sme", "to": "/vouchers"})
    elsewhere = await visitor.post("/tour", {"role": "sme", "to": "//elsewhere.example/"})

    assert "看创新券" in offered.text
    assert there.path == "/vouchers"
    assert elsewhere.path == "/me"


def test_a_demo_goes_on_from_its_own_forenoon(tmp_path):
    file = tmp_path / "tour.json"
    stop = Stop("sme", "企业", "SME", "a@demo.invalid", "x", (Task("看", "Look", "/me"),))
    write_tour(file, Tour((stop,), ahead_seconds=-3_600))
    kept = read_tour(str(file))
    behind = SystemClock().now() - kept.clock.now()

    assert (stop,) == kept.stops
    assert timedelta(minutes=59) < behind < timedelta(minutes=61)
    assert isinstance(read_tour("").clock, SystemClock)
