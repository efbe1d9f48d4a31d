"""
The public key that signatures are checked with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfygraph.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey


def read_public_key(pem: bytes) -> RSAPublicKey:
    """
    Read a public RSA key from PEM.

    Raises:
        UsageError: `cryptography` is not installed, or it is no such key.
    """
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError as exc:
        raise UsageError(
            "checking signatures of TAMS needs the library `cryptography`",
            hint="pip install 'comfygraph[tams]'",
        ) from exc
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):  # its text may quote what was given
        key = None
    if not isinstance(key, rsa.RSAPublicKey):
        raise UsageError(
            "the public key is no RSA key in PEM",
            hint="make one with: openssl rsa -in private_key.pem -pubout -out public_key.pem",
        )
    return key
