"""
Files without their graph: nothing of it is left, and nothing else is gone.
"""

from __future__ import annotations

import io
import os
import stat
import sys
import zlib
from pathlib import Path

import pytest
from media_samples import (
    BOTH,
    PROMPT,
    SOUND,
    WORKFLOW,
    box,
    chunk,
    element,
    exif,
    flac_in_ogg,
    id3,
    keyed_meta,
    mp4,
    picture,
    pixels,
    png,
    recorded,
    samples,
    simple_tag,
    slow_checksum,
    webm,
)
from PIL import Image

from comfygraph.documents import open_document
from comfygraph.documents.media import read_media, strip_bytes, strip_file
from comfygraph.documents.media.ogg import checksum
from comfygraph.errors import InputError

SAMPLES = samples()
KINDS = {name: read_media(data).container for name, data in SAMPLES.items()}
PICTURES = [name for name, kind in KINDS.items() if kind in ("png", "webp", "jpeg", "avif")]
SAME_SIZE = [name for name, kind in KINDS.items() if kind in ("avif", "mp4", "webm", "ogg")]


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_of_the_graph_is_left(name: str) -> None:
    """
    After a strip no reader finds a graph, no word of it is in the file, and a second strip has
    nothing to do.
    """
    data, done = strip_bytes(SAMPLES[name])

    assert done.removed
    assert (len(SAMPLES[name]), len(data)) == (done.size_before, done.size_after)
    with pytest.raises(InputError, match="neither prompt nor workflow"):
        open_document(data)
    for word in ("EmptyImage", "prompt", "workflow", "nodes"):
        for encoding in ("ascii", "utf-16-be"):
            assert word.encode(encoding) not in data.lower()
    again, nothing = strip_bytes(data)
    assert ((), data) == (nothing.removed, again)


@pytest.mark.parametrize("name", PICTURES)
def test_pixels_stay(name: str) -> None:
    """
    Every frame of a picture decodes to the same pixels.
    """
    data, _ = strip_bytes(SAMPLES[name])

    assert pixels(SAMPLES[name]) == pixels(data)


@pytest.mark.parametrize("name", SAME_SIZE)
def test_nothing_moves_where_places_count(name: str) -> None:
    """
    In formats that find their parts by offset the size stays, and the parts stay.
    """
    data, _ = strip_bytes(SAMPLES[name])

    assert len(SAMPLES[name]) == len(data)
    for part in (b"pictures", b"mdat", b"\xa3\x93\x81", b"sound", b"vorbis setup"):
        assert _places(part, SAMPLES[name]) == _places(part, data)


def _places(part: bytes, data: bytes) -> list[int]:
    return [at for at in range(len(data)) if data.startswith(part, at)]


@pytest.mark.parametrize(
    "name", [name for name in SAMPLES if KINDS[name] == "png" and name != "png-exif"]
)
def test_png_loses_its_chunks_and_nothing_else(name: str) -> None:
    """
    A PNG without its graph is the PNG without these chunks, byte for byte.
    """
    data = SAMPLES[name]
    kept, at = data[:8], 8
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] not in (b"tEXt", b"comf", b"zTXt", b"iTXt"):
            kept += data[at:end]
        at = end

    assert kept == strip_bytes(data)[0]


def test_sound_stays() -> None:
    """
    The sound behind the metadata of FLAC and MP3 is the same, byte for byte.
    """
    for name, start in [("flac_00001.flac", b"\xff\xf8"), ("mp3_00001.mp3", b"\xff\xfb")]:
        before, (after, _) = recorded(name), strip_bytes(recorded(name))

        assert after.endswith(before[before.index(start) :])


def test_other_metadata_stays() -> None:
    """
    What is not the graph stays: the camera, titles, authors, covers.
    """
    for name in ("jpeg-camera", "webp-camera", "avif-camera"):
        image = Image.open(io.BytesIO(strip_bytes(SAMPLES[name])[0]))
        assert "a camera" == image.getexif()[0x0131]
    expected = {
        "mp4-comment": "\xa9nam",
        "mov": "title,x",
        "ogg-vorbis": "ARTIST",
        "webm_00001_.webm": "ENCODER,DURATION",
        "flac_00001.flac": "encoder",
    }
    assert expected == {
        name: ",".join(read_media(strip_bytes(SAMPLES[name])[0]).fields) for name in expected
    }
    assert b"TIT2" in strip_bytes(SAMPLES["mp3-2.3-unsync"])[0]


