"""
Bars and the other characters of a terminal that shows progress, in Unicode or in ASCII.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """
    What is drawn with.
    """

    full: str
    parts: str
    dot: str
    dots: str

    def bar(self, fraction: float, width: int) -> str:
        """
        Draw a bar of `width` cells, filled to `fraction` (0 to 1).
        """
        parts = self.parts
        eighths = int(fraction * width * len(parts))
        full, rest = divmod(eighths, len(parts))
        bar = self.full * full + (parts[rest] if rest else "")
        return f"{bar:<{width}}"


UNICODE = Glyphs("█", " ▏▎▍▌▋▊▉", " · ", "…")
ASCII = Glyphs("#", " ", ", ", "...")
