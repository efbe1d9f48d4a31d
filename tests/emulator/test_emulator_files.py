"""
The emulator's files: names, kinds, content.
"""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from emulation import finish
from PIL import Image

from comfygraph.emulator.sounds import opus
from comfygraph.emulator.store import FileStore, OutsideFolderError, annotated

FRAMES = {
    "class_type": "EmptyImage",
    "inputs": {"width": 64, "height": 48, "batch_size": 3, "color": 0},
}
SOUND = {
    "class_type": "EmptyAudio",
    "inputs": {"duration": 2.0, "sample_rate": 44100, "channels": 2},
}
MAGIC = {
    "png": b"\x89PNG",
    "webp": b"RIFF",
    "mp4": b"\0\0\0\x1cftyp",
    "webm": b"\x1aE\xdf\xa3",
    "flac": b"fLaC",
    "mp3": b"ID3\x04",
    "opus": b"OggS",
}


def outputs(client: httpx.Client, first: dict[str, Any], kind: str, **inputs: Any) -> Any:
    """What an output node shows, and the content of its first file."""
    prompt = {"1": first, "2": {"class_type": kind, "inputs": inputs}}
    answer = client.post("/prompt", json={"prompt": prompt})
    assert answer.status_code == 200, answer.text
    entry = finish(client, answer.json()["prompt_id"])
    ui = entry["outputs"].get("2")
    assert ui, entry["status"]
    file = next(iter(ui.values()))[0]
    return ui, client.get("/view", params=file).content


@pytest.mark.parametrize(
    ("kind", "inputs", "extension", "keys"),
    [
        (
            "SaveAnimatedWEBP",
            {"images": ["1", 0], "filename_prefix": "a", "fps": 6.0, "lossless": False,
             "quality": 80, "method": "default"},
            "webp",
            {"images", "animated"},
        ),
        (
            "SaveAnimatedPNG",
            {"images": ["1", 0], "filename_prefix": "a", "fps": 6.0, "compress_level": 4},
            "png",
            {"images", "animated"},
        ),
        (
            "SaveWEBM",
            {"images": ["1", 0], "filename_prefix": "a", "codec": "vp9", "fps": 24.0,
             "crf": 32.0},
            "webm",
            {"images", "animated"},
        ),
    ],
)  # fmt: skip
def test_animations(
    client: httpx.Client, kind: str, inputs: dict[str, Any], extension: str, keys: set[str]
) -> None:
    """
    Nodes that save animations write one file of their kind, and say that it is animated.
    """
    ui, data = outputs(client, FRAMES, kind, **inputs)

    assert b'{"1": {"class_type": "EmptyImage"' in data
    assert keys == ui.keys()
    assert [f"a_00001_.{extension}"] == [file["filename"] for file in ui["images"]]
    assert data.startswith(MAGIC[extension])
    if extension != "webm":
        with Image.open(BytesIO(data)) as picture:
            assert ((64, 48), 3) == (picture.size, getattr(picture, "n_frames", 1))


@pytest.mark.parametrize(
    ("kind", "inputs", "extension"),
    [
        ("SaveAudio", {}, "flac"),
        ("SaveAudioMP3", {"quality": "V0"}, "mp3"),
        ("SaveAudioOpus", {"quality": "128k"}, "opus"),
        ("PreviewAudio", {}, "flac"),
    ],
)
def test_sounds(client: httpx.Client, kind: str, inputs: dict[str, Any], extension: str) -> None:
    """
    Nodes that save sounds write silence of their kind under `audio`, with the prompt in it.
    """
    if kind != "PreviewAudio":
        inputs = {"filename_prefix": "audio/s", **inputs}
    ui, data = outputs(client, SOUND, kind, audio=["1", 0], **inputs)

    assert {"audio"} == ui.keys()
    assert ("temp" if kind == "PreviewAudio" else "output") == ui["audio"][0]["type"]
    assert ui["audio"][0]["filename"].endswith(f"_00001.{extension}")
    assert data.startswith(MAGIC[extension])
    assert b'{"1": {"class_type": "EmptyAudio"' in data