def test_values_stay_with_their_keys() -> None:
    """
    In QuickTime's metadata values point to keys by number: they are renumbered.
    """
    data = mp4(
        box(b"moov", keyed_meta(("prompt", PROMPT), ("a", "1"), ("workflow", WORKFLOW), ("b", "2")))
    )
    kept = mp4(box(b"moov", keyed_meta(("a", "1"), ("b", "2"))))
    stripped, done = strip_bytes(data)

    assert ("prompt", "workflow") == done.removed
    assert kept[kept.index(b"hdlr") :] in stripped


def test_whole_exif_goes_where_nothing_else_is_in_it() -> None:
    """
    WebP and JPEG come out as if they had been saved without EXIF; WebP's header says so.
    """
    assert picture("JPEG") == strip_bytes(SAMPLES["jpeg"])[0]
    data = strip_bytes(SAMPLES["webp-still"])[0]

    assert b"EXIF" not in data
    assert len(data) == 8 + int.from_bytes(data[4:8], "little")
    assert 0 == data[20] & 0x08
    assert {} == dict(Image.open(io.BytesIO(data)).getexif())


def test_jpeg_with_an_index_of_pictures() -> None:
    """
    In a file of several pictures nothing may move: the index counts bytes.
    """
    data = SAMPLES["jpeg"]
    tables = data[data.index(b"\xff\xdb") :]
    index = b"\xff\xe2\0\x08MPF\0\0\0"
    comment = b"\xff\xfe" + (2 + len(BOTH)).to_bytes(2, "big") + BOTH.encode()
    several = data[:2] + index + comment + data[2:]
    stripped, done = strip_bytes(several)

    assert len(several) == len(stripped)
    assert ("comment", "workflow", "prompt") == done.removed
    assert stripped.endswith(tables)


def test_ogg_pages_stay_valid() -> None:
    """
    Every page has the checksum of its new content, and its number.
    """
    for name in ("ogg-vorbis", "opus_00001.opus"):
        before, after = SAMPLES[name], strip_bytes(SAMPLES[name])[0]
        at = pages = 0
        while at < len(after):
            end = at + 27 + after[at + 26] + sum(after[at + 27 : at + 27 + after[at + 26]])
            page = after[at : at + 22] + bytes(4) + after[at + 26 : end]
            assert before[at : at + 22] == after[at : at + 22]
            assert slow_checksum(page) == int.from_bytes(after[at + 22 : at + 26], "little")
            at, pages = end, pages + 1
        assert pages > 2


def test_fast_checksum() -> None:
    """
    The checksum by tables is the one of the standard.
    """
    for data in (b"", b"a", bytes(range(256)), SOUND):
        assert slow_checksum(data) == checksum(data)


def test_matroska_tags() -> None:
    """
    A tag that holds something else stays, with the checksums out; one that holds nothing else
    goes, and with the last one its entry in the index.
    """
    crc = element(0xBF, b"\1\2\3\4")
    kept = element(0x7373, simple_tag("ARTIST", "nobody", simple_tag("PROMPT", PROMPT)))
    goes = element(0x7373, element(0x63C0), simple_tag("WORKFLOW", WORKFLOW))
    cluster = element(0x1F43B675, b"\xe7\x81\x01")

    def file(*tags: bytes) -> bytes:
        seek = element(0x4DBB, element(0x53AB, b"\x12\x54\xc3\x67"), element(0x53AC, b"\0"))
        head = element(0x114D9B74, seek)
        place = len(head).to_bytes(1, "big")
        return webm(head[:-1] + place, element(0x1254C367, *tags), cluster)

    both, _ = strip_bytes(file(crc, kept, goes))
    last, _ = strip_bytes(file(goes))

    assert ("ARTIST",) == read_media(both).fields
    assert (1, 0, 1) == (both.count(b"ARTIST"), both.count(b"\1\2\3\4"), both.count(b"\x4d\xbb"))
    assert () == read_media(last).fields
    assert (0, 0) == (last.count(b"\x12\x54\xc3\x67"), last.count(b"\x4d\xbb"))
    assert cluster == both[-len(cluster) :] == last[-len(cluster) :]


def test_id3_footer_and_extended_header() -> None:
    """
    A footer repeats the new size; an extended header, whose checksum would be wrong, goes.
    """
    prompt, title = (b"TXXX", b"\3prompt\0" + PROMPT.encode()), (b"TIT2", b"\3title")
    tag = id3(4, prompt, title, flags=0x10)
    with_footer = tag + b"3DI" + tag[3:10] + SOUND
    expected = id3(4, title, flags=0x10)
    body = id3(3, title, prompt)[10:]
    extended = (6).to_bytes(4, "big") + bytes(6) + body
    with_header = b"ID3\3\0\x40" + id3(3, (b"XXXX", extended))[6:10] + extended + SOUND
    size = len(extended)
    with_header = b"ID3\3\0\x40\0\0" + bytes([size >> 7, size & 0x7F]) + extended + SOUND

    assert expected + b"3DI" + expected[3:10] + SOUND == strip_bytes(with_footer)[0]
    assert id3(3, title) + SOUND == strip_bytes(with_header)[0]


