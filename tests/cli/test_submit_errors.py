"""
`comfygraph submit` when something is wrong: one clear message, its exit code, never a traceback.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from comfygraph.cli import run
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.server import Emulator

sys.path.insert(0, str(Path(__file__).parents[1] / "jobs"))

from jobs_servers import Seen, free_port, loopback

PROMPT = {
    "1": {"class_type": "EmptyImage",
          "inputs": {"width": 64, "height": 32, "batch_size": 1, "color": 0}},
    "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}, "_meta": {"title": "flip"}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}},
}  # fmt: skip

Submit = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulator without pauses.
    """
    with Emulator(speed=0) as running:
        yield running


@pytest.fixture
def graph(tmp_path: Path) -> str:
    """
    Give a file with a good graph.
    """
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(PROMPT))
    return str(path)


@pytest.fixture
def submit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Submit:
    """
    Give a function that runs the command: exit code, stdout, stderr.
    """
    for name in ("COMFYGRAPH_TARGET", "COMFYUI_URL", "TAMS_API_KEY", "CIVITAI_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> tuple[int, str, str]:
        code = run(["submit", *args])
        captured = capsys.readouterr()
        return int(code), captured.out, captured.err

    return call


def last_lines(text: str) -> list[str]:
    """
    Give the error and its hint.
    """
    lines = text.splitlines()
    assert "Traceback" not in text
    start = next(index for index, line in enumerate(lines) if line.startswith("error: "))
    return lines[start:]


def test_missing_file(submit: Submit) -> None:
    """
    A file that is not there.
    """
    code, _, err = submit("nowhere.json")

    assert (3, ["error: nowhere.json: no such file"]) == (code, last_lines(err))


def test_folder(submit: Submit, tmp_path: Path) -> None:
    """
    A folder in place of a file.
    """
    code, _, err = submit(str(tmp_path))

    assert (3, [f"error: {tmp_path}: is a directory"]) == (code, last_lines(err))


def test_not_json(submit: Submit, tmp_path: Path) -> None:
    """
    A file that is not JSON, with the place.
    """
    path = tmp_path / "bad.json"
    path.write_text('{"1": }')
    code, out, err = submit(str(path))

    assert (3, "") == (code, out)
    assert [f"error: {path}:1:7: not JSON: expecting value"] == last_lines(err)


def test_no_graph(submit: Submit, tmp_path: Path) -> None:
    """
    JSON that is no graph at all.
    """
    path = tmp_path / "package.json"
    path.write_text('{"name": "left-pad"}')
    codes = [submit(str(path))[0], submit(str(path), "--no-lint")[0]]

    assert [1, 3] == codes


def test_unknown_class(submit: Submit, tmp_path: Path) -> None:
    """
    A class that nobody knows stops the graph before anything is sent, with the nearest name.
    """
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(PROMPT).replace("ImageInvert", "ImageInvrt"))
    code, out, err = submit(str(path), "--url", "http://127.0.0.1:1")

    assert (1, "") == (code, out)
    assert "ImageInvrt" in err
    assert "did you mean `ImageInvert`?" in err
    assert [
        "error: nothing was sent, since lint found errors",
        "  hint: --no-lint sends it all the same",
    ] == last_lines(err)


def test_unknown_target(submit: Submit, graph: str) -> None:
    """
    A target that there is not.
    """
    code, _, err = submit(graph, "--target", "comfy")

    assert 2 == code
    assert [
        "error: there is no target `comfy`",
        "  hint: choose one of civitai, comfyapi, comfyui, emulator, tams",
    ] == last_lines(err)


def test_no_credentials(submit: Submit, graph: str) -> None:
    """
    A service without a key says which variable holds it.
    """
    code, _, err = submit(graph, "--target", "tams")

    assert 2 == code
    assert [
        "error: no credentials for TAMS",
        "  hint: set TAMS_API_KEY, or TAMS_APP_ID and TAMS_PRIVATE_KEY_FILE",
    ] == last_lines(err)


def test_out_is_a_file(submit: Submit, graph: str) -> None:
    """
    A folder for the results that is none is found before anything is sent.
    """
    code, _, err = submit(graph, "--url", "http://127.0.0.1:1", "--out", graph)

    assert (2, [f"error: {graph} is a file, not a folder"]) == (code, last_lines(err))


def test_service_down(submit: Submit, graph: str) -> None:
    """
    Nobody listens.
    """
    url = f"http://127.0.0.1:{free_port()}"
    code, out, err = submit(graph, "--url", url)

    assert (4, "") == (code, out)
    assert [
        f"error: no answer from {url}: connection refused",
        "  hint: is the address right, and does the service run there?",
    ] == last_lines(err)


def test_wrong_credentials(
    submit: Submit, graph: str, emulator: Emulator, monkeypatch: Any
) -> None:
    """
    401, and the key is not printed.
    """
    monkeypatch.setenv("TAMS_API_KEY", "wrong-key-1234")
    code, out, err = submit(graph, "--target", "tams", "--url", emulator.url("tams"))

    assert (4, "") == (code, out)
    assert "error: TAMS does not know these credentials (HTTP 401)" in err
    assert "  hint: check TAMS_API_KEY" in err
    assert "wrong-key-1234" not in err


_HTML = b"<!DOCTYPE html><html><body>Welcome to nginx</body></html>"


