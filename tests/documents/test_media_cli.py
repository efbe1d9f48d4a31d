"""
`comfygraph extract` and `comfygraph strip`, and other commands on images.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from media_samples import PROMPT, RECORDED, WORKFLOW, chunk, picture, png, recorded

from comfygraph.cli import run
from comfygraph.documents.media import read_media, strip_bytes
from comfygraph.errors import ExitCode

STILL = str(RECORDED / "still_00001_.png")
FILM = str(RECORDED / "video_00001_.mp4")
TEXTS = read_media(STILL)


def _pipe(*args: str, data: bytes) -> tuple[int, bytes, str]:
    done = subprocess.run(
        [sys.executable, "-m", "comfygraph", *args], input=data, capture_output=True
    )
    return done.returncode, done.stdout, done.stderr.decode()


def test_extract_prints_the_text(capfd: pytest.CaptureFixture[str]) -> None:
    """
    The prompt goes to the standard output as it stands in the file, the workflow on request.
    """
    assert ExitCode.OK == run(["extract", STILL])
    assert (f"{TEXTS.prompt_text}\n", "") == capfd.readouterr()
    assert ExitCode.OK == run(["extract", "--workflow", STILL])
    assert (f"{TEXTS.workflow_text}\n", "") == capfd.readouterr()


def test_extract_takes_the_workflow_where_there_is_no_prompt(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """
    Without a flag any graph will do; with one it must be that one, and the message names what
    is there.
    """
    place = tmp_path / "a.png"
    place.write_bytes(png(chunk(b"tEXt", b"workflow\0" + WORKFLOW.encode())))

    assert ExitCode.OK == run(["extract", str(place)])
    assert (f"{WORKFLOW}\n", "") == capfd.readouterr()
    assert ExitCode.INTERNAL == run(["extract", "--prompt", str(place)])
    out, err = capfd.readouterr()
    assert "" == out
    assert [
        f"error: {place}: holds no prompt, only a workflow",
        "  hint: `comfygraph extract --workflow` gives it",
    ] == err.splitlines()


def test_extract_says_what_is_there_instead(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """
    An image without a graph is an error that names its texts, and why there may be none.
    """
    place = tmp_path / "a.png"
    place.write_bytes(png(chunk(b"tEXt", b"parameters\0steps 20")))

    assert ExitCode.INTERNAL == run(["extract", str(place)])
    out, err = capfd.readouterr()
    assert "" == out
    assert "holds neither prompt nor workflow; texts in this PNG: parameters\n" in err
    assert "--disable-metadata" in err


def test_extract_pretty(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """
    `--pretty` indents, and writes null for NaN, as the editor reads it.
    """
    place = tmp_path / "a.png"
    place.write_bytes(png(chunk(b"tEXt", b"prompt\0" + PROMPT.encode())))

    assert ExitCode.OK == run(["extract", "--pretty", str(place)])
    expected = json.loads(PROMPT.replace("NaN", "null"))
    assert (json.dumps(expected, indent=2) + "\n", "") == capfd.readouterr()


def test_extract_to_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """
    One image goes to a file, several to a folder; a broken one does not stop the others.
    """
    broken = tmp_path / "broken.png"
    broken.write_bytes(recorded("still_00001_.png")[:100])
    out = tmp_path / "graphs"

    assert ExitCode.OK == run(["extract", STILL, "-o", str(tmp_path / "one.json")])
    assert f"{TEXTS.prompt_text}\n" == (tmp_path / "one.json").read_text()
    assert ExitCode.INTERNAL == run(["extract", STILL, str(broken), FILM, "-o", str(out)])
    assert ["still_00001_.json", "video_00001_.json"] == sorted(p.name for p in out.iterdir())
    assert f"error: {broken}: cut short" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["extract", "a/x.png", "b/x.png", "-o", "DIR/"], "would both be written to"),
        (["extract", "a.png", "b.png", "-o", "FILE"], "is a file"),
        (["strip", "a.png"], "where should the result go?"),
        (["strip", "a.png", "b.png", "-o", "FILE"], "2 files cannot become one"),
        (["strip", "a.png", "-o", "FILE", "--in-place"], "exclude each other"),
        (["strip", "-", "--in-place"], "no place to be replaced in"),
        (["strip", "-", "-o", "DIR/"], "has no name"),
        (["strip", "a/x.png", "b/x.png", "-o", "DIR/"], "same name"),
    ],
)
def test_usage(
    args: list[str], message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """
    Arguments that do not fit together are refused before anything is read or written.
    """
    (tmp_path / "FILE").write_text("")
    (tmp_path / "DIR").mkdir()
    args = [
        f"{tmp_path}/{arg}" if arg.startswith(("FILE", "DIR", "a", "b")) else arg for arg in args
    ]

    assert ExitCode.USAGE == run(args)
    assert message in capfd.readouterr().err
    assert ["DIR", "FILE"] == sorted(path.name for path in tmp_path.iterdir())
    assert [] == list((tmp_path / "DIR").iterdir())


def test_extract_from_stdin() -> None:
    """
    `-` reads a file from a pipe, also formats whose metadata stand at the end.
    """
    for name in ("video_00001_.mp4", "apng_00001_.png"):
        code, out, err = _pipe("extract", "-", data=recorded(name))

        assert (0, "") == (code, err)
        assert json.loads(out)["2"]["class_type"] == "SaveImage"
    code, out, err = _pipe("extract", "-", data=b"GIF89a")
    assert (ExitCode.INTERNAL, b"") == (code, out)
    assert err.startswith("error: <stdin>: no image, sound or film that can carry a graph\n")


def test_strip_in_place(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """
    Files are replaced, and it is told what went; a second time there is nothing to do.
    """
    names = ["still_00001_.png", "video_00001_.mp4"]
    for name in names:
        (tmp_path / name).write_bytes(recorded(name))
    places = [str(tmp_path / name) for name in names]

    assert ExitCode.OK == run(["strip", "--in-place", *places])
    assert [
        f"{places[0]}: removed prompt and workflow from this PNG (2,072 bytes less)",
        f"{places[1]}: removed workflow and prompt from this MP4 (overwritten, same size)",
    ] == capfd.readouterr().out.splitlines()
    for name in names:
        assert strip_bytes(recorded(name))[0] == (tmp_path / name).read_bytes()
    assert ExitCode.OK == run(["strip", "--in-place", "--format", "json", places[0]])
    assert {
        "file": places[0],
        "written": None,
        "container": "png",
        "removed": [],
        "size_before": 157,
        "size_after": 157,
    } == json.loads(capfd.readouterr().out)


def test_strip_to_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """
    With `-o` the source stays; a folder gets the same names, and files without a graph too.
    """
    plain = tmp_path / "plain.png"
    plain.write_bytes(picture("PNG"))
    out = tmp_path / "public"

    assert ExitCode.OK == run(["strip", STILL, str(plain), "-o", f"{out}/"])
    assert strip_bytes(recorded("still_00001_.png"))[0] == (out / "still_00001_.png").read_bytes()
    assert plain.read_bytes() == (out / "plain.png").read_bytes()
    assert f"{plain}: no graph in this PNG, nothing removed\n" in capfd.readouterr().out
    assert ExitCode.INTERNAL == run(["strip", __file__, STILL, "-o", str(out)])
    assert f"error: {__file__}: no image, sound or film" in capfd.readouterr().err


def test_strip_through_a_pipe(tmp_path: Path) -> None:
    """
    `-` goes from the standard input to the standard output, and the words go to stderr.
    """
    data = recorded("anim_00001_.webp")
    expected = strip_bytes(data)[0]

    code, out, err = _pipe("strip", "-", data=data)
    assert (0, expected) == (code, out)
    assert "<stdin>: removed workflow and prompt from this WebP (2,186 bytes less)\n" == err
    code, out, err = _pipe("strip", "-", "-o", str(tmp_path / "a.webp"), data=data)
    assert (0, "", expected) == (code, err, (tmp_path / "a.webp").read_bytes())
    code, out, err = _pipe("strip", str(RECORDED / "anim_00001_.webp"), "-o", "-", data=b"")
    assert (0, expected) == (code, out)


def test_other_commands_take_images(capfd: pytest.CaptureFixture[str]) -> None:
    """
    `lint` checks the prompt in an image, `convert` takes the workflow out of it.
    """
    assert ExitCode.OK == run(["convert", STILL])
    converted = json.loads(capfd.readouterr().out)
    assert ["EmptyImage", "SaveImage"] == [node["class_type"] for node in converted.values()]
    assert run(["lint", "--isolated", "--format", "json", STILL]) in (0, 1)
    out, err = capfd.readouterr()
    assert "unreadable" not in out + err


@pytest.mark.parametrize("command", ["extract", "strip"])
def test_help_teaches(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    """
    The help says which formats there are, and shows examples.
    """
    assert ExitCode.OK == run([command, "--help"])
    out = capfd.readouterr().out

    assert "MP4" in out
    assert out.count(f"  comfygraph {command} ") >= 3
