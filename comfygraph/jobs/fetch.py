"""
Fetch the node catalog of a ComfyUI server: `GET /object_info`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import httpx

from comfygraph.catalog.node_catalog import NodeCatalog, catalog_from_mapping
from comfygraph.catalog.stored import looks_like_catalog
from comfygraph.core.within import within
from comfygraph.errors import ProtocolError, ServiceUnavailable
from comfygraph.jobs import wire
from comfygraph.targets.base import plain_base_url
from comfygraph.targets.comfyui import basic_auth, configured_auth, server_urls
from comfygraph.targets.failures import refusal
from comfygraph.targets.http import (
    Auth,
    HttpRequest,
    HttpResponse,
    Secret,
    bearer,
    same_origin,
)

MAX_BYTES = 256 << 20
"""The largest answer that is read; a server with a thousand packs gives about 50 MB."""
MAX_COMMAS = 10_000_000
"""The most commas in one: there is one in 22 bytes of the core's catalog."""
CONNECT_TIMEOUT = 10.0
ANSWER_TIMEOUT = 60.0
"""Seconds until the answer begins: a server builds it anew, listing all model folders."""
DEADLINE = 300.0

_HOPS = 5
_PATH = "/object_info"


def server_url(url: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """
    Give the address of the server: the argument, then the first in `COMFYUI_URL`, then ComfyUI's
    default.
    """
    return url or server_urls(environ)[0]


def server_place(url: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """
    Give the address of the server without credentials and without the path of its catalog.

    Raises:
        UsageError: It is no `http:` or `https:` URL.
    """
    return plain_base_url(server_url(url, environ)).removesuffix(_PATH)


def server_auth(
    url: str, token: Secret | None, environ: Mapping[str, str] = os.environ
) -> Auth | None:
    """
    Give the credentials for a server, or `None`.

    A token that was handed in comes first, then the user and password in the URL. What
    `COMFYUI_TOKEN`, `COMFYUI_API_KEY` and `COMFYUI_HEADERS` hold belongs to the servers in
    `COMFYUI_URL`, and goes to no other.
    """
    if token:
        return bearer(token)
    in_url = basic_auth(url)
    if in_url is not None:
        return in_url
    home = next((home for home in server_urls(environ) if same_origin(url, home)), None)
    return configured_auth(home, environ) if home is not None else None


def fetch_catalog(
    url: str | None = None,
    *,
    token: Secret | None = None,
    environ: Mapping[str, str] = os.environ,
    deadline: float = DEADLINE,
    max_bytes: int = MAX_BYTES,
    transport: httpx.BaseTransport | None = None,
) -> NodeCatalog:
    """
    Fetch the catalog of a ComfyUI server.

    Args:
        url: The server, or its `/object_info`; default is `COMFYUI_URL`, then ComfyUI's own
            default address.
        token: A bearer token, for a server behind a proxy that asks for one.
        environ: Where `COMFYUI_URL` and `COMFYUI_TOKEN` are looked up.
        deadline: Seconds that all of it may take.
        max_bytes: The most bytes to read.
        transport: What sends requests, in place of the network.

    Raises:
        TargetError: The server is out of reach, refuses, or gives no catalog.
        UsageError: The address is no `http:` or `https:` URL.
    """
    document = fetch_object_info(
        url, token=token, environ=environ, deadline=deadline, max_bytes=max_bytes,
        transport=transport,
    )  # fmt: skip
    place = server_place(url, environ).partition("://")[2]
    return catalog_from_mapping(document, label=f"the server at {place}", origin="server")


def fetch_object_info(
    url: str | None = None,
    *,
    token: Secret | None = None,
    environ: Mapping[str, str] = os.environ,
    deadline: float = DEADLINE,
    max_bytes: int = MAX_BYTES,
    transport: httpx.BaseTransport | None = None,
) -> dict[str, Any]:
    """
    Fetch the `/object_info` document of a ComfyUI server; arguments as for `fetch_catalog`.
    """
    given = server_url(url, environ)
    base = server_place(given, environ)
    request = HttpRequest(
        "GET",
        base + _PATH,
        headers={"Accept": "application/json"},
        auth=server_auth(given, token, environ),
        home=base,
        timeout=ANSWER_TIMEOUT,
        follow=True,
    )
    ends = time.monotonic() + deadline
    options = wire.client_options()
    if transport is not None:
        options = {**options, "transport": transport, "mounts": None}
    with httpx.Client(
        timeout=wire.timeouts(CONNECT_TIMEOUT, min(ANSWER_TIMEOUT, deadline)), **options
    ) as client:
        response = _get(client, request, ends, max_bytes)
    if not response.ok:
        raise refusal(
            "ComfyUI",
            request.scrubbed(response),
            credentials="COMFYUI_TOKEN, or user and password in the URL",
            what=f"`{_PATH}`",
            hint="is this the address of a ComfyUI server?" if response.status == 404 else None,
        )
    return _read(response)


def _get(client: httpx.Client, request: HttpRequest, ends: float, most: int) -> HttpResponse:
    for _ in range(_HOPS):
        try:
            response = within(
                ends - time.monotonic(), partial(_get_once, client, request, ends, most)
            )
        except TimeoutError:
            raise _late() from None
        location = response.header("Location")
        if not 300 <= response.status < 400 or location is None:
            return response
        # `redirected` keeps the credentials for the server that they belong to.
        request = request.redirected(location)
    raise ProtocolError("the server redirects in circles", hint="check the address")


def _get_once(client: httpx.Client, request: HttpRequest, ends: float, most: int) -> HttpResponse:
    body = bytearray()
    try:
        headers = wire.wire_headers(request)
        with client.stream(request.method, request.url, headers=headers) as answer:
            wire.check_packing(answer)
            _, length = wire.answer_head(answer)
            if length is not None and length > most:
                raise _too_large(most)
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
                if time.monotonic() > ends:
                    raise _late()
            return wire.whole_answer(answer, bytes(body))
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
        place = server_place(request.url)
        why = wire.unreached(exc, CONNECT_TIMEOUT, ANSWER_TIMEOUT).reason
        raise ServiceUnavailable(
            f"no answer from {place}: {why}",
            hint="is ComfyUI running there?",
        ) from None


def _late() -> ServiceUnavailable:
    return ServiceUnavailable("the server did not give its catalog in time", hint="try again later")


def _too_large(most: int) -> ProtocolError:
    return ProtocolError(f"the answer is larger than {most >> 20} MB, no catalog is that large")


def _read(response: HttpResponse) -> dict[str, Any]:
    if response.is_html() or not response.body.strip():
        response.json()  # has the words for it
    if response.body.count(b",") > MAX_COMMAS:
        raise ProtocolError("the answer has more values than any catalog")
    try:
        document = json.loads(response.body)
    except RecursionError:
        raise ProtocolError("the answer is nested too deeply", status=response.status) from None
    except ValueError as exc:
        # The exception of `json` carries the whole document.
        where = f" at character {exc.pos}" if isinstance(exc, json.JSONDecodeError) else ""
        raise ProtocolError(f"the answer is not JSON{where}", status=response.status) from None
    if not isinstance(document, dict) or not looks_like_catalog(document):
        raise ProtocolError(
            "the answer is JSON, but no node catalog",
            hint="is this the address of a ComfyUI server?",
            status=response.status,
        )
    return document