@pytest.mark.parametrize(
    ("reply", "message", "hint"),
    [
        (
            (401, {}, b""),
            "error: ComfyUI does not know these credentials (HTTP 401)",
            "  hint: check the credentials",
        ),
        (
            (429, {"Retry-After": "600"}, b""),
            "error: ComfyUI asks for fewer requests (HTTP 429)",
            "  hint: try again in 600 s",
        ),
        (
            (500, {"Content-Type": "text/plain"}, b"500 Internal Server Error"),
            "error: ComfyUI stumbles over the graph (HTTP 500)",
            "  hint: lint the graph; the server's own log has the traceback",
        ),
        (
            (503, {"Content-Type": "text/html"}, _HTML),
            "error: ComfyUI is in trouble (HTTP 503) with a web page",
            "  hint: try again later",
        ),
        (
            (200, {"Content-Type": "text/html"}, _HTML),
            "error: the answer is a web page, not JSON (HTTP 200)",
            "  hint: check the base URL of the target",
        ),
        (
            (404, {"Content-Type": "text/html"}, _HTML),
            "error: ComfyUI knows no `/prompt` (HTTP 404)",
            "  hint: check COMFYUI_URL",
        ),
        (
            (302, {"Location": "https://login.example/"}, b""),
            "error: the service redirects POST to `https://login.example`",
            "  hint: check the base URL of the target",
        ),
        (
            (200, {}, b'{"prompt_id":'),
            "error: the answer is not JSON at character 13 (HTTP 200)",
            None,
        ),
    ],
    ids=["401", "429", "500", "503-page", "200-page", "404", "redirect", "cut"],
)
def test_service_in_trouble(
    submit: Submit, graph: str, reply: Any, message: str, hint: str | None
) -> None:
    """
    What a service answers instead of taking the job is told in one line, with what to do.
    """

    def answerer(seen: Seen) -> Any:
        if seen.method == "POST":
            return reply
        return 200, {}, b"{}"

    with loopback(answerer) as server:
        code, out, err = submit(graph, "--url", server.url)
    posts = [seen for seen in server.seen if seen.method == "POST"]

    assert (4, "") == (code, out)
    assert [message, *([] if hint is None else [hint])] == last_lines(err)
    assert 1 == len(posts)


def test_tams_in_trouble(
    submit: Submit, graph: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A service that stays in trouble after a submit with a key: the job may exist, and it is said.
    """
    monkeypatch.setenv("TAMS_API_KEY", "emulator-token")
    emulator.faults = Faults(route="POST */workflow", errors=9, error_status=500)
    code, _, err = submit(graph, "--target", "tams", "--url", emulator.url("tams"))
    emulator.faults = Faults()

    assert 4 == code
    assert "error: TAMS is in trouble (HTTP 500)" in err
    assert "the job may exist all the same" in err


def test_refused_graph(submit: Submit, tmp_path: Path, emulator: Emulator) -> None:
    """
    A graph that the service refuses: each complaint with its node, then the error.
    """
    path = tmp_path / "bad.json"
    bad = json.loads(json.dumps(PROMPT))
    bad["1"]["inputs"].update(width=-5, height="tall")
    path.write_text(json.dumps(bad))
    code, _, err = submit(str(path), "--no-lint", "--url", emulator.url())

    assert 4 == code
    assert f"{path}:1:" in err
    assert "    EmptyImage (1): `width`: " in err
    assert "    EmptyImage (1): `height`: " in err
    assert last_lines(err)[0].startswith("error: ComfyUI refused the graph: node `1` (EmptyImage)")


def test_job_fails_at_a_node(submit: Submit, graph: str, emulator: Emulator) -> None:
    """
    A job that fails says at which node, by its class and title, and why.
    """
    emulator.faults = Faults(fail_node="2", fail_message="out of paint")
    code, out, err = submit(graph, "--url", emulator.url(), "--set", "1.color=17")
    emulator.faults = Faults()

    assert (5, "") == (code, out)
    assert ["error: the job failed at ImageInvert flip (2): out of paint"] == last_lines(err)


def test_job_fails_as_json(submit: Submit, graph: str, emulator: Emulator) -> None:
    """
    With --json the last line of stdout is the end of the job, also when it failed.
    """
    emulator.faults = Faults(fail_node="2", fail_message="out of paint")
    code, out, _ = submit(graph, "--json", "--url", emulator.url(), "--set", "1.color=18")
    emulator.faults = Faults()
    end = json.loads(out.splitlines()[-1])

    assert 5 == code
    assert ("JobFailed", "out of paint", "2") == (end["type"], end["message"], end["node_id"])


def test_deadline(submit: Submit, graph: str) -> None:
    """
    At the deadline the command ends with its own code and says where the job is.
    """
    with Emulator(speed=0, faults=Faults(slow_start=60.0)) as slow:
        code, _, err = submit(graph, "--url", slow.url(), "--deadline", "0.3")

    assert 6 == code
    assert "of comfyui at http://127.0.0.1:" in err
    assert last_lines(err)[0].startswith("error: the deadline of 0.3 s passed, job `")


def test_file_that_cannot_be_fetched(submit: Submit, graph: str, emulator: Emulator) -> None:
    """
    A job that succeeded and whose file is out of reach is no success for scripts.
    """
    emulator.faults = Faults(route="GET /view*", errors=99, error_status=400)
    code, out, err = submit(graph, "--url", emulator.url(), "--out", "out", "--set", "1.color=20")
    emulator.faults = Faults()

    assert 4 == code
    assert out.startswith(f"{emulator.url()}/view?")
    assert "could not be fetched" in err


def test_wrong_option(submit: Submit, graph: str) -> None:
    """
    Options that make no sense are usage errors.
    """
    codes = [
        submit(graph, "--deadline", "0")[0],
        submit(graph, "--no-wait")[0],
        submit(graph, "--set", "nonsense")[0],
        submit()[0],
    ]

    assert [2, 2, 2, 2] == codes
