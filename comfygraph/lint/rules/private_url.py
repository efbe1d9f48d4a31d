"""
CG610 private-url.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import shown

LONGEST = 4096
"""Longer texts are no address."""

URL = re.compile(
    r"\s*[a-z][a-z0-9+.-]*://(?:[^/?#@\s]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^/:?#\s]+)", re.I
)
PRIVATE_NAMES = (".local", ".localhost", ".internal", ".lan", ".home", ".intranet", ".corp")


def _is_private(host: str) -> bool:
    name = host.strip("[]").rstrip(".").casefold()
    if name == "localhost" or name.endswith(PRIVATE_NAMES):
        return True
    if not any(mark in name for mark in ".:"):
        return False  # One word is as likely a scheme of our own, such as `embedding://`.
    from ipaddress import ip_address

    try:
        address = ip_address(name)
    except ValueError:
        return False
    return address.is_private or address.is_loopback or address.is_link_local


@rule(
    id="CG610",
    name="private-url",
    severity=Severity.WARNING,
    signs=("url",),
)
def private_url(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports URLs that lead into a private network: `localhost`, `192.168.…`, `.local`.

    ## Why is this bad?
    A server elsewhere cannot reach them, or reaches another machine than you meant; and they tell what is in
    your network.

    ## Example
    ```json
    {"1": {"class_type": "PreviewAny", "inputs": {"source": "http://192.168.1.20:8188/view?filename=cat.png"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "PreviewAny", "inputs": {"source": "https://example.com/cat.png"}}}
    ```
    """
    for node_id, name, value, _ in ctx.strings:
        found = URL.match(value) if "://" in value and len(value) < LONGEST else None
        if found is None or not _is_private(found["host"]):
            continue
        message = f"`{name}` leads into a private network: {shown(found['host'])}"
        help = "upload the file, or give an address that the server can reach"
        yield ctx.at_input(node_id, name, message, help=help)
