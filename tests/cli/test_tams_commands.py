"""
`comfygraph tams`, as a person uses it, on the emulated TAMS.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from comfygraph.cli import cli, run
from comfygraph.emulator import Emulator, Faults

Call = Callable[..., tuple[int, str, str]]
SEED = Path(__file__).parents[1] / "data" / "seed" / "tams_workflow.json"
LORA, SDXL_LORA = "648628718430054626", "700000000000000001"
CHECKPOINT = "664602165660323756"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulated TAMS without pauses.
    """
    with Emulator(["tams"], speed=0, faults=Faults(qps=0, lag=0)) as running:
        yield running


@pytest.fixture
def tams(
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> Call:
    """
    Give the command, with the emulator as the service and an empty working folder.
    """
    emulator.faults = Faults(qps=0, lag=0)
    monkeypatch.setenv("TAMS_API_KEY", "emulator-token")
    monkeypatch.setenv("TAMS_BASE_URL", emulator.url("tams"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run(["tams", *args])
        out, err = capfd.readouterr()
        return code, out, err

    return call


def graph(path: Path, **changes: Any) -> str:
    """
    Write the recorded graph with other values: `n3_steps=5`.
    """
    body = json.loads(SEED.read_text())
    for name, value in changes.items():
        node, _, key = name[1:].partition("_")
        body["params"][node]["inputs"][key] = value
    path.write_text(json.dumps(body, indent=2))
    return str(path)


def line_of(path: Path, text: str) -> int:
    """
    Give the line of a file that holds a text.
    """
    return next(n for n, line in enumerate(path.read_text().splitlines(), 1) if text in line)


def test_check_of_a_good_graph(tams: Call, tmp_path: Path) -> None:
    """
    A good graph is priced, and nothing else is said; JSON has the same.
    """
    path = graph(tmp_path / "w.json")
    code, out, err = tams("check", path)
    _, data, _ = tams("check", path, "--json")

    assert (0, "TAMS would run it for 9 credits\n", "") == (code, out, err)
    assert {"valid": True, "credits": 9.0, "diagnostics": []} == json.loads(data)


def test_check_points_into_the_file(tams: Call, tmp_path: Path) -> None:
    """
    What TAMS refuses, a LoRA in place of a checkpoint, a LoRA for another base: each at its line.
    """
    path = tmp_path / "w.json"
    graph(path, n3_steps=-3, n10_lora_name=SDXL_LORA, n14_lora_name=CHECKPOINT)
    code, out, _ = tams("check", "w.json")
    _, data, _ = tams("check", "w.json", "--json")

    assert 1 == code
    assert [
        ("refused", "error", "/params/3/inputs/steps", line_of(path, '"steps": -3')),
        ("wrong-model-kind", "error", "/params/14/inputs/lora_name", line_of(path, CHECKPOINT)),
        ("other-base-model", "warning", "/params/10/inputs/lora_name", line_of(path, SDXL_LORA)),
    ] == [
        (item["name"], item["severity"], item["pointer"], item["line"])
        for item in json.loads(data)["diagnostics"]
    ]
    assert out.endswith("2 errors, 1 warning in 1 file\nTAMS would refuse it\n")


@pytest.mark.parametrize("style", ["valid", "omitted"])
def test_check_without_a_reason(tams: Call, emulator: Emulator, tmp_path: Path, style: str) -> None:
    """
    Where TAMS says no more than no, that is what is told, and it is a finding.
    """
    emulator.faults = Faults(qps=0, check_style=style)
    code, out, _ = tams("check", graph(tmp_path / "w.json", n3_steps=-3), "--no-models")

    assert 1 == code
    assert "TAMS says no more than that it is invalid" in out


def test_check_of_a_workflow_uploads_its_picture(tams: Call, tmp_path: Path) -> None:
    """
    A picture next to the graph is uploaded for the check; one elsewhere is refused.
    """
    Image.new("RGB", (8, 8)).save(tmp_path / "p.png")
    path = tmp_path / "g.json"
    nodes = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "p.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    path.write_text(json.dumps(nodes))
    good = tams("check", "g.json")
    nodes["1"]["inputs"] = {"image": "/etc/hostname"}
    path.write_text(json.dumps(nodes))
    bad = tams("check", "g.json")

    assert (0, "TAMS would run it for 0.1 credits\n") == good[:2]
    assert good[2].startswith("uploading p.png (")
    assert (3, "") == bad[:2]
    assert "`image` of LoadImage (1) is `/etc/hostname`" in bad[2]


def test_template_is_shown_filled_and_checked(tams: Call) -> None:
    """
    The fields with their presets, then with a value of ours and the price.
    """
    code, out, _ = tams("template", "676018193025756628")
    _, filled, _ = tams("template", "676018193025756628", "--set", "5.width=1024", "-s", "text=12")
    _, data, _ = tams("template", "676018193025756628", "-s", "width=1024", "--json")

    assert 0 == code
    assert [
        "Emulated tool (676018193025756628)",
        '  6.text    "a harbour"',
        "  5.width   512",
        "  5.height  768",
        "fill fields with --set, run it with --submit",
    ] == out.splitlines()
    assert ['  6.text    "12"   set', "  5.width   1024   set"] == filled.splitlines()[1:3]
    assert filled.endswith("TAMS would run it for 1.6 credits; --submit runs it\n")
    assert (True, 1.6, 1024) == (
        json.loads(data)["valid"],
        json.loads(data)["credits"],
        json.loads(data)["fields"][1]["value"],
    )


def test_template_that_would_be_refused(tams: Call) -> None:
    """
    The field that is wrong is named.
    """
    code, out, _ = tams("template", "676018193025756629", "--set", "scale_by=3")

    assert 1 == code
    assert "  25.image: 字段必填 (a value is required)\nTAMS would refuse it\n" in out


def test_template_runs_on_a_picture(tams: Call, tmp_path: Path) -> None:
    """
    `--submit` uploads, runs, and prints where the pictures are.
    """
    Image.new("RGB", (24, 16)).save(tmp_path / "p.png")
    code, out, err = tams(
        "template", "676018193025756629", "-s", "image=p.png", "--submit", "-o", "out"
    )
    made = [path for path in (tmp_path / "out").iterdir() if path.suffix == ".png"]

    assert 0 == code
    assert [f"out/{made[0].name}"] == [line.split("  ")[0] for line in out.splitlines()]
    assert "uploading p.png" in err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["676018193025756628", "-s", "txt=1"], 2, "the template has no field `txt`"),
        (["676018193025756628", "-s", "text"], 2, "cannot read `--set text`"),
        (["676018193025756628", "-o", "x"], 2, "--out keeps what a job makes"),
        (["12"], 4, "TAMS knows no such template (HTTP 404)"),
        (["676018193025756629", "-s", "image=./gone.png", "--submit"], 3, "there is no such file"),
    ],
)
def test_template_mistakes(tams: Call, args: list[str], code: int, message: str) -> None:
    """
    Each mistake has its exit code and its words.
    """
    found, _, err = tams("template", *args)

    assert code == found
    assert message in err


