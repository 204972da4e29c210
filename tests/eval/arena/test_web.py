"""The page's server: only the person, from this machine and this page; names after the vote only."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from dcomplete.errors import UserError
from dcomplete_eval.arena.sitting import Sitting
from dcomplete_eval.arena.web import Listener, make_app
from tests.eval.arena.scripted import two

pytestmark = pytest.mark.asyncio
PORT, TOKEN = 8123, "a-token-nobody-guesses"
HOME = f"http://127.0.0.1:{PORT}"
PATHS = ("/", "/page.js", "/page.css", "/icon.svg", "/api/pair", "/api/ranking")


@asynccontextmanager
async def client(app, base_url: str = HOME, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=base_url, headers=headers) as found:
        yield found


@pytest.fixture
def sitting(tmp_path):
    with two(tmp_path) as dealer:
        found = Sitting(dealer)
        yield found
        found.close()


@pytest.fixture
def app(sitting):
    return make_app(sitting, PORT, TOKEN, minimum=2)


async def entered(browser: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser that has opened the printed address: it has the cookie."""
    answer = await browser.get(f"/?token={TOKEN}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    return browser


async def test_the_printed_address_lets_a_browser_in_and_the_token_leaves_the_address(app):
    async with client(app) as browser:
        answer = await browser.get(f"/?token={TOKEN}")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        page = await browser.get("/")
        assert page.status_code == 200
        assert TOKEN not in page.text


async def test_every_answer_forbids_what_the_page_does_not_need(app):
    async with client(app) as browser:
        refused = await browser.get("/")
        await entered(browser)
        for answer in (refused, *[await browser.get(path) for path in PATHS]):
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "no-store"
            assert "access-control-allow-origin" not in answer.headers


async def test_the_page_asks_nothing_of_the_outside(app):
    async with client(app) as browser:
        await entered(browser)
        for path in ("/", "/page.js", "/page.css"):
            text = (await browser.get(path)).text.replace("http://www.w3.org/2000/svg", "")
            assert "http:" not in text
            assert "https:" not in text
            assert " style=" not in text
            assert "innerHTML" not in text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [{}, {"cookie": f"dcomplete-arena-{PORT}=wrong"}, {"authorization": "Bearer wrong"},
     {"authorization": f"Basic {TOKEN}"}, {"cookie": "=;;\x7f"}, {"cookie": f"other={TOKEN}"}],
)  # fmt: skip
async def test_without_the_token_there_is_nothing(app, path, headers):
    async with client(app, **headers) as browser:
        answer = await browser.get(path)
        assert answer.status_code == 403
        assert (await browser.get(f"{path}?token=wrong")).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT + 1}", f"0.0.0.0:{PORT}",
     f"127.0.0.1.evil.example:{PORT}", f"[::1]:{PORT}", ""],
)  # fmt: skip
async def test_a_foreign_name_for_this_machine_is_refused(app, host):
    """DNS rebinding: a page of evil.example, which now resolves to 127.0.0.1, with all it could know."""
    async with client(app, authorization=f"Bearer {TOKEN}", host=host) as browser:
        for path in PATHS:
            assert (await browser.get(path)).status_code == 421
        assert (await browser.get(f"/?token={TOKEN}")).status_code == 421
        assert (await browser.post("/api/vote", json={})).status_code == 421


