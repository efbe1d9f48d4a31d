"""
Pictures of samplers at work: saved in a folder, and shown in terminals that can.

iTerm2's protocol (https://iterm2.com/documentation-images.html) takes any file; kitty's
(https://sw.kovidgoyal.net/kitty/graphics-protocol/) takes PNG, so that Pillow has to be there.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from comfygraph.errors import UsageError
from comfygraph.jobs.names import safe_name
from comfygraph.targets.events import Event, NodeFailed, NodeFinished, NodePreview

_ITERM = frozenset({"iTerm.app", "WezTerm", "mintty", "rio"})
_KITTY = frozenset({"ghostty"})
_ROWS = 12
_CHUNK = 4096
"""The most characters of a picture that kitty takes at a time."""
_MAX_PIXELS = 1 << 24


def picture_protocol(environ: Mapping[str, str]) -> str | None:
    """
    Say how the terminal takes pictures: `"iterm"`, `"kitty"`, or `None` for not at all.

    Inside tmux and screen there is none: they keep what they do not know to themselves.
    """
    terminal, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if "TMUX" in environ or terminal.startswith(("screen", "tmux", "dumb")):
        return None
    if program in _ITERM or environ.get("LC_TERMINAL") == "iTerm2":
        return "iterm"
    if "KITTY_WINDOW_ID" in environ or terminal == "xterm-kitty" or program in _KITTY:
        return "kitty"
    return None


def inline_picture(data: bytes, protocol: str, *, rows: int = _ROWS) -> str | None:
    """
    Give what a terminal shows as a picture of so many rows; `None` where it cannot be made.
    """
    if protocol == "iterm":
        payload = b64encode(data).decode()
        head = f"size={len(data)};height={rows};preserveAspectRatio=1;inline=1"
        return f"\x1b]1337;File={head}:{payload}\x07"
    png = _as_png(data)
    if png is None:
        return None
    payload = b64encode(png).decode()
    parts = [payload[place : place + _CHUNK] for place in range(0, len(payload), _CHUNK)]
    out = []
    for number, part in enumerate(parts):
        first = f"a=T,f=100,q=2,r={rows}," if number == 0 else ""
        out.append(f"\x1b_G{first}m={int(number < len(parts) - 1)};{part}\x1b\\")
    return "".join(out)


def _as_png(data: bytes) -> bytes | None:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    try:
        from PIL import Image
    except ImportError:
        return None
    out = BytesIO()
    try:
        with Image.open(BytesIO(data)) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                return None
            picture.convert("RGB").save(out, "PNG")
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    return out.getvalue()


class Previews:
    """
    Takes the pictures of one job.

    Args:
        folder: Where they are saved; made if it is not there.
        protocol: How the terminal takes pictures, or `None` where it shows none.

    Raises:
        UsageError: The folder cannot be made.
    """

    def __init__(self, folder: Path, protocol: str | None) -> None:
        self._folder = folder
        self._protocol = protocol
        self._counts: dict[str, int] = {}
        self._last: dict[str, bytes] = {}
        self.saved = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            reason = (exc.strerror or str(exc)).lower()
            raise UsageError(f"cannot write previews to `{folder}`: {reason}") from exc

    def take(self, event: Event, job_id: str) -> str | None:
        """
        Save a preview; when its node is done, give the last one for the terminal, where it can.

        Raises:
            UsageError: The folder refuses.
        """
        match event:
            case NodePreview(node_id=node_id, image=image, media_type=media_type):
                node = node_id or "unknown"
                self._last[node] = image
                self._save(node, job_id, image, media_type)
            case NodeFinished(node_id=node_id) | NodeFailed(node_id=node_id):
                last = self._last.pop(node_id, None)
                if last is not None and self._protocol is not None:
                    return inline_picture(last, self._protocol)
            case _:
                pass
        return None

    def _save(self, node: str, job_id: str, image: bytes, media_type: str) -> None:
        number = self._counts[node] = self._counts.get(node, 0) + 1
        stem = f"{job_id[:8]}_{node.replace('/', '_')}_{number:03}"
        path = self._folder / safe_name(stem, media_type=media_type)
        try:
            path.write_bytes(image)
        except OSError as exc:
            reason = (exc.strerror or str(exc)).lower()
            raise UsageError(f"cannot write previews to `{self._folder}`: {reason}") from exc
        self.saved += 1
