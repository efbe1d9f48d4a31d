"""
The two credentials of TAMS, in one header: a bearer token, or an RSA signature.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from starlette.requests import Request

from comfygraph.emulator.host import Host
from comfygraph.emulator.tams.keys import read_public_key
from comfygraph.emulator.web import bearer, faults_of, read_body

SCHEME = "TAMS-SHA256-RSA"
_PARTS = {"app_id", "nonce_str", "timestamp", "signature"}


class UnreadableAuthorizationError(Exception):
    """The header is missing, or is neither of the two forms."""


class RefusedAuthorizationError(Exception):
    """The header can be read, and its credential is wrong."""


def signed_text(method: str, path: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """
    Give the bytes that a signature is made over.

    Args:
        method: Upper case.
        path: With the query, as sent.
        timestamp: As in the header.
        nonce: As in the header.
        body: The exact bytes of the body.
    """
    parts = (method, path, timestamp, nonce)
    return b"\n".join([*(part.encode("utf-8", "surrogateescape") for part in parts), body])


async def caller_of(request: Request, host: Host, nonces: set[str]) -> str:
    """
    Check the credential of a request, and give who it is for.

    Args:
        request: The request.
        host: Knows the good credentials.
        nonces: Those that were used; the one of this request is added.

    Raises:
        UnreadableAuthorizationError: There is no header that can be read.
        RefusedAuthorizationError: The token or the signature is wrong.
    """
    token = bearer(request)
    if token is not None:
        if token != host.token and not host.any_token:
            raise RefusedAuthorizationError
        return token
    header = request.headers.get("authorization", "")
    scheme, _, rest = header.partition(" ")
    # Base64 ends in `=`: each part is split at its first one only.
    parts: dict[str, str] = {}
    for part in rest.split(","):
        name, _, value = part.strip().partition("=")
        parts[name] = value
    if scheme != SCHEME or not parts.keys() >= _PARTS or not all(parts.values()):
        raise UnreadableAuthorizationError
    if host.any_token:
        return parts["app_id"]
    await _verify(request, host, parts)
    if faults_of(request).nonce_once and parts["nonce_str"] in nonces:
        raise RefusedAuthorizationError
    nonces.add(parts["nonce_str"])
    return parts["app_id"]


async def _verify(request: Request, host: Host, parts: Mapping[str, str]) -> None:
    if host.public_key is None or host.app_id not in {None, parts["app_id"]}:
        raise RefusedAuthorizationError
    try:
        skew = abs(host.clock() - int(parts["timestamp"]))
        signature = base64.b64decode(parts["signature"], validate=True)
    except (ValueError, binascii.Error) as exc:
        raise RefusedAuthorizationError from exc
    if skew > faults_of(request).clock_skew:
        raise RefusedAuthorizationError
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
    body = await read_body(request)
    text = signed_text(request.method, path, parts["timestamp"], parts["nonce_str"], body)

    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    key = read_public_key(host.public_key)
    try:
        key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as exc:
        raise RefusedAuthorizationError from exc
