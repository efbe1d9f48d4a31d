"""
Open any file that carries a graph, and find places in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfygraph.documents.document import Document, Kind, open_document, read_bytes, recognise
from comfygraph.documents.json_text import (
    DuplicateKey,
    JsonSyntaxError,
    decode_text,
    duplicate_keys,
    parse_json,
)

if TYPE_CHECKING:
    from comfygraph.documents.positions import LineTable, Span, find_spans, locate, locate_all

__all__ = [
    "Document",
    "DuplicateKey",
    "JsonSyntaxError",
    "Kind",
    "LineTable",
    "Span",
    "decode_text",
    "duplicate_keys",
    "find_spans",
    "locate",
    "locate_all",
    "open_document",
    "parse_json",
    "read_bytes",
    "recognise",
]

_PLACES = {"LineTable", "Span", "find_spans", "locate", "locate_all"}


def __getattr__(name: str) -> Any:
    # A clean file never pays for places.
    if name in _PLACES:
        from comfygraph.documents import positions

        return getattr(positions, name)
    raise AttributeError(f"module 'comfygraph.documents' has no attribute {name!r}")
