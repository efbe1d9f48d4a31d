"""
The RSA signature of TAMS: `Authorization: TAMS-SHA256-RSA app_id=…,nonce_str=…,timestamp=…,signature=…`.

The signature is RSASSA-PKCS1-v1_5 with SHA-256 over method, path, time, nonce and the exact bytes
of the body (TAMS guide, "signature_build"). The library `cryptography` is the extra `tams`.
"""  # noqa: E501

from __future__ import annotations

import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from comfygraph.errors import UsageError
from comfygraph.targets.http import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SCHEME = "TAMS-SHA256-RSA"


def string_to_sign(method: str, url: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """
    Give the bytes that are signed: five parts joined by one LF, none after the body.

    Of the URL only path and query count, as they are sent.
    """
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    head = (method.upper(), path, timestamp, nonce)
    return b"\n".join([*(part.encode() for part in head), body])


def load_private_key(pem: Secret) -> RSAPrivateKey:
    """
    Read a private RSA key from PEM text (PKCS#1 or PKCS#8).

    Raises:
        UsageError: `cryptography` is not installed, or the text is no usable RSA key.
    """
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ImportError as exc:
        raise UsageError(
            "signing for TAMS needs the library `cryptography`",
            hint="pip install 'comfygraph[tams]', or use TAMS_API_KEY",
        ) from exc
    try:
        key = serialization.load_pem_private_key(pem.reveal().encode(), password=None)
    except Exception:  # the library raises many kinds, and their texts may quote the key
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise UsageError(
            "the private key for TAMS is no unencrypted RSA key in PEM",
            hint="make one with: openssl genrsa -out private_key.pem 2048",
        )
    return key


def _unix_time() -> float:
    return time.time()


def _random_nonce() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class RsaAuth:
    """
    Authorise by signing each request.

    Args:
        app_id: The app's id, from the TAMS console.
        key: The private key; its public half stands in the console.
        clock: Gives unix seconds.
        nonce: Gives a text that was not used before.
    """

    app_id: str
    key: RSAPrivateKey = field(repr=False)
    clock: Callable[[], float] = _unix_time
    nonce: Callable[[], str] = _random_nonce

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, Secret]:
        """
        Give the header for exactly this request at this time.
        """
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        timestamp, nonce = str(int(self.clock())), self.nonce()
        message = string_to_sign(method, url, timestamp, nonce, body)
        signature = b64encode(self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())).decode()
        value = (
            f"{SCHEME} app_id={self.app_id},nonce_str={nonce},"
            f"timestamp={timestamp},signature={signature}"
        )
        return {"Authorization": Secret(value, f"{SCHEME} ***")}
