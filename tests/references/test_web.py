"""
Asking services: again where that helps, once where it is known, and credentials to nobody else.
"""

from __future__ import annotations

import pickle
import sqlite3
import traceback
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from asked import Given, serving

from comfygraph.errors import (
    AuthenticationError,
    ProtocolError,
    RateLimited,
    ServiceUnavailable,
    TargetError,
    UsageError,
)
from comfygraph.references.air import Air
from comfygraph.references.cache import AnswerCache
from comfygraph.references.civitai import CivitaiSite, CivitaiVersion
from comfygraph.references.lookup import Lookup
from comfygraph.references.web import OfflineError, Web
from comfygraph.targets.http import HttpResponse, Secret

TOKEN = "very-secret-token"
VERSION = {"id": 7, "modelId": 3, "baseModel": "SD 1.5", "model": {"type": "LORA", "name": "x"}}
AIR = Air.parse("urn:air:sd1:lora:civitai:3@7")


NewWeb = Callable[..., Web]


class Naps(list[float]):
    """Takes note of waits instead of waiting."""

    def __call__(self, seconds: float) -> None:
        self.append(round(seconds, 1))


def ask(web: Web, url: str, number: int = 7) -> CivitaiVersion | None:
    """
    Ask for a version, and keep the answer for a minute.
    """
    return web.run(CivitaiSite(url).version(number), lambda _: 60.0)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 525])
def test_troubles_that_pass(status: int, new_web: NewWeb) -> None:
    """
    A service in trouble is asked again, after longer and longer waits.
    """
    naps = Naps()
    page = Given(status, b"<!DOCTYPE html><html></html>")
    with serving(page, page, Given(200, VERSION)) as server:
        found = ask(new_web(sleep=naps), server.url)

    assert 7 == (found.id if found else None)
    assert ["GET /api/v1/model-versions/7"] * 3 == [request for request, _ in server.asked]
    assert [1, 1] == [0.5 <= naps[0] < 0.8, 1 <= naps[1] < 1.3]


def test_a_service_says_how_long_to_wait(new_web: NewWeb) -> None:
    """
    `Retry-After` is waited for; one that is too long ends the question.
    """
    naps = Naps()
    with serving(Given(429, {}, {"Retry-After": "3"}), Given(200, VERSION)) as server:
        ask(new_web(sleep=naps), server.url)
    with (
        serving(Given(429, {}, {"Retry-After": "900"})) as other,
        pytest.raises(RateLimited) as caught,
    ):
        ask(new_web(sleep=naps), other.url)

    assert [3.0] == naps
    assert 900 == caught.value.retry_after
    assert 1 == len(other.asked)


def test_a_service_that_stays_in_trouble_is_left_alone(new_web: NewWeb) -> None:
    """
    After four tries it is an error, and a server out of reach is not tried for the next model.
    """
    naps = Naps()
    web = new_web(sleep=naps)
    with serving(Given(503, {})) as server, pytest.raises(ServiceUnavailable):
        ask(web, server.url)
    closed = server.url
    for number in (1, 2):
        with pytest.raises(ServiceUnavailable) as caught:
            ask(web, closed, number)

        assert "127.0.0.1 is out of reach: there is no connection" == str(caught.value)
    assert 4 == len(server.asked)
    assert 3 + 3 == len(naps)


def test_requests_to_one_server_are_spaced(new_web: NewWeb) -> None:
    """
    TAMS takes five requests a second, so two to one server are a moment apart.
    """
    naps, now = Naps(), [0.0]
    web = new_web(sleep=naps, spacing=0.2, clock=lambda: now[0])
    with serving(Given(404, {})) as server:
        ask(web, server.url, 1)
        ask(web, server.url, 2)
        now[0] = 5.0
        ask(web, server.url, 3)

    assert [0.2] == naps


