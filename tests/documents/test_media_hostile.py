"""
Media from people who mean harm: an error of ours, in bounded time and memory.
"""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_samples import (
    SOUND,
    box,
    chunk,
    element,
    handler,
    id3,
    mp4,
    ogg_page,
    picture,
    png,
    recorded,
    samples,
    webm,
)

from comfygraph.documents import open_document
from comfygraph.documents.media import read_media, strip_bytes
from comfygraph.errors import InputError

SAMPLES = samples()
BOMB = zlib.compress(bytes(65 << 20), 9)


def _exif_jpeg(tiff: bytes) -> bytes:
    body = b"Exif\0\0" + tiff
    data = picture("JPEG")
    return data[:2] + b"\xff\xe1" + (2 + len(body)).to_bytes(2, "big") + body + data[2:]


def _nested_boxes(depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = b"moov" + data
        data = (4 + len(data)).to_bytes(4, "big") + data
    return data


def _nested_tags(depth: int) -> bytes:
    sizes = [0]
    for _ in range(depth):
        sizes.append(sizes[-1] + 10)
    heads = [b"\x67\xc8\x01" + size.to_bytes(7, "big") for size in reversed(sizes[:-1])]
    return webm(element(0x1254C367, element(0x7373, b"".join(heads))))


def _ifd(entries: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    table = b"".join(struct.pack(">HHII", *entry) for entry in entries)
    return struct.pack(">H", len(entries)) + table + struct.pack(">I", following)


HOSTILE = {
    "zTXt bomb": png(chunk(b"zTXt", b"prompt\0\0" + BOMB)),
    "iTXt bomb": png(chunk(b"iTXt", b"workflow\0\1\0\0\0" + BOMB)),
    "many small bombs": png(*[chunk(b"zTXt", b"prompt\0\0" + zlib.compress(bytes(17 << 20)))] * 4),
    "ID3 bomb": id3(4, (b"TXXX", bytes(4) + BOMB), frame_flags=0x09) + SOUND,
    "damaged zlib": png(chunk(b"zTXt", b"prompt\0\0" + b"\x78\x9c\xff\xff")),
    "zlib cut short": png(chunk(b"zTXt", b"prompt\0\0" + zlib.compress(b"{}" * 999)[:9])),
    "PNG chunk of 4 GB": recorded("adv_00001.png")[:33] + b"\xff\xff\xff\xfftEXtprompt\0{}",
    "PNG of empty chunks": png()[:33] + chunk(b"teST", b"") * 210_000,
    "PNG without an end": png()[:33] + chunk(b"tEXt", b"prompt\0{}"),
    "WebP chunk of 4 GB": b"RIFF\xff\xff\xff\xffWEBPEXIF\xff\xff\xff\xff" + bytes(50),
    "JPEG segment of no size": b"\xff\xd8\xff\xe1\0\0" + bytes(50),
    "JPEG of padding": b"\xff\xd8" + b"\xff" * 410_000,
    "JPEG of nothing": b"\xff\xd8\xff\xe0\0\x02" + bytes(9),
    "box of no size": mp4(b"\0\0\0\3moov"),
    "box larger than the file": mp4(b"\x7f\xff\xff\xffmoov" + bytes(20)),
    "box of 16 EB": mp4(b"\0\0\0\1moov" + b"\xff" * 8),
    "boxes without end": mp4(b"\0\0\0\x08free" * 210_000),
    "a million keys": mp4(box(b"moov", box(b"udta", box(
        b"meta", bytes(4), handler(b"mdta"), box(b"keys", bytes(4), b"\xff" * 4), box(b"ilst"),
    )))),
    "keys of no size": mp4(box(b"moov", box(b"udta", box(
        b"meta", bytes(4), handler(b"mdta"), box(b"keys", bytes(4), b"\0\1\0\0", bytes(8)),
    )))),
    "element larger than the file": webm(element(0x1254C367, size=1 << 40)),
    "tags of unknown size": webm(element(0x1254C367, unknown=True)),
    "element of unknown size": element(0x1A45DFA3, unknown=True) + bytes(30),
    "no element": webm() + bytes(30),
    "void elements without end": webm(b"\xec\x80" * 210_000),
    "ID3 frame larger than the tag": id3(3, (b"TXXX", b"\0"))[:14] + b"\x7f\xff\xff\xff" + bytes(9),
    "ID3 tag larger than the file": b"ID3\4\0\0\x7f\x7f\x7f\x7f" + bytes(50),
    "ID3 size that is none": b"ID3\4\0\0\xff\xff\xff\xff" + bytes(50),
    "many ID3 tags": id3(3) * 210_000,
    "a billion comments": b"fLaC\x84" + (12).to_bytes(3, "big") + bytes(4) + b"\xff" * 4 + bytes(4),
    "comment of 4 GB": b"fLaC\x84" + (12).to_bytes(3, "big") + b"\xff" * 12,
    "FLAC block of 16 MB": b"fLaC\x04\xff\xff\xff" + bytes(50),
    "many empty comments": b"fLaC\x84" + (8 + 4 * 210_000).to_bytes(3, "big") + bytes(4)
    + (210_000).to_bytes(4, "little") + bytes(4 * 210_000),
    "Ogg of empty pages": ogg_page(1, 0, [8], b"OpusHead", flags=2) + b"".join(
        [ogg_page(1, 1, [], b"")] * 210_000
    ),
    "Ogg without comments": ogg_page(1, 0, [8], b"OpusHead", flags=2),
    "no page of Ogg": ogg_page(1, 0, [8], b"OpusHead", flags=2) + bytes(50),
}  # fmt: skip

HARMLESS = {
    "deep boxes": mp4(_nested_boxes(40_000)),
    "deep tags": _nested_tags(30_000),
    "EXIF that points to itself": _exif_jpeg(
        b"MM\0*\0\0\0\x08" + _ifd([(0x8769, 4, 1, 8), (0x8769, 4, 1, 8)], 8)
    ),
    "EXIF that points nowhere": _exif_jpeg(
        b"MM\0*\0\0\0\x08" + _ifd([(0x8769, 4, 1, 1 << 31), (0x010F, 2, 1 << 31, 8)])
    ),
    "EXIF of many entries": _exif_jpeg(
        b"MM\0*\0\0\0\x08" + _ifd([(0x010E, 2, 60_000, 8)] * 5000)
    ),
    "EXIF of nothing": _exif_jpeg(b"MM\0*"),
    "no EXIF": _exif_jpeg(b"what?"),
    "prompt of brackets": png(chunk(b"tEXt", b"prompt\0" + b'{"a":' * 100_000)),
    "comment of brackets": png(chunk(b"tEXt", b"Comment\0" + b'{"prompt":' * 100_000)),
    "wrapped many times": png(chunk(b"tEXt", b'prompt\0"' + b'\\"' * 100_000 + b'"')),
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused(name: str) -> None:
    """
    A bomb, an absurd size, a loop: an error of ours, and soon.
    """
    data = HOSTILE[name]
    for act in (read_media, open_document, strip_bytes)[: 1 if len(data) > 100_000 else 3]:
        with pytest.raises(InputError):
            act(data)


@pytest.mark.parametrize("name", HARMLESS)
def test_odd_file_is_survived(name: str) -> None:
    """
    Depth, loops and nonsense in places that are passed over: no harm, with or without an error.
    """
    for act in (read_media, open_document, strip_bytes):
        with suppress(InputError):
            act(HARMLESS[name])


def test_memory_of_a_bomb_is_bounded() -> None:
    """
    A bomb is not unpacked beyond the limit.
    """
    data = png(chunk(b"zTXt", b"prompt\0\0" + zlib.compress(zlib.compress(bytes(1 << 26), 9), 9)))
    bomb = HOSTILE["zTXt bomb"]
    tracemalloc.start()
    assert read_media(data).prompt_text is None
    with pytest.raises(InputError, match="unpacks to more than 64 MB"):
        read_media(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 200 << 20


@pytest.mark.parametrize("name", SAMPLES)
def test_every_truncation(name: str) -> None:
    """
    A file that ends too early gives a graph or an error of ours, wherever it ends.
    """
    data = SAMPLES[name]
    for length in [*range(min(len(data), 300)), *range(300, len(data), 53)]:
        _survives(data[:length])


_NUMBERS = st.sampled_from(
    [0, 1, 2, 7, 8, 9, 127, 128, 255, 65535, 1 << 31, (1 << 31) - 1, (1 << 32) - 1]
)
_MUTATION = st.tuples(
    st.sampled_from(["byte", "number", "cut", "repeat", "end", "splice"]),
    st.one_of(st.integers(0, 400), st.integers(0, 20_000)),
    st.integers(0, 255),
    _NUMBERS,
    st.sampled_from(["big", "little"]),
    st.sampled_from(sorted(SAMPLES)),
)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.lists(_MUTATION, min_size=1, max_size=4))
def test_any_mutation(name: str, mutations: list[tuple[str, int, int, int, str, str]]) -> None:
    """
    Whatever is done to a file: no exception but ours, and after a strip no graph.
    """
    data = bytearray(SAMPLES[name])
    for kind, place, byte, number, order, other in mutations:
        at = place % (len(data) + 1)
        if kind == "byte":
            data[at : at + 1] = bytes([byte])
        elif kind == "number":
            big = order == "big"
            data[at : at + 4] = number.to_bytes(4, "big" if big else "little")
        elif kind == "cut":
            del data[at : at + byte % 40]
        elif kind == "repeat":
            data[at:at] = data[at : at + byte]
        elif kind == "end":
            del data[at:]
        else:
            source = SAMPLES[other]
            data[at : at + 16] = source[place % len(source) :][:byte]
    _survives(bytes(data))


@given(st.binary(max_size=200), st.sampled_from(sorted(SAMPLES)))
def test_any_bytes_behind_the_magic(data: bytes, name: str) -> None:
    """
    The first bytes of a format, and then anything.
    """
    _survives(SAMPLES[name][:12] + data)


def _survives(data: bytes) -> None:
    for act in (read_media, open_document):
        with suppress(InputError):
            act(data)
    try:
        stripped, done = strip_bytes(data)
    except InputError:
        return
    left = read_media(stripped) if done.removed or stripped != data else None
    assert left is None or (None, None) == (left.prompt_text, left.workflow_text)
