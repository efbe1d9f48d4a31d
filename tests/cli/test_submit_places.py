"""
Where `comfygraph submit` sends what: addresses in files do not draw credentials.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from comfygraph.cli import run

SETTINGS = {
    "tams": {"TAMS_API_KEY": "hush-tams", "TAMS_CHECK": "off"},
    "civitai": {"CIVITAI_API_TOKEN": "hush-civitai"},
    "comfyapi": {"COMFY_API_KEY": "hush-comfy"},
    "comfyui": {"COMFY_API_KEY": "hush-comfy", "COMFYUI_TOKEN": "hush-token"},
}
GRAPH = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 64, "height": 32, "batch_size": 1, "color": 0},
    },
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "pic"}},
}


class Stranger(HTTPServer):
    """
    A server that keeps every byte that it is sent, and refuses all.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen = ""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Stranger

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen += f"{self.path}\n{self.headers}\n{body.decode()}\n"
        self.send_response(400)
        self.end_headers()

    do_GET = do_POST = do_DELETE = do_PUT = _take  # noqa: N815  # names of http.server

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    """
    Give a server that is none of ours.
    """
    with Stranger() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("target", list(SETTINGS))
@pytest.mark.parametrize("given", ["file", "flag", "variable"])
def test_an_address_in_a_file_draws_no_credentials(
    target: str,
    given: str,
    stranger: Stranger,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """
    A configuration that came with a repository may name a service but not have our keys sent to
    it; whoever gives the address by hand is obeyed, save that credentials of ComfyUI stay with the
    servers in COMFYUI_URL.
    """
    for name in {name for settings in SETTINGS.values() for name in settings}:
        monkeypatch.delenv(name, raising=False)
    for name, value in SETTINGS[target].items():
        monkeypatch.setenv(name, value)
    (tmp_path / "graph.json").write_text(json.dumps(GRAPH))
    lines = ["[submit]", f'target = "{target}"']
    flags = []
    match given:
        case "file":
            lines.append(f'url = "{stranger.url}"')
        case "flag":
            flags = ["--url", stranger.url]
        case "variable":
            monkeypatch.setenv("COMFYGRAPH_SUBMIT_URL", stranger.url)
    (tmp_path / "comfygraph.toml").write_text("\n".join(lines))
    monkeypatch.chdir(tmp_path)

    code = run(["submit", "graph.json", "--no-ledger", *flags])

    err = capfd.readouterr().err
    ours = target != "comfyui" and given != "file"
    assert ours == ("hush-" in stranger.seen)
    assert "hush-" not in err
    if target == "comfyui":
        assert (4, True) == (code, "COMFY_API_KEY is not sent" in err)
    elif given == "file":
        assert (2, "") == (code, stranger.seen)
        assert "--url" in err
    else:
        assert 4 == code