def test_answers_are_kept(tmp_path: Path, new_web: NewWeb) -> None:
    """
    The same question is asked once in a run, once in a while between runs, and anew on demand.
    """
    now = [1000.0]
    cache = AnswerCache(tmp_path / "deep" / "c.sqlite3", clock=lambda: now[0])
    with serving(Given(200, VERSION)) as server:
        web = new_web()
        found = [ask(web, server.url), ask(web, server.url)]
        once = len(server.asked)
        found += [ask(new_web(cache=cache), server.url) for _ in range(3)]
        twice = len(server.asked)
        ask(new_web(cache=cache, refresh=True), server.url)
        now[0] += 61
        ask(new_web(cache=cache), server.url)
        now[0] += 61
        found.append(ask(new_web(offline=True, cache=cache), server.url))

    assert (1, 2, 4) == (once, twice, len(server.asked))
    assert {AIR} == {version.air for version in found if version is not None}


def test_offline_asks_nobody(tmp_path: Path, new_web: NewWeb) -> None:
    """
    Without a kept answer, being offline is told, and nothing is sent.
    """
    with serving(Given(200, VERSION)) as server, pytest.raises(OfflineError) as caught:
        ask(new_web(offline=True, cache=AnswerCache(tmp_path / "c")), server.url)

    assert "127.0.0.1 was not asked" == str(caught.value)
    assert [] == server.asked


def test_errors_are_not_kept(tmp_path: Path, new_web: NewWeb) -> None:
    """
    A refusal is asked about again; that there is nothing is kept.
    """
    cache = AnswerCache(tmp_path / "c.sqlite3")
    with serving(Given(403, {"error": "no"}), Given(404, {"error": "Not found"})) as server:
        with pytest.raises(AuthenticationError):
            ask(new_web(cache=cache), server.url)
        found = [ask(new_web(cache=cache), server.url) for _ in range(2)]

    assert [None, None] == found
    assert 2 == len(server.asked)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_broken_cache_costs_time_only(tmp_path: Path, content: bytes) -> None:
    """
    A cache that is none is made anew; one in a place that cannot be written is done without.
    """
    path = tmp_path / "c.sqlite3"
    path.write_bytes(content)
    response = HttpResponse(200, {}, b"{}")
    AnswerCache(path).put("k", response, 60)
    blocked = AnswerCache(path / "below" / "c.sqlite3")
    blocked.put("k", response, 60)

    assert (b"{}", None) == (
        getattr(AnswerCache(path).get("k"), "body", None), blocked.get("k"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("expires", "soon"),
        ("status", "fine"),
        ("body", "text"),
        ("body", 7),
        ("body", b""),
        ("body", b"no zlib"),
        ("stored", "then"),
    ],
)
def test_a_row_that_somebody_else_wrote(
    tmp_path: Path, new_web: NewWeb, column: str, value: object
) -> None:
    """
    A row of the cache that cannot be read is no answer: the service is asked again.
    """
    cache = AnswerCache(tmp_path / "c.sqlite3")
    with serving(Given(200, VERSION)) as server:
        ask(new_web(cache=cache), server.url)
        with closing(sqlite3.connect(cache.path)) as database, database:
            database.execute(f"UPDATE answers SET {column} = ?", (value,))
        found = ask(new_web(cache=cache), server.url)

    assert 7 == (found.id if found else None)


@pytest.mark.parametrize("body", [b"{broken", b"[]", b'{"id": 8}'])
def test_a_kept_answer_that_makes_no_sense(tmp_path: Path, new_web: NewWeb, body: bytes) -> None:
    """
    An answer that makes no sense, or is about another model, is not kept for long: the next
    question goes to the service.
    """
    cache = AnswerCache(tmp_path / "c.sqlite3")
    with serving(Given(200, VERSION)) as server:
        ask(new_web(cache=cache), server.url)
        with closing(sqlite3.connect(cache.path)) as database, database:
            database.execute("UPDATE answers SET body = ?", (zlib.compress(body),))
        with pytest.raises(ProtocolError):
            ask(new_web(cache=cache), server.url)
        found = ask(new_web(cache=cache), server.url)

    assert 7 == (found.id if found else None)
    assert 2 == len(server.asked)


