"""
The parts of a batch that do no I/O: variants, their check, names of files, money, progress.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.catalog import load_catalog
from comfygraph.core.values import JsonValue, Prompt
from comfygraph.errors import ComfyGraphError, UsageError
from comfygraph.jobs.batch.checking import Checker
from comfygraph.jobs.batch.file_names import FileNames, service_name
from comfygraph.jobs.batch.graphs import Base, open_bases
from comfygraph.jobs.batch.manifest import Manifest, Row
from comfygraph.jobs.batch.meter import Meter
from comfygraph.jobs.batch.space import Space
from comfygraph.jobs.batch.spending import Purse, Quote, Room, check_budget
from comfygraph.jobs.batch.tables import read_table
from comfygraph.jobs.batch.variants import Variants, read_sweep
from comfygraph.lint import Severity, lint

CATALOG = load_catalog()
EXAMPLE = json.loads((Path(__file__).parents[2] / "examples" / "hires.json").read_text("utf-8"))
BASE = Base(Prompt.from_json(EXAMPLE), "hires.json")
SEEDED = next(node.id for node in BASE.prompt.nodes() if "seed" in node.inputs)


def sweeps(*texts: str, base: Base = BASE) -> Space:
    """
    Give the space of some sweeps.
    """
    return Space([read_sweep(text, base, CATALOG) for text in texts])


def test_variants() -> None:
    """
    Each variant has its number, its parameters by the names that were used, and its graph.
    """
    name = f"{SEEDED}.seed"
    found = list(Variants([BASE], sweeps(f"{name}=1..2", f"{SEEDED}.cfg=6,7.5"), CATALOG))

    assert [
        (1, {name: 1, f"{SEEDED}.cfg": 6}),
        (2, {name: 1, f"{SEEDED}.cfg": 7.5}),
        (3, {name: 2, f"{SEEDED}.cfg": 6}),
        (4, {name: 2, f"{SEEDED}.cfg": 7.5}),
    ] == [(variant.index, dict(variant.parameters)) for variant in found]
    assert [1, 1, 2, 2] == [variant.prompt[SEEDED].inputs["seed"] for variant in found]


def test_too_many_variants() -> None:
    """
    A thousand million variants are refused at once, and the hint says how to have fewer.
    """
    with pytest.raises(UsageError) as caught:
        Variants([BASE], sweeps(f"{SEEDED}.seed=1..1000000000"), CATALOG)

    assert "1,000,000,000 jobs, and the limit is 100,000" in caught.value.message
    assert "--max-jobs" in (caught.value.hint or "")


def test_a_table_of_texts(tmp_path: Path) -> None:
    """
    Cells of a CSV are read as the inputs want them; an empty one leaves the graph's value.
    """
    path = tmp_path / "runs.csv"
    path.write_text(f"{SEEDED}.seed,positive.text\n7,123\n,5\n", "utf-8")
    found = list(Variants([BASE], Space([read_table(path, most=9)]), CATALOG))

    assert [{f"{SEEDED}.seed": 7, "positive.text": "123"}, {"positive.text": "5"}] == [
        variant.parameters for variant in found
    ]
    assert BASE.prompt[SEEDED].inputs["seed"] == found[1].prompt[SEEDED].inputs["seed"]


def test_parameters_of_a_script() -> None:
    """
    A name that the graph has as a parameter goes to what builds the graph, others to its nodes.
    """

    def settle(given: Any) -> Prompt:
        document = json.loads(json.dumps(EXAMPLE))
        document[SEEDED]["inputs"]["seed"] = given["lucky"]
        return Prompt.from_json(document)

    base = Base(BASE.prompt, "script.py:graph", {"lucky": None}, settle)
    found = list(Variants([base], sweeps("lucky=3,4", f"{SEEDED}.steps=9", base=base), CATALOG))

    assert [(3, 9), (4, 9)] == [
        (node.inputs["seed"], node.inputs["steps"])
        for node in (variant.prompt[SEEDED] for variant in found)
    ]


def test_bases_of_a_folder_and_of_lines(tmp_path: Path) -> None:
    """
    A folder gives its graphs by name; a JSONL gives graphs, or files with changes of their own.
    """
    for name in ("b.json", "a.json", ".hidden.json"):
        (tmp_path / name).write_text(json.dumps(EXAMPLE), "utf-8")
    (tmp_path / "notes.txt").write_text("no graph", "utf-8")
    rows = [
        EXAMPLE,
        {"graph": "a.json", "set": {f"{SEEDED}.seed": 5}, "name": "five"},
        {"graph": "b.json"},
    ]
    lines = tmp_path / "all.jsonl"
    lines.write_text("\n\n".join(map(json.dumps, rows)) + "\n", "utf-8")
    folder, listed = open_bases(tmp_path, CATALOG), open_bases(lines, CATALOG)

    assert (2, ["a.json", "b.json"]) == (len(folder), [base.label for base in folder])
    assert (3, ["line 1", "five", "b.json"]) == (len(listed), [base.label for base in listed])
    assert [None, 5, None] == [
        dict(variant.parameters).get(f"{SEEDED}.seed")
        for variant in Variants(listed, Space([]), CATALOG)
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "all.jsonl:2: this line is not JSON"),
        ("[" * 100_000, "all.jsonl:2: this line is not JSON"),
        ('{"graph": "none.json"}', "all.jsonl:2: .*no such file"),
        ('{"graph": {}, "sett": {}}', "all.jsonl:2: a line has no key `sett`"),
        ('{"graph": {}, "set": 1}', "all.jsonl:2: `set` is an object"),
        ('{"graph": {}, "name": 1}', "all.jsonl:2: `name` is text"),
        ('{"1": {"inputs": {}}}', "all.jsonl:2: .*has no `class_type`"),
        ("7", "all.jsonl:2: "),
    ],
)
def test_lines_that_hold_no_graph(tmp_path: Path, line: str, message: str) -> None:
    """
    What is wrong with a line is told with its number.
    """
    path = tmp_path / "all.jsonl"
    path.write_text(f"{json.dumps(EXAMPLE)}\n{line}\n", "utf-8")

    with pytest.raises(ComfyGraphError, match=message):
        list(open_bases(path, CATALOG))


def test_places_with_no_graph(tmp_path: Path) -> None:
    """
    An empty folder, an empty file and no file at all say so.
    """
    (tmp_path / "empty.jsonl").write_text("\n", "utf-8")
    for path in (tmp_path / "empty.jsonl", tmp_path / "none.jsonl"):
        with pytest.raises(ComfyGraphError, match=r"empty|No such file"):
            open_bases(path, CATALOG)

    (tmp_path / "empty.jsonl").unlink()
    with pytest.raises(UsageError, match="no graph in the folder"):
        open_bases(tmp_path, CATALOG)


def test_twins_and_invalid_variants_are_left_out() -> None:
    """
    A graph that was there is left out, and so is one that lint has errors for.
    """
    checker = Checker(CATALOG)
    variants = Variants([BASE], sweeps(f"{SEEDED}.steps=5,6,5,0,-3,6"), CATALOG)
    good = [variant.index for variant in checker.good(variants)]

    assert [1, 2] == good
    assert (2, 2, 2, 6) == (
        checker.result.good,
        checker.result.twins,
        checker.result.invalid,
        checker.result.seen,
    )
    assert [4, 5] == [item.variant.index for item in checker.result.examples]
    assert ["CG302"] == [
        item.rule_id
        for item in checker.result.examples[0].report.diagnostics
        if item.severity is Severity.ERROR
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["seed", "cfg", "denoise", "sampler_name", "steps"]),
            st.one_of(
                st.integers(-2, 3),
                st.integers(-(2**70), 2**70),
                st.floats(allow_nan=True),
                st.sampled_from(["euler", "eulr", "", None, True, [1], ["99", 0], {}]),
            ),
        ),
        max_size=12,
    )
)
def test_a_lint_that_is_spared_has_no_errors(changes: list[tuple[str, JsonValue]]) -> None:
    """
    The variants that are let through are exactly those that lint has no errors for.
    """
    rows = [(f"{SEEDED}.{name}", value) for name, value in changes if value != ["99", 0]]
    bases = [Base(BASE.prompt, "same", given={name: value}) for name, value in rows]
    checker = Checker(CATALOG)
    good = {
        variant.index: variant.prompt
        for variant in checker.good(Variants(bases, Space([]), CATALOG))
    }
    invalid = {item.variant.index: item.variant.prompt for item in checker.result.examples}

    assert all(not lint(prompt, CATALOG).has_errors for prompt in good.values())
    assert all(lint(prompt, CATALOG).has_errors for prompt in invalid.values())


FIELDS: dict[str, JsonValue] = {
    "batch": "b1", "index": 7, "label": "hires.json", "node": "9", "title": "Save: a/b",
    "name": "ComfyUI_00001_", "ext": "png", "number": 1, "job": "j",
}  # fmt: skip


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{index:05}_{name}.{ext}", "00007_ComfyUI_00001_.png"),
        ("{batch}/{index:05}_{seed}_{node}.{ext}", "b1/00007_42_9.png"),
        ("{3.seed}-{cfg}.{ext}", "42-7.5.png"),
        ("{title}.{ext}", "Save_ a_b.png"),
        ("{text}.{ext}", "__.._.._etc_passwd.png"),
        ("../{name}.{ext}", "_/ComfyUI_00001_.png"),
        ("{{{index}}}.{ext}", "{7}.png"),
        ("CON.{ext}", "_CON.png"),
    ],
)
def test_file_names(template: str, expected: str) -> None:
    """
    Fields are filled in and numbers padded; no value makes a path that leaves the folder.
    """
    names = FileNames(template, ["3.seed", "cfg", "positive.text"])
    parameters = {"3.seed": 42, "cfg": 7.5, "positive.text": "/../../etc/passwd"}

    assert expected.lstrip("_") == str(names.path(FIELDS, parameters)).lstrip("_")


@pytest.mark.parametrize(
    ("template", "message", "hint"),
    [
        ("{sed}.png", "unknown field `sed`", "did you mean `seed`?"),
        ("{zzzzzz}.png", "unknown field `zzzzzz`", "it may have batch, index"),
        ("{index", "a brace that does not fit", "{index:05}"),
        ("{index:x}.png", "a brace that does not fit", "{index:05}"),
        ("index}", "a brace that does not fit", "{index:05}"),
        ("a//b", "without a name", "{index:05}"),
        ("", "without a name", "{index:05}"),
    ],
)
def test_templates_that_are_none(template: str, message: str, hint: str) -> None:
    """
    A template that cannot be filled in is refused before anything is sent.
    """
    with pytest.raises(UsageError) as caught:
        FileNames(template, ["3.seed"])

    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_names_that_two_parameters_share() -> None:
    """
    The input alone is no field where two parameters end in it.
    """
    FileNames("{3.seed}_{4.seed}", ["3.seed", "4.seed"])
    with pytest.raises(UsageError):
        FileNames("{seed}", ["3.seed", "4.seed"])


@given(value=st.text(max_size=50), name=st.text(max_size=50))
def test_no_value_leaves_the_folder(value: str, name: str) -> None:
    """
    Whatever a parameter or the service's name holds, the path has the parts of the template.
    """
    stem, ending = service_name(name)
    fields = {**FIELDS, "name": stem, "ext": ending, "label": value}
    path = FileNames("x/{seed}/{label}_{name}.{ext}", ["seed"]).path(fields, {"seed": value})

    assert 3 == len(path.parts)
    assert not path.is_absolute()
    assert set(path.parts).isdisjoint({"..", "."})


def test_manifest(tmp_path: Path) -> None:
    """
    Rows are appended as they come and put in their order at the end; texts are no formulas.
    """
    manifest = Manifest(tmp_path, "b1", ["seed", "text"])
    rows = [
        Row(1, "succeeded", {"seed": -1, "text": "=1+1"}, job="j1", cost=0.5, files=("a.png",)),
        Row(2, "failed", {"seed": 2, "text": 'a, "b"'}, message="no"),
    ]
    manifest.rewrite([])
    manifest.append([rows[1]])
    manifest.append([rows[0]])
    early = [line["index"] for line in _jsonl(tmp_path)]
    manifest.rewrite(rows)

    assert [2, 1] == early
    assert [1, 2] == [line["index"] for line in _jsonl(tmp_path)]
    assert {"seed": -1, "text": "=1+1"} == _jsonl(tmp_path)[0]["parameters"]
    with (tmp_path / "batch-b1.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [("1", "-1", "'=1+1", "a.png"), ("2", "2", 'a, "b"', "")] == [
        (line["index"], line["seed"], line["text"], line["files"]) for line in table
    ]
    assert ["batch-b1.csv", "batch-b1.jsonl"] == sorted(path.name for path in tmp_path.iterdir())


def test_manifest_that_cannot_be_written(tmp_path: Path) -> None:
    """
    A folder that is gone is told in one line.
    """
    manifest = Manifest(tmp_path / "gone", "b1", [])
    with pytest.raises(UsageError, match="cannot write the manifest"):
        manifest.rewrite([])
    with pytest.raises(UsageError, match="cannot write the manifest"):
        manifest.append([Row(1, "failed", {})])


def _jsonl(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "batch-b1.jsonl").read_text().splitlines()]


class Books:
    """
    What a ledger would say of the money of a batch.
    """

    def __init__(self) -> None:
        self.spent = 0.0
        self.dearest = 0.0
        self.under_way: list[float] = []

    def outlay(self) -> tuple[float, float, int, int]:
        """
        Say it to whoever has claimed one job more.
        """
        return self.spent, self.dearest, len(self.under_way) + 1, 0

    def end(self) -> None:
        """
        Have the oldest job that is under way tell what it cost.
        """
        cost = self.under_way.pop(0)
        self.spent += cost
        self.dearest = max(self.dearest, cost)


@given(
    most=st.integers(1, 40),
    costs=st.lists(st.integers(1, 5), min_size=1, max_size=30),
    together=st.integers(1, 6),
    purses=st.integers(1, 3),
)
def test_the_purse_is_never_overdrawn(
    most: int, costs: list[int], together: int, purses: int
) -> None:
    """
    However many jobs run at the same time, and however many processes send them, no more is spent
    where none is dearer than quoted; a process that is alone need not look each time for that.
    """
    books = Books()
    rest = 1e9 if purses == 1 else 0.0
    several = [Purse(books.outlay, most, expected=max(costs), rest=rest) for _ in range(purses)]
    for turn, cost in enumerate(costs):
        if len(books.under_way) == together:
            books.end()
        if several[turn % purses].room() is Room.YES:
            books.under_way.append(cost)
    while books.under_way:
        books.end()

    assert books.spent <= most


def test_the_purse_learns_what_jobs_cost() -> None:
    """
    Without a quote the first costs that are told decide; without a limit nothing does. What is
    under way is waited for where that may help.
    """
    books = Books()
    books.under_way.append(2)
    purse = Purse(books.outlay, 5, expected=3)
    before = purse.room()
    books.end()
    after = purse.room()
    books.under_way.append(2)
    books.end()

    assert [Room.LATER, Room.YES, Room.NO] == [before, after, purse.room()]
    assert Room.YES is Purse(books.outlay, None).room()


def test_quotes() -> None:
    """
    A quote says whether it was worked out, and stops what is too dear.
    """
    whole = Quote(12.5, "credits", jobs=5, asked=5)
    part = Quote(1250.0, "Buzz", jobs=500, asked=20)

    assert "5 jobs, 12.5 credits" == whole.text()
    assert "500 jobs, about 1,250 Buzz (worked out from 20 of them)" == part.text()
    assert "1 job, the service does not say what they cost" == Quote(None, jobs=1).text()
    check_budget(whole, 12.5)
    check_budget(whole, None)
    with pytest.raises(UsageError, match="more than --max-cost 12"):
        check_budget(whole, 12)
    with pytest.raises(UsageError, match="cannot pay"):
        check_budget(Quote(1, affordable=False), None)


@given(
    weights=st.lists(st.floats(0.1, 50), min_size=1, max_size=6),
    happenings=st.lists(
        st.tuples(st.floats(0, 30), st.integers(1, 6), st.integers(0, 5), st.floats(0, 1.5)),
        max_size=40,
    ),
)
def test_the_figure_never_goes_back(
    weights: list[float], happenings: list[tuple[float, int, int, float]]
) -> None:
    """
    Whatever happens in whatever order, the figure grows, and is 1 only when all is over.
    """
    now = [0.0]
    meter = Meter(len(weights), sum(weights), clock=lambda: now[0])
    left = dict(enumerate(weights, 1))
    figures = [meter.fraction]
    for pause, index, kind, share in happenings:
        now[0] += pause
        if index not in left:
            continue
        match kind:
            case 0:
                meter.started(index)
            case 1:
                meter.at(index, share)
            case 2:
                meter.left(index)
            case 3:
                meter.sent(index, left[index])
                meter.ended(index, success=share < 0.5, cost=1.0)
                del left[index]
            case _:
                meter.sent(index, left[index])
        reading = meter.reading()
        figures.append(reading.fraction)
        assert 0 <= reading.queued <= len(weights)
        assert reading.remaining is None or reading.remaining >= 0
        assert (reading.fraction == 1) is (not left)
    for index, weight in left.items():
        meter.sent(index, weight)
        meter.ended(index, success=True, cost=None)

    assert sorted(figures) == figures
    assert 1.0 == meter.fraction
