"""
Pictures of nodes at work: in a folder, and in the terminals that can show them; parts of graphs;
several servers.
"""

from __future__ import annotations

import io
import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from comfygraph.cli import run
from comfygraph.cli.previews import Previews, inline_picture, picture_protocol
from comfygraph.emulator.server import Emulator
from comfygraph.errors import UsageError
from comfygraph.targets.events import NodeFinished, NodePreview

HIRES = str(Path(__file__).parents[2] / "examples" / "hires.json")
TWO = {
    "1": {"class_type": "EmptyImage",
          "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "a"},
          "_meta": {"title": "first"}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "b"},
          "_meta": {"title": "second"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulator without pauses.
    """
    with Emulator(["comfyui"], speed=0) as running:
        yield running


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    Nothing of the environment counts.
    """
    for name in ("COMFYGRAPH_TARGET", "COMFYUI_URL", "COMFYUI_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def _jpeg() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(data, "JPEG")
    return data.getvalue()


def test_saved(emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Each sampler's pictures are saved by job, node and number; nothing else comes of it.
    """
    code = run(["submit", HIRES, "--url", emulator.url(), "--previews", "steps"])
    names = sorted(path.name.partition("_")[2] for path in (tmp_path / "steps").iterdir())
    sizes = {Image.open(io.BytesIO(path.read_bytes())).format for path in tmp_path.glob("steps/*")}
    capsys.readouterr()

    assert 0 == code
    assert ["7_001.jpg", "9_001.jpg"] == [name for name in names if name.endswith("_001.jpg")]
    assert 56 == len(names)
    assert {"JPEG"} == sizes


def test_folder_that_cannot_be(tmp_path: Path) -> None:
    """
    A folder that cannot be made is an error of ours.
    """
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write previews"):
        Previews(tmp_path / "file" / "below", None)


def test_nasty_node_ids(tmp_path: Path) -> None:
    """
    A node id cannot lead out of the folder.
    """
    previews = Previews(tmp_path / "p", None)
    for node_id in ("../../x", "/etc/passwd", "a\\b", "..", "CON", "57:3", None):
        previews.take(NodePreview(node_id, b"\xff\xd8", "image/jpeg"), "../job")

    assert 7 == previews.saved
    assert 7 == len(list((tmp_path / "p").iterdir()))
    assert ["p"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"LC_TERMINAL": "iTerm2"}, "iterm"),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM": "dumb", "KITTY_WINDOW_ID": "1"}, None),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/x"}, None),
        ({"TERM": "screen-256color", "KITTY_WINDOW_ID": "1"}, None),
    ],
)
def test_terminals(environ: dict[str, str], expected: str | None) -> None:
    """
    Terminals are known by what they say of themselves; inside a multiplexer there are no pictures.
    """
    assert expected == picture_protocol(environ)


def test_iterm() -> None:
    """
    iTerm2 gets the file as it is.
    """
    shown = inline_picture(_jpeg(), "iterm") or ""
    head, _, payload = shown.partition(":")

    assert head.startswith("\x1b]1337;File=")
    assert "inline=1" in head
    assert _jpeg() == b64decode(payload.removesuffix("\x07"))


def test_kitty() -> None:
    """
    Kitty gets PNG in pieces of at most 4,096 characters, the last one marked; what is no picture
    is not shown.
    """
    noise = io.BytesIO()
    Image.effect_noise((128, 128), 90).save(noise, "PNG")
    shown = inline_picture(noise.getvalue(), "kitty") or ""
    parts = [part.partition(";") for part in shown.split("\x1b_G") if part]
    payloads = [payload.removesuffix("\x1b\\") for _, _, payload in parts]
    jpeg = inline_picture(_jpeg(), "kitty") or ""

    assert len(parts) > 1
    assert max(map(len, payloads)) <= 4096
    assert ["m=1"] * (len(parts) - 1) + ["m=0"] == [head.split(",")[-1] for head, _, _ in parts]
    assert noise.getvalue() == b64decode("".join(payloads))
    assert "\x1b_Ga=T,f=100" in jpeg
    assert None is inline_picture(b"\xff\xd8 broken", "kitty")


def test_last_picture_of_a_node_is_shown(tmp_path: Path) -> None:
    """
    A terminal shows one picture a node, the last, when the node is done.
    """
    previews = Previews(tmp_path, "iterm")
    shown = [
        previews.take(event, "job")
        for event in (
            NodePreview("3", b"first", "image/jpeg"),
            NodePreview("3", b"last", "image/jpeg"),
            NodeFinished("3"),
            NodeFinished("4"),
        )
    ]

    assert [None, None, inline_picture(b"last", "iterm"), None] == shown


@pytest.mark.parametrize("only", ["3", "second"])
def test_only(only: str, emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """
    One output node is run, by id or title.
    """
    Path("two.json").write_text(json.dumps(TWO))
    code = run(["submit", "two.json", "--url", emulator.url(), "--only", only, "-o", "out"])
    capsys.readouterr()

    assert 0 == code
    assert ["b_0000"] == [path.name[:6] for path in Path("out").glob("*.png")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "SaveImage"], "--only SaveImage: 2 nodes are called so"),
        (["--only", "nobody"], "--only nobody: no node is called so"),
        (["--only", "3", "--target", "comfyapi"], "comfyapi runs whole graphs only"),
    ],
)
def test_only_what_there_is(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A name for none or several nodes, and a service that runs no parts, are usage errors.
    """
    Path("two.json").write_text(json.dumps(TWO))
    code = run(["submit", "two.json", "--dry-run", *arguments])

    assert 2 == code
    assert words in capsys.readouterr().err


def test_several_servers(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Of several addresses the one that can be used is taken, and the job's reference names it.
    """
    Path("two.json").write_text(json.dumps(TWO))
    urls = ["--url", "http://127.0.0.1:9", "--url", emulator.url()]
    code = run(["submit", "two.json", *urls, "--no-wait", "--json"])
    reference = json.loads(capsys.readouterr().out.splitlines()[-1])

    assert 0 == code
    assert emulator.url() == reference["base_url"]


def test_token_stays_at_home(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The token of the servers in COMFYUI_URL does not go to another one that is given by --url.
    """
    Path("two.json").write_text(json.dumps(TWO))
    monkeypatch.setenv("COMFYUI_TOKEN", "t0ken")
    shown = []
    for homes in ("", "http://home.test:1,http://home.test:2"):
        monkeypatch.setenv("COMFYUI_URL", homes)
        for url in ("http://home.test:2", "http://else.test:2"):
            run(["submit", "two.json", "-t", "comfyui", "--url", url, "--dry-run"])
            out, err = capsys.readouterr()
            sent = "Authorization: Bearer ***" in out
            shown.append(sent)
            assert sent != ("COMFYUI_TOKEN is not sent" in err)
            assert "t0ken" not in out + err

    assert [False, False, True, False] == shown
