"""
Open any file that carries a graph, and find places in it.
"""

from __future__ import annotations

from comfygraph.documents.document import Document, Kind, open_document, read_bytes, recognise
from comfygraph.documents.json_text import (
    DuplicateKey,
    JsonSyntaxError,
    decode_text,
    duplicate_keys,
    parse_json,
)
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
