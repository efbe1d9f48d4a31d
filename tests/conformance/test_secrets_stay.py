"""
No secret that is in use stands in anything that we write, log, print, raise or keep.

Jobs run with recognisable secrets, well and badly, from the command line and from Python; then
every byte of output, logs at their finest, ledgers, files, events and exceptions is searched for
each secret: plain, as addresses quote it, and in base64.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from driving import calm, quick
from graphs import picture
from services import PRIVATE_KEY

from comfygraph.cli import run
from comfygraph.emulator import Emulator, Faults
from comfygraph.errors import ComfyGraphError
from comfygraph.jobs import submit
from comfygraph.jobs.ledger import open_ledger
from comfygraph.targets import URL_SETTINGS, get_target
from comfygraph.targets.events import event_to_json

SECRETS = {
    "tams": ["tams-key/+q7Zr0Lh3Vx", "access-key/8Jw2mKf5"],
    "tams with RSA": ["".join(PRIVATE_KEY.splitlines()[1:-1])[200:260], "access-key/8Jw2mKf5"],
    "civitai": ["civitai-token/Yb6Nn1Tq"],
    "comfyui": ["comfyui-token/4Gd9Xs", "comfyui-key/7Rp3Wz", "comfyui-header/2Kj8Hv",
                "comfy-org-key/5Mt1Qc"],
    "comfyui by address": ["pass-word/9Lf6Yb"],
    "comfyapi": ["comfyapi-token/3Vn7Ud", "comfy-org-key/5Mt1Qc"],
    "novita": ["novita-key/6Ds4Pk"],
    "database": ["data-base/1Xc8Me"],
}  # fmt: skip
MODEL = "600423083519508503"
ACCESS = f"{MODEL}=access-key/8Jw2mKf5"
SETTINGS = {
    "tams": {"TAMS_API_KEY": "tams-key/+q7Zr0Lh3Vx", "TAMS_ACCESS_KEYS": ACCESS},
    "tams with RSA": {
        "TAMS_APP_ID": "app",
        "TAMS_PRIVATE_KEY": PRIVATE_KEY,
        "TAMS_ACCESS_KEYS": ACCESS,
    },
    "civitai": {"CIVITAI_API_TOKEN": "civitai-token/Yb6Nn1Tq"},
    "comfyui": {
        "COMFYUI_TOKEN": "comfyui-token/4Gd9Xs",
        "COMFYUI_API_KEY": "comfyui-key/7Rp3Wz",
        "COMFYUI_HEADERS": "X-Access: comfyui-header/2Kj8Hv",
        "COMFY_API_KEY": "comfy-org-key/5Mt1Qc",
    },
    "comfyui by address": {},
    "comfyapi": {
        "COMFY_API_TOKEN": "comfyapi-token/3Vn7Ud",
        "COMFY_API_KEY": "comfy-org-key/5Mt1Qc",
    },
}
MOODS = {
    "well": Faults(),
    "after retries": Faults(drops=1, too_many=1, retry_after="0", route="GET *"),
    "refused": Faults(errors=99, error_status=403, echoes=True, route="POST *"),
    "in trouble": Faults(errors=99, error_status=500, echoes=True, route="POST *"),
    "failed": Faults(fail_node="3"),
    "web pages": Faults(pages=99, page_status=200, route="POST *"),
    "led away": Faults(redirects=99, redirect_to="http://127.0.0.1:9", route="GET *"),
}
COMMANDS = {
    "plainly": [],
    "as JSON": ["--json"],
    "dry": ["--dry-run"],
}


@pytest.fixture(scope="module")
def easy_emulator() -> Iterator[Emulator]:
    """
    An emulator that takes any credential.
    """
    with Emulator(speed=0, any_token=True) as running:
        yield running


@pytest.fixture
def logs() -> Iterator[list[str]]:
    """
    All that any library logs, at the finest level.
    """
    records: list[str] = []
    handler = logging.Handler(logging.NOTSET)
    shape = logging.Formatter("%(name)s %(message)s %(args)s")
    handler.emit = lambda record: records.append(shape.format(record))  # type: ignore[method-assign]  # the least of a handler
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield records
    root.removeHandler(handler)
    root.setLevel(before)


def graph(color: int) -> dict[str, Any]:
    """Give a graph that names a private model."""
    lora = {"model": ["8", 0], "lora_name": MODEL, "strength_model": 1.0}
    return {
        **picture(color),
        "8": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": MODEL}},
        "9": {"class_type": "LoraLoaderModelOnly", "inputs": lora},
    }


def settings_of(who: str, emulator: Emulator) -> dict[str, str]:
    """Give the settings of a service, its address among them."""
    url = emulator.url()
    if who == "comfyui by address":
        url = url.replace("://", f"://user:{quote('pass-word/9Lf6Yb', safe='')}@")
    return {**SETTINGS[who], URL_SETTINGS[target_of(who)]: url}


def target_of(who: str) -> str:
    """Give the name of the target."""
    return who.partition(" ")[0]


def spellings_of(secret: str) -> list[bytes]:
    """Give the forms that a secret may take."""
    raw = secret.encode()
    packed = [base64.b64encode(it).rstrip(b"=") for it in (raw, b"user:" + raw, b" " + raw)]
    return [raw, quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode(), *packed]


def found_in(who: str, data: bytes) -> list[str]:
    """Give the secrets of a service that stand in some bytes."""
    return [secret for secret in SECRETS[who] if any(form in data for form in spellings_of(secret))]


def kept_in(folder: Path) -> bytes:
    """Give every byte of every file below a folder, and the names."""
    return b"\n".join(
        str(path).encode() + path.read_bytes() for path in folder.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("who", SETTINGS)
def test_on_the_command_line(
    who: str,
    mood: str,
    command: str,
    easy_emulator: Emulator,
    logs: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    """
    Output, logs, the ledger and what lies beside the pictures hold none of the secrets.
    """
    if command == "dry" and mood != "well":
        mood = "well"
    easy_emulator.faults = MOODS[mood].changed(["qps=0", "lag=0"])
    for name, value in settings_of(who, easy_emulator).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COMFYGRAPH_TRACEBACK", "1")
    monkeypatch.setenv("COMFYGRAPH_LEDGER", str(tmp_path / "ledger" / "jobs.db"))
    monkeypatch.chdir(tmp_path)
    Path("g.json").write_text(json.dumps(graph(len(who + mood + command))), "utf-8")
    args = ["submit", "g.json", "--target", target_of(who), "--out", "out"]
    # what will not end well ends soon
    args += ["--deadline", "30" if mood in ("well", "after retries") else "2"]
    code = run([*args, *COMMANDS[command]])
    out, err = capfdbinary.readouterr()
    told = b"\n".join([out, err, "\n".join(logs).encode(), kept_in(tmp_path)])

    assert [] == found_in(who, told)
    assert b"Traceback" not in err
    assert (code == 0) == (command == "dry" or mood in ("well", "after retries")), err


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("who", SETTINGS)
def test_from_python(
    who: str, mood: str, easy_emulator: Emulator, logs: list[str], tmp_path: Path
) -> None:
    """
    Events, references, the ledger's rows and whole chains of exceptions hold none of the secrets.
    """
    easy_emulator.faults = MOODS[mood].changed(["qps=0", "lag=0"])
    target = get_target(target_of(who), settings_of(who, easy_emulator))
    told: list[str] = [repr(target), str(vars(target))]
    ledger = open_ledger(tmp_path / "jobs.db")
    try:
        job = submit(
            graph(len(who + mood)),
            target=target,
            out=tmp_path / "out",
            policy=quick(target.policy),
            settings=calm(patience=0.2),
            deadline=5.0,
            ledger=ledger,
        )
        for event in job:
            told += [repr(event), json.dumps(event_to_json(event))]
        told += [repr(job), repr(job.ref), json.dumps(job.ref.to_json()) if job.ref else ""]
    except ComfyGraphError as exc:
        told += ["".join(traceback.format_exception(exc)), repr(exc)]
        chain: BaseException | None = exc
        while chain is not None:
            told += [str(chain), repr(chain), repr(chain.args), repr(getattr(chain, "hint", ""))]
            chain = chain.__cause__ or chain.__context__
    finally:
        ledger.close()
    everything = "\n".join([*told, *logs]).encode(errors="replace")

    assert [] == found_in(who, everything + kept_in(tmp_path))


@pytest.mark.parametrize("mood", ["well", "refused", "led away"])
@pytest.mark.parametrize("command", [["model", "64094"], ["models"], ["task", "t-1"]])
def test_of_novita(
    command: list[str],
    mood: str,
    easy_emulator: Emulator,
    logs: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    """
    What is said about Novita holds no key of it, and neither does what is kept of its answers.
    """
    route = "*" if mood == "refused" else MOODS[mood].route
    easy_emulator.faults = MOODS[mood].changed(["qps=0", f"route={route}"])
    monkeypatch.setenv("NOVITA_API_KEY", "novita-key/6Ds4Pk")
    monkeypatch.setenv("NOVITA_BASE_URL", easy_emulator.url())
    monkeypatch.setenv("CIVITAI_SITE_URL", easy_emulator.url())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COMFYGRAPH_TRACEBACK", "1")
    code = run(["novita", *command, "--json"])
    out, err = capfdbinary.readouterr()

    assert mood == "well" or code == 4
    told = b"\n".join([out, err, "\n".join(logs).encode(), kept_in(tmp_path)])
    assert [] == found_in("novita", told)


def test_of_a_ledger_that_is_out_of_reach(
    logs: list[str], tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """
    The password of a database is in no word about it.
    """
    (tmp_path / "g.json").write_text(json.dumps(graph(1)), "utf-8")
    place = f"postgresql://me:{quote('data-base/1Xc8Me', safe='')}@127.0.0.1:9/jobs"
    code = run(["submit", str(tmp_path / "g.json"), "--ledger", place])
    out, err = capfdbinary.readouterr()

    assert code != 0
    assert b"127.0.0.1" in err
    assert [] == found_in("database", b"\n".join([out, err, "\n".join(logs).encode()]))


def test_the_search_finds(tmp_path: Path) -> None:
    """
    A secret is found in each of its forms, in files and in texts.
    """
    secret = SECRETS["comfyui by address"][0]
    forms = [
        secret,
        quote(secret, safe=""),
        base64.b64encode(f"user:{secret}".encode()).decode(),
    ]
    for form in forms:
        (tmp_path / "x").write_text(f"<{form}>", "utf-8")

        assert [secret] == found_in("comfyui by address", kept_in(tmp_path))
    assert os.listdir(tmp_path) == ["x"]
