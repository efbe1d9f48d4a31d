"""
JSON pointers (RFC 6901).
"""

from __future__ import annotations


def escape_pointer(token: str) -> str:
    """
    Escape one token (RFC 6901, section 3).
    """
    return token.replace("~", "~0").replace("/", "~1")


def parse_pointer(pointer: str) -> list[str]:
    """
    Split a pointer into its tokens.
    """
    if not pointer:
        return []
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]


def pointer_chain(pointer: str) -> list[str]:
    """
    Give a pointer and its parents, up to the whole document.
    """
    chain = [pointer]
    while pointer:
        pointer = pointer[: pointer.rfind("/")]
        chain.append(pointer)
    return chain
