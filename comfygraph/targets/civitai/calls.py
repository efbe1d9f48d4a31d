"""
What all calls of Civitai's orchestration API share: how a request is made and an answer is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from comfygraph.core.values import JsonValue
from comfygraph.errors import ProtocolError
from comfygraph.references.air import Air
from comfygraph.targets.base import plain_base_url
from comfygraph.targets.civitai.problems import problem
from comfygraph.targets.http import Auth, HttpRequest, HttpResponse, Resend, json_body
from comfygraph.targets.reading import identifier, items, mapping, mappings

DEFAULT_BASE_URL = "https://orchestration.civitai.com"

_ACCEPT = {"Accept": "application/json"}
_JSON = {"Accept": "application/json", "Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Page:
    """
    A page of a list.

    Args:
        items: Its entries, as the service gives them.
        next: The cursor of the next page; empty at the end.
    """

    items: tuple[dict[str, JsonValue], ...]
    next: str = ""


class Calls:
    """
    Makes the requests of one account.

    Args:
        auth: `bearer(...)` of an API key.
        base_url: Where the orchestration API is.
    """

    def __init__(self, *, auth: Auth, base_url: str = DEFAULT_BASE_URL) -> None:
        self.base_url = plain_base_url(base_url)
        self.auth = auth

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        body: JsonValue = None,
        *,
        resend: Resend = Resend.ALWAYS,
        timeout: float = 30.0,
        headers: Mapping[str, str] | None = None,
    ) -> HttpRequest:
        """
        Make a request to the service.
        """
        tail = f"?{urlencode(query, errors='replace')}" if query else ""
        return HttpRequest(
            method,
            f"{self.base_url}{path}{tail}",
            headers or (_ACCEPT if body is None else _JSON),
            b"" if body is None else json_body(body),
            auth=self.auth,
            home=self.base_url,
            resend=resend,
            timeout=timeout,
        )


def quoted(name: str) -> str:
    """
    Give a text as one part of a path.
    """
    return _no_dots(quote(name, safe="", errors="replace"))


def resource_path(air: Air) -> str:
    """
    Give the path of a model. The service refuses an AIR whose `/`, `:` and `@` are encoded.
    """
    return f"/v2/resources/{'/'.join(map(_no_dots, quote(str(air), safe='/:@+').split('/')))}"


def _no_dots(part: str) -> str:
    # a part of dots alone would be taken for a step up or none
    return part if part.strip(".") else part.replace(".", "%2E")


def word(value: bool) -> str:
    """
    Write a boolean as queries have it.
    """
    return "true" if value else "false"


def done(response: HttpResponse, what: str) -> None:
    """
    Take an answer whose body does not matter.

    Raises:
        TargetError: It is no success.
    """
    if not response.ok:
        raise problem(response, what)


def read_object(response: HttpResponse, what: str) -> dict[str, JsonValue]:
    """
    Read an answer that is an object.

    Raises:
        TargetError: It is no success, or none.
    """
    done(response, what)
    data = response.json()
    if not isinstance(data, dict):
        raise ProtocolError("Civitai answered with no JSON object", status=response.status)
    return data


def read_page(response: HttpResponse) -> Page:
    """
    Read an answer that is a page of a list, or the bare list of the older interface.
    """
    done(response, "list")
    data = response.json()
    if isinstance(data, list):
        return Page(tuple(mappings(data)))
    entries = items(mapping(data).get("items"))
    cursor = identifier(mapping(data).get("next"))
    return Page(tuple(mappings(entries)), cursor)