def test_model(tams: Call) -> None:
    """
    What a model is; what is no number; what there is not.
    """
    good = tams("model", SDXL_LORA)
    data = tams("model", LORA, "--json")
    odd = tams("model", "dreamshaper.safetensors")

    lines = ["  id     700000000000000001", "  kind   lora", "  base   SDXL 1.0"]

    assert (0, ["Emulated lora v1.0", *lines, "  words  emulated"]) == (
        good[0],
        good[1].splitlines(),
    )
    assert ("lora", LORA) == (json.loads(data[1])["kind"], json.loads(data[1])["id"])
    assert 2 == odd[0]
    assert "is no number of a model on TAMS" in odd[2]


def test_upload_job_and_cancel(tams: Call, emulator: Emulator, tmp_path: Path) -> None:
    """
    A picture gets an id that a graph can use; the job is shown; a cancel comes too late.
    """
    Image.new("RGB", (8, 8)).save(tmp_path / "p.png")
    resource = tams("upload", "p.png")[1].strip()
    kept = json.loads(tams("upload", "p.png", "--keep", "--json")[1])
    run(["tams", "template", "676018193025756629", "-s", f"image={resource}", "--submit"])
    before = next(iter(emulator_jobs(emulator)))
    shown, raw = tams("job", before), tams("job", before, "--json")
    late = tams("cancel", before)

    assert 36 == len(resource)
    assert (True, "p.png") == (kept["keep"], kept["name"])
    assert shown[1].startswith(f"job {before}: success · 0.1 credits\n  26     done\n")
    assert before == json.loads(raw[1])["id"]
    assert (1, f"too late: job {before} is over\n") == late[:2]
    assert 4 == tams("job", "12")[0]
    assert 4 == tams("cancel", "12")[0]
    assert 3 == tams("upload", "gone.png")[0]


def emulator_jobs(emulator: Emulator) -> list[str]:
    """
    Give the ids that the emulator may have given, the newest first.
    """
    import httpx

    from comfygraph.emulator.tams.service import FIRST_ID

    headers = {"Authorization": "Bearer emulator-token"}
    found = []
    for number in range(FIRST_ID + 7, FIRST_ID + 7 * 40, 7):
        url = f"{emulator.url('tams')}/v1/jobs/{number}"
        if httpx.get(url, headers=headers).status_code == 404:
            break
        found.append(str(number))
    return found[::-1]


def test_failed_job_is_told(tams: Call, emulator: Emulator) -> None:
    """
    A job that failed says why, whether another try may work, and ends with 5.
    """
    emulator.faults = Faults(qps=0, lag=0, fail_node="*", transient=True)
    run(["tams", "template", "676018193025756628", "--submit"])
    code, out, _ = tams("job", emulator_jobs(emulator)[0])

    assert 5 == code
    assert "(another try may work)" in out.splitlines()[0]


def test_without_credentials(tams: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Every command says which settings are missing.
    """
    monkeypatch.delenv("TAMS_API_KEY")
    codes = [tams(*args)[0] for args in (["model", LORA], ["job", "1"], ["cancel", "1"],
                                         ["template", "1"])]  # fmt: skip

    assert [2, 2, 2, 2] == codes


@pytest.mark.parametrize("name", ["", "check", "template", "model", "upload", "job", "cancel"])
def test_help_fits_the_terminal(name: str) -> None:
    """
    Each help text is there, shows how to call it and its exit codes, in 80 columns.
    """
    shown = CliRunner().invoke(cli, ["tams", *filter(None, [name]), "--help"], terminal_width=80)

    assert "Exit codes:" in shown.output
    assert max(map(len, shown.output.splitlines())) <= 80