FOREIGN: list[dict[str, str]] = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": f"http://127.0.0.1:{PORT + 1}"},
    {"origin": f"https://127.0.0.1:{PORT}"},
    {"origin": f"http://127.0.0.1:{PORT}.evil.example"},
    {"origin": HOME, "sec-fetch-site": "cross-site"},
    {"origin": HOME, "sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_requests_of_other_sites_are_refused_even_with_the_cookie(app, sitting, headers):
    async with client(app) as browser:
        await entered(browser)
        pair = (await browser.get("/api/pair")).json()
        vote = {"id": pair["id"], "choice": "first"}
        assert (await browser.post("/api/vote", json=vote, headers=headers)).status_code == 403
        for path in PATHS:
            assert (await browser.get(path, headers=headers)).status_code == 403
        assert (await browser.get(f"/?token={TOKEN}", headers=headers)).status_code == 403
        assert sitting.dealer.store.ballots() == []


async def test_a_form_of_another_site_cannot_vote(app, sitting):
    """No Origin at all, or a body that a form can send: neither counts."""
    async with client(app) as browser:
        await entered(browser)
        pair = (await browser.get("/api/pair")).json()
        vote = {"id": pair["id"], "choice": "first"}
        assert (await browser.post("/api/vote", json=vote)).status_code == 403
        plain = {"origin": HOME, "content-type": "text/plain"}
        answer = await browser.post("/api/vote", content=json.dumps(vote), headers=plain)
        assert answer.status_code == 400
        assert (await browser.get("/api/vote", params=vote)).status_code == 405
        assert sitting.dealer.store.ballots() == []


async def test_names_come_with_the_vote_and_not_before(app, sitting):
    async with client(app, origin=HOME) as browser:
        await entered(browser)
        before = [await browser.get(path) for path in PATHS]
        for answer in before:
            assert "planted" not in answer.text + str(answer.headers)
        pair = before[PATHS.index("/api/pair")].json()
        assert set(pair) == {"id", "language", "sides", "votes", "apart"}
        assert before[PATHS.index("/api/ranking")].json() == {
            "error": "The ranking has names in it: vote or skip first."
        }
        told = await browser.post("/api/vote", json={"id": pair["id"], "choice": "second"})
        vote = told.json()["vote"]
        assert {vote[side]["name"] for side in ("first", "second")} == {
            "planted-one", "planted-other",
        }  # fmt: skip
        (ballot,) = sitting.dealer.store.ballots()
        assert (ballot.id, ballot.choice) == (pair["id"], "second")
        assert ballot.first == vote["first"]["name"]
        answers = {"planted-one": "x + 1", "planted-other": "x + 2"}
        shown = "".join(
            piece for line in pair["sides"][0] for piece, _, inside in line["pieces"] if inside
        )
        assert shown == answers[ballot.first]


async def test_the_ranking_is_shown_between_pairs(app):
    async with client(app, origin=HOME) as browser:
        await entered(browser)
        for _ in range(3):
            pair = (await browser.get("/api/pair")).json()
            await browser.post("/api/vote", json={"id": pair["id"], "choice": "tie"})
        ranking = (await browser.get("/api/ranking")).json()
        assert [one["votes"] for one in ranking["standings"]] == [3, 3]
        assert [one["rank"] for one in ranking["standings"]] == [1, 1]
        assert any("half a win" in note for note in ranking["notes"])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "no JSON"),
        ("[" * 5000, "no JSON"),
        ("[]", "Say"),
        ('{"id": 1}', "Say"),
        ('{"id": "x", "choice": "both"}', "first, second, tie, neither"),
        ('{"id": "x", "choice": "first"}', "not shown any more"),
        ('"' + "x" * 20_000 + '"', "too large"),
    ],
)
async def test_what_does_not_fit_is_said(app, content, sentence):
    async with client(app, origin=HOME, **{"content-type": "application/json"}) as browser:
        await entered(browser)
        await browser.get("/api/pair")
        answer = await browser.post("/api/vote", content=content)
        assert answer.status_code == 400
        assert sentence in answer.json()["error"]


async def test_scripts_use_a_bearer_token(app, sitting):
    async with client(app, authorization=f"Bearer {TOKEN}") as script:
        pair = (await script.get("/api/pair")).json()
        assert (await script.get("/api/pair")).json()["id"] == pair["id"], "until it is voted on"
        vote = {"id": pair["id"], "choice": "neither"}
        assert (await script.post("/api/vote", json=vote)).json()["votes"] == 1
        assert (await script.post("/api/vote", json=vote)).status_code == 400, "once"
        pair = (await script.get("/api/pair")).json()
        skip = {"id": pair["id"], "skip": True}
        assert (await script.post("/api/vote", json=skip)).json()["skipped"] == pair["id"]
    assert [ballot.choice for ballot in sitting.dealer.store.ballots()] == ["neither"]


async def test_web_sockets_are_closed(app):
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    await app({"type": "websocket", "headers": [], "path": "/"}, None, send)
    assert said == [{"type": "websocket.close", "code": 1008}]


async def test_it_listens_on_loopback_only_and_a_port_that_is_taken_is_said():
    listener = Listener()
    try:
        assert listener.socket.getsockname()[0] == "127.0.0.1"
        assert listener.port > 0
        assert listener.token in listener.url
        assert len(listener.token) >= 32
        listener.socket.listen()
        with pytest.raises(UserError, match=str(listener.port)):
            Listener(listener.port)
    finally:
        listener.socket.close()