def test_video(client: httpx.Client) -> None:
    """
    A video of the frames of a batch is an MP4 whose frames are pictures.
    """
    prompt = {
        "1": FRAMES,
        "2": {"class_type": "CreateVideo", "inputs": {"images": ["1", 0], "fps": 8.0}},
        "3": {
            "class_type": "SaveVideo",
            "inputs": {"video": ["2", 0], "filename_prefix": "video/v", "format": "auto",
                       "codec": "auto"},
        },
    }  # fmt: skip
    answer = client.post("/prompt", json={"prompt": prompt})
    ui = finish(client, answer.json()["prompt_id"])["outputs"]["3"]
    data = client.get("/view", params=ui["images"][0]).content

    assert ({"filename": "v_00001_.mp4", "subfolder": "video", "type": "output"}, [True]) == (
        ui["images"][0],
        ui["animated"],
    )
    assert data.startswith(MAGIC["mp4"])
    assert b'{"1": {"class_type": "EmptyImage"' in data
    assert 3 == data.count(b"\xff\xd8\xff")


def test_metadata_of_animations(client: httpx.Client) -> None:
    """
    A WebP carries the prompt in its EXIF where ComfyUI's own node puts it.
    """
    inputs = {"filename_prefix": "a", "fps": 6.0, "lossless": False, "quality": 80}
    _, data = outputs(
        client, FRAMES, "SaveAnimatedWEBP", images=["1", 0], method="default", **inputs
    )
    with Image.open(BytesIO(data)) as picture:
        text = picture.getexif()[0x0110]

    assert text.startswith("prompt:{")
    assert "SaveAnimatedWEBP" == json.loads(text.partition(":")[2])["2"]["class_type"]


def test_same_node_twice_is_saved_once(client: httpx.Client) -> None:
    """
    Two equal nodes are one result, also in one run: the second shows the first one's file.
    """
    save = {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}}
    prompt = {"1": FRAMES, "2": save, "3": save}
    done = client.post("/prompt", json={"prompt": prompt}).json()
    shown = finish(client, done["prompt_id"])["outputs"]

    assert shown["2"] == shown["3"]


def test_long_comments_go_over_pages() -> None:
    """
    An Ogg file holds comments of any length: pages of at most 255 pieces, each with its sum.
    """
    data = opus(0.1, {"prompt": "x" * 200_000})
    pages, place = [], 0
    while place < len(data):
        pieces = data[place + 27 : place + 27 + data[place + 26]]
        size = 27 + len(pieces) + sum(pieces)
        pages.append(struct.unpack("<I", data[place + 18 : place + 22])[0])
        place += size

    assert list(range(len(pages))) == pages
    assert place == len(data)
    assert len(pages) > 4


def test_names(tmp_path: Path) -> None:
    """
    Names count up per prefix, go on after what is there, and fill in the date.
    """
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "a_00007_.png").write_bytes(b"")
    store = FileStore(tmp_path)
    names = [store.save("output", prefix, "png", b"")[:2] for prefix in ("a", "a", "s/a", "%year%")]
    plain = store.save("output", "b", "flac", b"", underscore=False)[0]

    assert [
        ("a_00008_.png", ""),
        ("a_00009_.png", ""),
        ("a_00001_.png", "s"),
        (f"{time.localtime().tm_year}_00001_.png", ""),
    ] == names
    assert "b_00001.flac" == plain


def test_closed_store_takes_nothing() -> None:
    """
    After the end a late file does not bring the temporary folder back.
    """
    store = FileStore()
    store.close()
    with pytest.raises(OSError, match="has stopped"):
        store.save("output", "a", "png", b"")

    assert not store.root.exists()


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    """
    A symbolic link in the folder is not followed out of it.
    """
    store = FileStore(tmp_path / "root")
    (tmp_path / "root" / "output" / "away").symlink_to(tmp_path)
    with pytest.raises(OutsideFolderError):
        store.save("output", "away/x", "png", b"")

    assert store.read_input("../../etc/passwd") is None
    assert ("a.png", "output") == annotated("a.png [output]")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_command_serves_until_interrupted(how: signal.Signals, bare: httpx.Client) -> None:
    """
    `comfygraph emulate` prints its addresses and the token; Ctrl-C or SIGTERM stop it with 0,
    and its temporary files are gone.
    """
    command = [sys.executable, "-m", "comfygraph", "emulate", "tams", "comfyui", "--port", "0"]
    command += ["--speed", "0", "--fault", "errors=1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().split() for _ in range(4)]
        first = bare.get(f"{lines[0][1]}/queue").status_code
        second = bare.get(f"{lines[0][1]}/queue").status_code
        process.send_signal(how)
        _, errors = process.communicate(timeout=120)

    assert ["comfyui", "tams", "token", "files"] == [line[0] for line in lines]
    assert "emulator-token" == lines[2][1]
    assert (503, 200) == (first, second)
    assert (0, "pictures are placeholders; Ctrl-C stops\n") == (process.returncode, errors)
    assert not Path(lines[3][1]).exists()