def test_the_cache_holds_no_credential_and_forgets_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new_web: NewWeb
) -> None:
    """
    What is on disk is the service's answer, and no more of it than there is room for.
    """
    monkeypatch.setattr("comfygraph.references.cache.MOST", 2)
    now = [0.0]
    path = tmp_path / "c.sqlite3"
    cache = AnswerCache(path, clock=lambda: now[0])
    with serving(Given(200, {"air": str(AIR), "canGenerate": True})) as server:
        site = CivitaiSite(server.url, server.url, Secret(TOKEN))
        for number in range(4):
            now[0] += 1
            air = Air.civitai("sd1", "lora", 3, number)
            new_web(cache=cache).run(site.resource(air), lambda _: 60.0)
    rows = sqlite3.connect(path).execute("SELECT COUNT(*) FROM answers").fetchone()

    assert (2,) == rows
    assert TOKEN.encode() not in path.read_bytes()
    assert {f"Bearer {TOKEN}"} == {headers["Authorization"] for _, headers in server.asked}


def test_the_air_stands_in_the_path_as_it_is(new_web: NewWeb) -> None:
    """
    The orchestration answers 400 to an AIR whose colons and slashes are quoted.
    """
    air = Air.parse(
        "urn:air:flux1:vae:huggingface:black-forest-labs/FLUX.1-dev@main/ae.safetensors"
    )
    with serving(Given(200, {"canGenerate": False})) as server:
        found = new_web().run(CivitaiSite(server.url, server.url, Secret("x")).resource(air))

    assert [f"GET /v2/resources/{air}"] == [request for request, _ in server.asked]
    assert (False, str(air)) == ((found.can_generate, found.air) if found else None)


def test_credentials_stay_with_their_service(new_web: NewWeb) -> None:
    """
    The site gets no token, and a redirect to another host is followed without one.
    """
    with serving(Given(200, VERSION)) as elsewhere:
        away = Given(302, b"", {"Location": elsewhere.url.replace("127.0.0.1", "localhost")})
        with serving(away) as server:
            site = CivitaiSite(server.url, server.url, Secret(TOKEN))
            new_web().run(site.version(7))
            with pytest.raises(ProtocolError) as caught:
                new_web().run(site.resource(AIR))
    seen = [headers for _, headers in (*server.asked[:1], *elsewhere.asked)]

    assert 2 == len(seen)
    assert [None, None] == [headers.get("Authorization") for headers in seen]
    assert "the service redirects GET to `http://localhost`" == str(caught.value)


def test_redirects_end(new_web: NewWeb) -> None:
    """
    A site that redirects in a circle is an error.
    """
    with serving(Given(301, b"", {"Location": "/again"})) as server, pytest.raises(ProtocolError):
        ask(new_web(), server.url)

    assert 6 == len(server.asked)


@pytest.mark.parametrize("token", ["has\nnewline", "schlüssel", "tab\there"])
def test_no_error_shows_a_credential(token: str, new_web: NewWeb) -> None:
    """
    A token that no header can carry is refused without being shown.
    """
    site = CivitaiSite("http://127.0.0.1:9", "http://127.0.0.1:9", Secret(token))
    with pytest.raises(UsageError) as caught:
        new_web().run(site.resource(AIR))
    text = "".join(traceback.format_exception(caught.value)) + repr(site.__dict__)

    assert token not in text


def test_a_service_that_quotes_our_credential(new_web: NewWeb) -> None:
    """
    A refusal with our own token in it is blotted before it becomes a message.
    """
    site_of = CivitaiSite
    with serving(Given(403, {"detail": f"bad token {TOKEN}"})) as server:
        site = site_of(server.url, server.url, Secret(TOKEN))
        with pytest.raises(TargetError) as caught:
            new_web().run(site.resource(AIR))

    assert "Civitai does not permit this (HTTP 403): bad token ***" == str(caught.value)
    assert TOKEN.encode() not in pickle.dumps(str(caught.value))


def test_a_lookup_is_set_up_late(new_web: NewWeb) -> None:
    """
    Credentials of services that are not asked are not needed.
    """
    with serving(Given(200, VERSION)) as server:
        config = {"CIVITAI_SITE_URL": f"{server.url}/api/v1/"}
        with Lookup(config, web=new_web()) as lookup:
            found = lookup.civitai_version(7)
            with pytest.raises(UsageError) as caught:
                lookup.novita_model(7)

    assert AIR == (found.air if found else None)
    assert "no credentials for Novita" == str(caught.value)
