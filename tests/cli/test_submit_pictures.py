"""
Sizes of pictures, read from their first bytes.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from comfygraph.cli.pictures import picture_size

HEADS = [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"RIFF1234WEBPVP8 "]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", {}),
        ("a.gif", {}),
        ("a.jpg", {}),
        ("a.jpg", {"progressive": True, "exif": b"Exif\x00\x00" + b"x" * 5000}),
        ("a.webp", {}),
        ("a.webp", {"lossless": True}),
        ("a.webp", {"exif": b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00"}),
    ],
)
def test_sizes(tmp_path: Path, name: str, options: dict[str, object]) -> None:
    """
    Every usual format tells its size.
    """
    path = tmp_path / name
    Image.new("RGB", (321, 123), "red").save(path, **options)

    assert (321, 123) == picture_size(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"RIFF1234WEBPVP8 "]
    ),
    rest=st.binary(max_size=64),
)
def test_any_bytes(tmp_path: Path, head: bytes, rest: bytes) -> None:
    """
    Broken pictures and other files have a size or none, and are never an error.
    """
    path = tmp_path / "x"
    path.write_bytes(head + rest)
    size = picture_size(path)

    assert size is None or 2 == len(size)


def test_no_file(tmp_path: Path) -> None:
    """
    A file that is gone has no size.
    """

    assert picture_size(tmp_path / "nowhere.png") is None
