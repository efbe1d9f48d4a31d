"""
The values of sweeps, and the spaces that they span.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.catalog import InputSpec, load_catalog
from comfygraph.errors import ComfyGraphError, InputError, UsageError
from comfygraph.jobs.batch.space import Axis, Combine, Space, read_combine
from comfygraph.jobs.batch.tables import MISSING, read_table
from comfygraph.jobs.batch.values import MAX_SEED, Seeds, read_values

SAMPLER = load_catalog()["KSampler"].expand({})
TEXT = load_catalog()["CLIPTextEncode"].expand({})["text"]


def values(text: str, spec: InputSpec | None = None, folder: Path | None = None) -> list[Any]:
    """
    Read values and list them all.
    """
    found = read_values(text, spec, chance=0, folder=folder)
    return [found[index] for index in range(len(found))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1..5", [1, 2, 3, 4, 5]),
        ("1..10..4", [1, 5, 9]),
        ("5..1", [5, 4, 3, 2, 1]),
        ("5..1..-2", [5, 3, 1]),
        ("7..7", [7]),
        ("-2..1", [-2, -1, 0, 1]),
        ("0.1..0.5..0.1", [0.1, 0.2, 0.3, 0.4, 0.5]),
        ("1..2..0.5", [1.0, 1.5, 2.0]),
        ("1e1..2e1..5", [10, 15, 20]),
        ("6,7,8", [6, 7, 8]),
        ("6, 7.5 ,8", [6, 7.5, 8]),
        ("1..3,7,10..12", [1, 2, 3, 7, 10, 11, 12]),
        ("euler,dpmpp_2m", ["euler", "dpmpp_2m"]),
        ('"a, b",c', ["a, b", "c"]),
        ("'it''s'", None),
        (r'"say \"x\", please",b', ['say "x", please', "b"]),
        ('"1..3",4', ["1..3", 4]),
        ("true,null,x", [True, None, "x"]),
        ("[1, [2], {}]", [1, [2], {}]),
        ('[["4", 0], ["5", 0]]', [["4", 0], ["5", 0]]),
        ("a,", ["a", ""]),
        ("", [""]),
    ],
)
def test_values(text: str, expected: list[Any] | None) -> None:
    """
    Ranges include their ends and are exact; lists take quotes; each kind mixes with the others.
    """
    if expected is None:
        with pytest.raises(UsageError):
            values(text)
        return

    assert expected == values(text)


def test_texts_are_no_ranges() -> None:
    """
    Where an input wants text, `1..3` and `5` are text.
    """

    assert ["1..3", "5", "a cat"] == values("1..3,5,a cat", TEXT)


def test_truth_in_any_case() -> None:
    """
    Where an input wants a truth, it may be written as spreadsheets and Python write it.
    """
    truth = InputSpec("tiled", "BOOLEAN", required=True)

    assert [True, False, True, "yes"] == values("TRUE,False,true,yes", truth)
    assert ["TRUE", True] == values("TRUE,true")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1..5..-1", "never gets to its end"),
        ("1..5..0", "never gets to its end"),
        ("0.1..0.5", "says no step"),
        ("1..1e99", "more than"),
        ("1e999..2e999..1e-999", "more than"),
        ('"open', "is not closed"),
        ('"a"b', "follows the quote"),
        ("[]", "no value"),
        ("random:0", "no value"),
    ],
)
def test_values_that_are_none(text: str, message: str) -> None:
    """
    What cannot be walked through is refused.
    """
    with pytest.raises(UsageError, match=message):
        values(text)


def test_random_seeds() -> None:
    """
    Random seeds are the same for the same start, differ, and fit the input.
    """
    seeds = values("random:50:7", SAMPLER["seed"])

    assert seeds == values("random:50:7")
    assert 50 == len(set(seeds))
    assert seeds != values("random:50:8")
    assert all(0 <= seed <= MAX_SEED for seed in seeds)
    assert all(3 <= Seeds(20, 1, 3, 10)[index] <= 10 for index in range(20))


def test_values_of_a_file(tmp_path: Path) -> None:
    """
    `@file` gives its lines, blank ones left out; a line separator of Unicode is within a line.
    """
    (tmp_path / "cats.txt").write_bytes("\ufeffa cat, sitting\r\n\nzwei\u2028Katzen\n".encode())

    assert ["a cat, sitting", "zwei\u2028Katzen"] == values("@cats.txt", TEXT, tmp_path)
    with pytest.raises(InputError, match="cannot read"):
        values("@dogs.txt", TEXT, tmp_path)


@given(
    first=st.decimals(-1000, 1000, places=2),
    step=st.decimals("0.01", 50, places=2),
    count=st.integers(1, 40),
)
def test_ranges_are_exact(first: Decimal, step: Decimal, count: int) -> None:
    """
    The values of a range are the floats nearest to the exact ones, ends included.
    """
    last = first + step * (count - 1)
    exact = [float(first + step * index) for index in range(count)]

    assert exact == values(f"{first}..{last}..{step}")


@given(text=st.text(st.sampled_from("0123.,-e@[]{}\"'\\ random:x"), max_size=30))
def test_any_values(text: str) -> None:
    """
    No text does more than give values or raise an error of ours.
    """
    with suppress(ComfyGraphError):
        found = read_values(text, SAMPLER["cfg"], chance=0, folder=Path("/nowhere"))
        assert len(found) > 0
        found[len(found) - 1]


def axis(name: str, text: str) -> Axis:
    """
    Give an axis of values.
    """
    return Axis((name,), read_values(text, None, chance=0, folder=None), f"{name}={text}")


def test_cross() -> None:
    """
    Every value goes with every other; the last axis changes fastest.
    """
    space = Space([axis("a", "1..2"), axis("b", "x,y")])

    assert [(1, "x"), (1, "y"), (2, "x"), (2, "y")] == list(space)
    assert 4 == space.size


def test_zip() -> None:
    """
    The first goes with the first; a single value goes with all; other lengths are refused.
    """
    space = Space([axis("a", "1..2"), axis("b", "x,y"), axis("c", "9")], Combine("zip"))

    assert [(1, "x", 9), (2, "y", 9)] == list(space)
    with pytest.raises(UsageError, match=r"`a=1\.\.2` has 2, `b=x,y,z` has 3"):
        Space([axis("a", "1..2"), axis("b", "x,y,z")], Combine("zip"))


def test_no_axes() -> None:
    """
    A space without axes has one point: the graph as it is.
    """

    assert [()] == list(Space([]))


def test_a_space_too_large_to_walk() -> None:
    """
    The size of a space, its points and a sample of it come without walking through it.
    """
    space = Space([axis("a", "1..1000000000"), axis("b", "1..1000000000")])
    sample = Space([axis("a", "1..1000000000"), axis("b", "1..1000")], read_combine("sample:3:5"))

    assert 10**18 == space.size
    assert (1_000_000_000, 1_000_000_000) == space.at(10**18 - 1)
    assert 3 == len(set(sample)) == sample.size
    assert list(sample) == [sample.at(0), sample.at(1), sample.at(2)]


@given(
    first=st.integers(1, 30), second=st.integers(1, 30), count=st.integers(1, 1000),
    chance=st.integers(0, 5),
)  # fmt: skip
def test_samples(first: int, second: int, count: int, chance: int) -> None:
    """
    A sample has points of the cross in its order, none twice, and the same each time.
    """
    axes = [axis("a", f"1..{first}"), axis("b", f"1..{second}")]
    whole = list(Space(axes))
    sample = list(Space(axes, Combine("sample", count, chance)))

    assert min(count, len(whole)) == len(sample)
    assert [point for point in whole if point in set(sample)] == sample
    assert sample == list(Space(axes, Combine("sample", count, chance)))


@pytest.mark.parametrize("text", ["crss", "sample", "sample:0", "sample:-1", "zip:3", ""])
def test_ways_to_combine_that_are_none(text: str) -> None:
    """
    An unknown way is refused and the known ones are named.
    """
    with pytest.raises(UsageError) as caught:
        read_combine(text)

    assert "cross, zip, sample:N" in (caught.value.hint or "")


def test_a_name_that_occurs_twice() -> None:
    """
    An input cannot get two values.
    """
    with pytest.raises(UsageError, match="`a` gets values in more than one way"):
        Space([axis("a", "1"), axis("a", "2")])


def test_csv(tmp_path: Path) -> None:
    """
    A CSV names inputs in its first row; an empty cell leaves the graph's value.
    """
    path = tmp_path / "runs.csv"
    path.write_text('seed,positive.text\n1,"a cat, sitting"\n\n2,\n', "utf-8")
    table = read_table(path, most=10)

    assert ("seed", "positive.text") == table.names
    assert [("1", "a cat, sitting"), ("2", MISSING)] == [table.at(0), table.at(1)]


def test_jsonl(tmp_path: Path) -> None:
    """
    A JSONL has an object a line; keys that a line leaves out leave the graph's value.
    """
    path = tmp_path / "runs.jsonl"
    path.write_text('{"seed": 1}\n{"cfg": 7.5, "seed": 2}\n', "utf-8")
    table = read_table(path, most=10)

    assert ("seed", "cfg") == table.names
    assert [(1, MISSING), (2, 7.5)] == [table.at(0), table.at(1)]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "has no rows"),
        ("a.csv", "seed\n", "has no rows"),
        ("a.csv", "seed,\n1,2\n", "column 2 has no name"),
        ("a.csv", "seed,seed\n1,2\n", "two columns are called `seed`"),
        ("a.csv", "seed,text\n1,a, b\n", "a.csv:2: 3 cells in a table of 2 columns"),
        ("a.csv", 'seed\n"open\n', "a.csv:2: "),
        ("a.jsonl", "{}\n", "has no rows"),
        ("a.jsonl", "[1]\n", "a.jsonl:1: a row is an object of input → value, not a list"),
        ("a.jsonl", '{"a": 1}\n{\n', "a.jsonl:2: this is not JSON"),
        ("a.jsonl", '{"a": 1}\n' * 11, "more than 10 rows"),
        ("a.csv", "a\n" + "1\n" * 11, "more than 10 rows"),
    ],
)
def test_parameter_files_that_are_none(
    tmp_path: Path, name: str, text: str, message: str
) -> None:  # fmt: skip
    """
    What cannot be read is told with its place.
    """
    path = tmp_path / name
    path.write_text(text, "utf-8")

    with pytest.raises(ComfyGraphError, match=message.replace("[", r"\[")):
        read_table(path, most=10)
