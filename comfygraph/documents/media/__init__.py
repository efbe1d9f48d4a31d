"""
Graphs in the metadata of images, sounds and films: reading them, and taking them out.

No library of pictures or sounds is needed: each container format has a reader of its own,
which looks at no more than the metadata.
"""

from __future__ import annotations

from comfygraph.documents.media.containers import LABELS, sniff
from comfygraph.documents.media.fields import printable
from comfygraph.documents.media.reading import MediaGraph, open_seekable, read_media
from comfygraph.documents.media.strip import Stripped, strip_bytes, strip_file, strip_stream

__all__ = [
    "LABELS",
    "MediaGraph",
    "Stripped",
    "open_seekable",
    "printable",
    "read_media",
    "sniff",
    "strip_bytes",
    "strip_file",
    "strip_stream",
]
