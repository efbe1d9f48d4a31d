"""
The table of names that a person writes.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from comfygraph.errors import UsageError
from comfygraph.references.air import Air
from comfygraph.references.forms import FileHash, FileName, TamsId
from comfygraph.references.table import Names
from comfygraph.references.table_file import read_table

AIR = "urn:air:sd1:checkpoint:civitai:4384@128713"
LORA = "urn:air:sd1:lora:civitai:58390@62833"
TABLE = f"""
"dreamshaper_8.safetensors" = "{AIR}"
"{LORA}" = "648628718430054626"
"628718430054626999" = "by_number.ckpt"

["add_detail.safetensors"]
air = "{LORA}"
tams = 631627137633337321

[style]
file = "styles/Ink.safetensors"
civitai = "https://civitai.com/models/1?modelVersionId=7"
sha256 = "sha256:{"a" * 64}"
"""


def written(folder: Path, text: str, name: str = "models.toml") -> str:
    """
    Write a table and give its path.
    """
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_models_are_found_by_every_name(tmp_path: Path) -> None:
    """
    A file, an AIR, a number and a hash lead to the other names; paths and case forgive.
    """
    table = read_table(written(tmp_path, TABLE))
    style = Names(
        FileName("styles/Ink.safetensors"), None, None, table.entries[4].version,
        FileHash("A" * 64),
    )  # fmt: skip

    assert [
        Names(file=FileName("dreamshaper_8.safetensors"), air=Air.parse(AIR)),
        Names(file=FileName("dreamshaper_8.safetensors"), air=Air.parse(AIR)),
        Names(file=FileName("by_number.ckpt"), tams=TamsId("628718430054626999")),
        Names(air=Air.parse(LORA), tams=TamsId("648628718430054626")),
        Names(FileName("add_detail.safetensors"), Air.parse(LORA), TamsId("631627137633337321")),
        style,
        style,
        None,
    ] == [
        table.find(FileName("dreamshaper_8.safetensors")),
        table.find(Air.parse(AIR.upper().replace("URN:AIR", "urn:air"))),
        table.find(FileName("some\\where\\BY_NUMBER.ckpt")),
        table.find(Air.parse(LORA)),
        table.find(TamsId("631627137633337321")),
        table.find(FileHash("A" * 10)),
        table.find(FileName("ink.safetensors")),
        table.find(FileName("other.safetensors")),
    ]
    assert (7, None) == (style.version_id, Names().version_id)


def test_json_has_the_same_shape(tmp_path: Path) -> None:
    """
    JSON and TOML tables with the same content are the same table.
    """
    document = {
        "a.ckpt": AIR,
        "b.ckpt": {"air": LORA, "tams": 648628718430054626},
        "c.ckpt": 62833,
        "d.ckpt": {"hash": "ECEFB796FF"},
    }
    toml = (
        f'"a.ckpt" = "{AIR}"\n"c.ckpt" = 62833\n"b.ckpt" = {{air = "{LORA}", '
        'tams = "648628718430054626"}\n"d.ckpt" = {hash = "autov2:ecefb796ff"}\n'
    )
    by_json = read_table(written(tmp_path, json.dumps(document), "m.json"))
    by_toml = read_table(written(tmp_path, toml))

    assert set(by_json.entries) == set(by_toml.entries)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("'x.ckpt' = 1.5", "`x.ckpt` is neither a text nor a table"),
        ("'x.ckpt' = true", "`x.ckpt` is neither a text nor a table"),
        ("'x.ckpt' = [1]", "`x.ckpt` is neither a text nor a table"),
        ("'x.ckpt' = {}", "`x.ckpt` has one name only"),
        ("'x.ckpt' = {air = 3}", "`x.ckpt`: `air` is no text"),
        ("'x.ckpt' = {aire = 'x'}", "`x.ckpt`: unknown key `aire`"),
        ("'x.ckpt' = {air = 'urn:air:x'}", "`x.ckpt`: `air`: `urn:air:x` is no AIR"),
        ("'x.ckpt' = 'urn:air:a:b:civitai:x@1'",
         "`x.ckpt`: `air`: `urn:air:a:b:civitai:x@1` names its model by no number"),
        ("'urn:air:a' = 'x.ckpt'", "`urn:air:a`: `urn:air:a` is no AIR"),
        ("'x.ckpt' = {tams = '12'}", "`x.ckpt`: `tams`: `12` is no number of a model"),
        ("'x.ckpt' = {civitai = 'x'}", "`x.ckpt`: `civitai`: `x` names no version on Civitai"),
        ("'x.ckpt' = {sha256 = '12'}", "`x.ckpt`: `sha256`: `12` is no hash"),
        ("'x.ckpt' = {file = ''}", "`x.ckpt`: `file`: `` is no name of a file"),
        ("a = {file = 'x.ckpt', civitai = 1}\n'x.ckpt' = 2",
         "`x.ckpt` and `a` give the file `x.ckpt` different names"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    """
    The message names the file, the line, the entry, the key and the value.
    """
    path = written(tmp_path, f"# models\n\n{text}")
    with pytest.raises(UsageError) as caught:
        read_table(path)

    assert f"{path}:{3 + text.count(chr(10))}: {message}" == str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("m.toml", '"a.ckpt" = 1\n["b.ckpt"]\nair = 2', 2),
        ("m.toml", '"a.ckpt" = 1\n[ "b.ckpt" ]\nair = 2', 2),
        ("m.toml", "# b.ckpt\na.file = 'b.ckpt'\na.aire = 1\n", 2),
        ("m.toml", '"b.ckpt".air = 2', 1),
        ("m.json", '{"a.ckpt": 1,\n "b\\u00e4": {"air": 2}}', 2),
        ("m.json", '{"a": {"civitai": 2},\n\n"a": {"civitai": 2}}', 3),
        ("m.json", '{"a": "b.ckpt",\n"c": {"air": 2,\n"x": 1, "air": 2}}', 3),
    ],
)
def test_lines_of_mistakes(tmp_path: Path, name: str, text: str, place: int) -> None:
    """
    The line is that of the entry, however the file is written; of a key that is there twice, that
    of the second.
    """
    path = written(tmp_path, text, name)
    with pytest.raises(UsageError) as caught:
        read_table(path)

    assert str(caught.value).startswith(f"{path}:{place}: ")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f'dreamshaper_8.safetensors = "{AIR}"', "dreamshaper_8.safetensors"),
        (f'[flux1.dev.fp8.safetensors]\nair = "{AIR}"', "flux1.dev.fp8.safetensors"),
        ("a.b.c = 1", None),
    ],
)
def test_a_name_without_quotes(tmp_path: Path, text: str, name: str | None) -> None:
    """
    In TOML a name with a dot that lacks its quotes is several keys: the hint says what to do.
    """
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        read_table(path)

    assert str(caught.value).startswith(f"{path}:1: `")
    assert (name is not None) == ("stands in quotes" in (caught.value.hint or ""))
    assert f'"{name}"' in f'{caught.value.hint} "None"'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", "not TOML: Invalid value"),
        ("b = 1\na = x", ":2:5: not TOML: Invalid value"),
        ('a = "b.ckpt"\na = "c"', "not TOML: Cannot overwrite a value"),
        ("[1]", "not a table of name = AIR or number"),
        ('{"a": 1, "a": 2}', ":1: `a` is there twice"),
        ("{", ":1:2: not JSON: Expecting property name enclosed in double quotes"),
        ('{"a": ' * 5000, "not JSON"),
    ],
    ids=["value", "word", "key", "list", "twice", "broken", "deep"],
)
def test_what_is_no_table(tmp_path: Path, text: str, message: str) -> None:
    """
    A text that is no TOML or JSON, or no table, is an error of ours as well.
    """
    path = written(tmp_path, text, "models.toml" if "TOML" in message else "models.json")
    with pytest.raises(UsageError) as caught:
        read_table(path)

    said = message if message.startswith(":") else f": {message}"
    assert str(caught.value).startswith(f"{path}{said}")


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    """
    A missing file is told by its name.
    """
    with pytest.raises(UsageError) as caught:
        read_table(str(tmp_path / "none.toml"))

    assert f"{tmp_path / 'none.toml'}: No such file or directory" == str(caught.value)