def test_file_without_a_graph_stays() -> None:
    """
    Where there is no graph nothing is changed, not even a text called prompt.
    """
    for data in (
        picture("PNG"),
        picture("JPEG", exif=exif(user_comment=b"ASCII\0\0\0a holiday")),
        png(chunk(b"tEXt", b"prompt\0a cat"), chunk(b"tEXt", b"parameters\0steps")),
        mp4(box(b"mdat", b"x" * 100)),
        SOUND * 3,
    ):
        assert data == strip_bytes(data)[0]
        assert () == strip_bytes(data)[1].removed


def test_png_exif_with_more_in_it() -> None:
    """
    EXIF of a PNG keeps what else it says, with a new checksum.
    """
    data, _ = strip_bytes(picture("PNG", exif=exif(software=True)))
    at = data.index(b"eXIf")
    end = at + 4 + int.from_bytes(data[at - 4 : at], "big")

    assert "a camera" == Image.open(io.BytesIO(data)).getexif()[0x0131]
    assert zlib.crc32(data[at:end]) == int.from_bytes(data[end : end + 4], "big")


def test_flac_in_ogg_is_refused() -> None:
    """
    Where a strip is not safe we say so, and what else can be done.
    """
    with pytest.raises(InputError, match=r"^x: FLAC in Ogg cannot be stripped") as info:
        strip_bytes(flac_in_ogg(), name="x")
    assert "ffmpeg" in (info.value.hint or "")


def test_strip_in_place(tmp_path: Path) -> None:
    """
    In place the mode stays and a symbolic link stays one; a file without a graph is not written.
    """
    place, link = tmp_path / "a.png", tmp_path / "link.png"
    place.write_bytes(recorded("still_00001_.png"))
    place.chmod(0o640)
    link.symlink_to(place)

    done = strip_file(link)
    assert ("prompt", "workflow") == done.removed
    assert link.is_symlink()
    assert strip_bytes(recorded("still_00001_.png"))[0] == place.read_bytes()
    assert sys.platform == "win32" or 0o640 == stat.S_IMODE(place.stat().st_mode)
    before = place.stat()
    assert () == strip_file(place).removed
    assert (before.st_ino, before.st_mtime_ns) == (place.stat().st_ino, place.stat().st_mtime_ns)
    assert {"a.png", "link.png"} == {path.name for path in tmp_path.iterdir()}


def test_strip_to_another_file(tmp_path: Path) -> None:
    """
    The source stays; a copy is written even where there was nothing to remove.
    """
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    for data in (recorded("still_00001_.png"), picture("PNG")):
        source.write_bytes(data)
        strip_file(source, target)

        assert data == source.read_bytes()
        assert strip_bytes(data)[0] == target.read_bytes()


def test_failed_strip_leaves_everything(tmp_path: Path) -> None:
    """
    A damaged file and a place that cannot be written leave nothing behind.
    """
    place = tmp_path / "a.png"
    damaged = recorded("still_00001_.png")[:-30]
    place.write_bytes(damaged)
    with pytest.raises(InputError, match=r"a.png: cut short"):
        strip_file(place)
    with pytest.raises(InputError, match=r"a.png: cut short"):
        strip_file(place, tmp_path / "b.png")
    place.write_bytes(recorded("still_00001_.png"))
    with pytest.raises(InputError, match="cannot be written"):
        strip_file(place, tmp_path / "none" / "b.png")
    with pytest.raises(InputError, match="cannot be written"):
        strip_file(place, tmp_path)

    assert ["a.png"] == [path.name for path in tmp_path.iterdir()]


def test_strip_of_a_large_film(tmp_path: Path) -> None:
    """
    The pictures of a film are copied in pieces, with the graph before or after them.
    """
    place = tmp_path / "film.mp4"
    pictures = os.urandom(1 << 20) * 5
    moov = box(b"moov", box(b"udta", keyed_meta(("prompt", PROMPT))))
    for boxes in ((box(b"mdat", pictures), moov), (moov, box(b"mdat", pictures))):
        place.write_bytes(mp4(*boxes))
        before = place.read_bytes()
        strip_file(place)

        after = place.read_bytes()
        assert len(before) == len(after)
        assert before.index(pictures) == after.index(pictures)
