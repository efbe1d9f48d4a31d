"""
Credentials: secrets that are never shown, and what makes headers of them.
"""

from __future__ import annotations

import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol
from urllib.parse import quote

_SHORTEST = 4
"""A shorter secret stands in too many words to be blotted out."""


class Secret:
    """
    A text that is never shown: not by `repr`, `str`, `format` or a traceback, and it cannot be pickled.

    Args:
        value: The secret itself; `reveal()` gives it back.
        shown: What stands in its place where a person looks, such as `"Bearer ***"`.
    """  # noqa: E501

    __slots__ = ("_shown", "_value")

    def __init__(self, value: str, shown: str = "***") -> None:
        self._value = value
        self._shown = shown

    def reveal(self) -> str:
        """
        Give the secret; only for what goes onto the wire.
        """
        return self._value

    def __repr__(self) -> str:
        return f"Secret({self._shown!r})"

    def __str__(self) -> str:
        return self._shown

    def __format__(self, spec: str) -> str:
        return format(self._shown, spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


class Auth(Protocol):
    """
    Something that proves who we are; asked anew each time a request goes out,
    because a signature holds the time.
    """

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, Secret]:
        """
        Give the headers that authorise exactly this request.
        """
        ...


@dataclass(frozen=True, slots=True)
class HeaderAuth:
    """
    The same secret headers for every request: a bearer key, basic authentication, an API key header.
    """  # noqa: E501

    values: Mapping[str, Secret]

    def headers(self, method: str, url: str, body: bytes) -> Mapping[str, Secret]:
        """
        Give the headers, whatever the request.
        """
        return self.values


def bearer(token: Secret) -> HeaderAuth:
    """
    Authorise with `Authorization: Bearer <token>`.
    """
    return HeaderAuth({"Authorization": Secret(f"Bearer {token.reveal()}", "Bearer ***")})


def spellings(secret: Secret) -> tuple[str, ...]:
    """
    Give the texts by which somebody may quote a header: all of it, what follows the scheme, the
    password of basic authentication, each also as JSON and addresses write it; the longest first.
    """
    whole = secret.reveal()
    scheme, _, rest = whole.partition(" ")
    found = {whole, rest}
    if scheme.lower() == "basic":
        try:
            pair = binascii.a2b_base64(rest).decode(errors="replace")
        except binascii.Error:
            pair = ""
        found |= {pair, pair.partition(":")[2]}
    found |= {json.dumps(text)[1:-1] for text in found} | {quote(text, safe="") for text in found}
    return tuple(sorted((text for text in found if len(text) >= _SHORTEST), key=len, reverse=True))
