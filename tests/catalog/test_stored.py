"""
Catalogs in files: large, packed, broken, changing under our hands.
"""

from __future__ import annotations

import gc
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from strategies import json_documents, json_values, object_infos

from comfygraph.catalog import load_catalog, stored
from comfygraph.catalog.index import scan
from comfygraph.catalog.save import catalog_text, write_text
from comfygraph.catalog.stored import catalog_from_file
from comfygraph.errors import CatalogError, UsageError

A = {"input": {"required": {"x": ["INT", {"min": 0}]}}, "output": ["IMAGE"]}
B = {"input": {"required": {"größe": ["STRING"]}}, "output": []}

in_tmp = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)


@pytest.fixture
def tiny_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Have files of any size read over an index.
    """
    monkeypatch.setattr(stored, "INDEX_FROM", 1)


def _write(path: Path, document: Any, **options: Any) -> Path:
    path.write_text(json.dumps(document, **options), encoding="utf-8")
    return path


def _facts(catalog: Any) -> dict[str, Any]:
    return {name: dict(catalog[name].raw) for name in catalog}


def test_plain_packed_and_indexed_files_agree(tmp_path: Path, tiny_index: None) -> None:
    """
    A catalog is the same from a plain file, a packed one, and over an index; names in any
    script, spacing and a byte order mark included.
    """
    document = {"Größe 😀": A, "KSampler": B, 'a "quoted"\nname': A}
    for number, options in enumerate(({}, {"ensure_ascii": False}, {"indent": 2})):
        path = _write(tmp_path / f"{number}.json", document, **options)
        marked = tmp_path / f"{number}-bom.json"
        marked.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
        packed = tmp_path / f"{number}.json.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        for file in (path, marked, packed):
            catalog = catalog_from_file(file, cache_dir=tmp_path / "cache")

            assert document == _facts(catalog)
            assert str(file) == catalog.label


@in_tmp
@given(object_infos())
def test_indexed_files_hold_any_catalog(tmp_path: Path, document: dict[str, Any]) -> None:
    """
    Over an index, and again from the cached index, every class is what it was.
    """
    path = _write(tmp_path / "any.json", document, ensure_ascii=True)
    spans = scan(path.read_bytes(), path)

    assert list(document) == list(spans)
    data = path.read_bytes()
    for name, (start, end) in spans.items():
        read = json.loads(b"{" + data[start:end] + b"}")
        assert json.dumps({name: document[name]}) == json.dumps(read)


@in_tmp
@given(object_infos())
def test_written_catalogs_come_back(tmp_path: Path, document: dict[str, Any]) -> None:
    """
    What `catalog_text` writes has the same classes, inputs and outputs when it is read.
    """
    path = tmp_path / "compact.json"
    write_text(path, catalog_text(document, "test"))
    before, after = load_catalog(document), catalog_from_file(path)

    assert sorted(before) == sorted(after)
    for name, node in before.items():
        same = after[name]
        assert repr(dict(node.inputs)).replace("'tooltip': 'prose', ", "") == repr(
            dict(same.inputs)
        )
        assert node.outputs == same.outputs
        assert (node.category, node.output_node) == (same.category, same.output_node)
        assert node.hidden == same.hidden
    assert catalog_text(document, "test") == catalog_text(dict(reversed(document.items())), "test")


def test_large_written_catalogs_are_read_by_line(tmp_path: Path, tiny_index: None) -> None:
    """
    A catalog that comfygraph wrote needs no index, whatever its size.
    """
    path = tmp_path / "compact.json"
    write_text(path, catalog_text({"A": A, "KSampler": B}, "test"))
    catalog = catalog_from_file(path, cache_dir=tmp_path / "cache")

    assert ["A", "KSampler"] == list(catalog)
    assert ["größe"] == list(catalog["KSampler"].inputs)
    assert not (tmp_path / "cache").exists()


def test_the_index_is_kept_and_used(
    tmp_path: Path, tiny_index: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The second time the file is not scanned, and only the classes in use are parsed.
    """
    path = _write(tmp_path / "a.json", {"A": A, "B": B})
    cache = tmp_path / "cache"
    catalog_from_file(path, cache_dir=cache)

    def fail(*_: Any) -> None:
        raise AssertionError("scanned again")

    monkeypatch.setattr("comfygraph.catalog.index.scan", fail)

    assert {"A": A, "B": B} == _facts(catalog_from_file(path, cache_dir=cache))
    assert 1 == len(list(cache.iterdir()))


@pytest.mark.parametrize(
    "junk",
    [
        b"", b"{}", b"not json", b"[" * 100_000, b'{"state": []}',
        b'{"state": %s, "names": ["A"], "places": [0]}',
        b'{"state": %s, "names": ["A"], "places": [0, 1000000000000]}',
        b'{"state": %s, "names": ["A"], "places": [-5, 3]}',
        b'{"state": %s, "names": ["A"], "places": ["0", 3]}',
        b'{"state": %s, "names": [[]], "places": [0, 3]}',
        b'{"state": %s, "names": 5, "places": [0, 3]}',
    ],
)  # fmt: skip
def test_a_broken_index_is_made_anew(tmp_path: Path, tiny_index: None, junk: bytes) -> None:
    """
    An index that is damaged or foreign is not trusted, and replaced.
    """
    path = _write(tmp_path / "a.json", {"A": A})
    cache = tmp_path / "cache"
    catalog_from_file(path, cache_dir=cache)
    (index,) = cache.iterdir()
    good = index.read_bytes()
    state = json.dumps(json.loads(good)["state"]).encode()
    index.write_bytes(junk.replace(b"%s", state))

    assert {"A": A} == _facts(catalog_from_file(path, cache_dir=cache))
    assert good == index.read_bytes()


def test_a_cache_that_cannot_be_written(tmp_path: Path, tiny_index: None) -> None:
    """
    A cache folder that is no folder costs time, nothing else.
    """
    path = _write(tmp_path / "a.json", {"A": A})
    (tmp_path / "cache").write_text("a file")

    assert {"A": A} == _facts(catalog_from_file(path, cache_dir=tmp_path / "cache"))


def test_a_changed_file_is_scanned_again(tmp_path: Path, tiny_index: None) -> None:
    """
    The index belongs to one state of the file.
    """
    path = _write(tmp_path / "a.json", {"A": A})
    catalog_from_file(path, cache_dir=tmp_path / "cache")
    _write(path, {"B": B, "A": A})

    assert {"B": B, "A": A} == _facts(catalog_from_file(path, cache_dir=tmp_path / "cache"))


@pytest.mark.parametrize("change", ["cut", "emptied", "other class", "other bytes"])
def test_a_file_that_changes_under_the_catalog(
    tmp_path: Path, tiny_index: None, change: str
) -> None:
    """
    A file that is changed in place while the catalog is in use is an error, never a wrong class.
    """
    path = _write(tmp_path / "a.json", {"A": A, "B": B})
    catalog = catalog_from_file(path, cache_dir=tmp_path / "cache")
    old = path.read_bytes()
    new = {
        "cut": old[:20],
        "emptied": b"",
        "other class": old.replace(b'"A"', b'"C"'),
        "other bytes": b"x" * len(old),
    }[change]
    with path.open("r+b") as file:
        file.truncate(0)
        file.write(new)

    with pytest.raises(CatalogError, match="changed while it was read"):
        catalog["A"]


def test_a_file_that_is_replaced(tmp_path: Path, tiny_index: None) -> None:
    """
    A file that is replaced, as we replace files, stays readable as it was.
    """
    path = _write(tmp_path / "a.json", {"A": A})
    catalog = catalog_from_file(path, cache_dir=tmp_path / "cache")
    os.replace(_write(tmp_path / "b.json", {"B": B}), path)

    assert A == catalog["A"].raw


def test_the_file_is_closed_with_the_catalog(tmp_path: Path, tiny_index: None) -> None:
    """
    A catalog that is gone leaves no file open.
    """
    path = _write(tmp_path / "a.json", {"A": A})
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("needs /proc")
    catalog = catalog_from_file(path, cache_dir=tmp_path / "cache")

    def is_open() -> bool:
        return any(os.path.realpath(link) == str(path) for link in folder.iterdir())

    assert is_open()
    del catalog
    gc.collect()

    assert not is_open()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"[]", "not an /object_info document"),
        (b"{}", "not an /object_info document"),
        (b'{"1": {"class_type": "A", "inputs": {}}}', "not an /object_info document"),
        (b'{"A": 5}', "not an /object_info document"),
        (b"[" * 100_000, "not JSON"),
        (b'{"A": ' * 100_000, "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b'{"A": {"input": {}, "output": ' + b"9" * 5000 + b"}}", "not JSON"),
        (b"\x1f\x8b", "broken gzip file"),
        (b"\x1f\x8b\x08\x00" + b"x" * 50, "broken gzip file"),
        (gzip.compress(b'{"A": {"output": []}}', mtime=0)[:-9], "broken gzip file"),
        (gzip.compress(b"not json", mtime=0), "not JSON"),
    ],
)
def test_what_is_no_catalog(tmp_path: Path, content: bytes, message: str) -> None:
    """
    A file that holds no catalog says what is wrong with it, and its name.
    """
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(CatalogError) as caught:
        catalog_from_file(path)

    assert caught.value.message.startswith(f"{path}: {message}")


@pytest.mark.parametrize(
    "content",
    [
        b"[]", b"5", b"", b"{", b'{"A"', b'{"A" 5}', b'{"A": {}', b'{"A": {},}', b'{"A": {}} {}',
        b'{"A": {} "B": {}}', b'{"A": {"x": }}', b'{"A": 5}', b"{5: {}}", b'{"A": "\xff"}',
        b'{"A": ' + b"[" * 100_000, b"{}",
    ],
)  # fmt: skip
def test_the_scanner_refuses_what_is_no_catalog(
    tmp_path: Path, tiny_index: None, content: bytes
) -> None:
    """
    A large file is checked to its last character before anything in it is believed.
    """
    path = tmp_path / "a.json"
    path.write_bytes(content + b" ")

    with pytest.raises(CatalogError):
        catalog_from_file(path, cache_dir=tmp_path / "cache")


def test_the_last_of_two_entries_counts(tmp_path: Path, tiny_index: None) -> None:
    """
    A class that is written twice is the last one, as everywhere else in JSON.
    """
    path = tmp_path / "a.json"
    path.write_text(f'{{"A": {json.dumps(B)}, "C": {{}}, "A": {json.dumps(A)}, "C": 5}}')

    assert {"A": A} == _facts(catalog_from_file(path, cache_dir=tmp_path / "cache"))


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    """
    A missing file and a folder are errors of ours.
    """
    with pytest.raises(CatalogError, match="no such file"):
        catalog_from_file(tmp_path / "none.json")
    with pytest.raises(CatalogError, match=f"{tmp_path}: "):
        load_catalog(str(tmp_path))


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What is larger than its limit is not unpacked to its end, and not read at all.
    """
    monkeypatch.setattr(stored, "MAX_HELD", 1 << 20)
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b" " * (8 << 20)))
    with pytest.raises(CatalogError, match="too large when unpacked"):
        catalog_from_file(path)

    monkeypatch.setattr(stored, "MAX_BYTES", 10)
    with pytest.raises(CatalogError, match="above the maximum"):
        catalog_from_file(path)


def test_endless_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A device that never ends is left after the limit.
    """
    if not Path("/dev/zero").exists():
        pytest.skip("needs /dev/zero")
    monkeypatch.setattr(stored, "MAX_HELD", 1 << 16)

    with pytest.raises(CatalogError, match="too large"):
        catalog_from_file(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("line", "message"),
    [(b"5", "broken"), (b"{", "broken"), (b'{"i": 5, "o": {}, "f": [], "F": 3}', None)],
)
def test_broken_lines(tmp_path: Path, line: bytes, message: str | None) -> None:
    """
    A line of a written catalog that was damaged is an error when it is asked for.
    """
    path = tmp_path / "a.json"
    path.write_bytes(b'{"": {},\n"A": ' + line + b',\n"B": {}\n}\n')
    catalog = catalog_from_file(path)

    assert ["A", "B"] == catalog.names()
    if message is None:
        assert {} == dict(catalog["A"].inputs)
        return
    with pytest.raises(CatalogError, match=message):
        catalog["A"]


@in_tmp
@given(json_documents())
def test_any_file_is_a_catalog_or_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    """
    No bytes in a file raise anything but `CatalogError`.
    """
    path = tmp_path / "any"
    path.write_bytes(content)
    try:
        catalog = catalog_from_file(path)
        for name in catalog:
            assert catalog[name].inputs is not None
    except CatalogError as exc:
        assert exc.message.startswith(str(path))  # noqa: PT017  # most documents are none


@in_tmp
@given(json_values())
def test_any_json_under_an_index(tmp_path: Path, value: Any) -> None:
    """
    The scanner takes what `json.loads` takes, and finds the same classes.
    """
    data = json.dumps(value).encode()
    classes = (
        [name for name, entry in value.items() if isinstance(entry, dict)]
        if isinstance(value, dict)
        else []
    )
    try:
        assert classes == list(scan(data, tmp_path))
    except CatalogError:
        assert not classes


def test_write_text_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """
    A file that cannot be written leaves the old one, and nothing else, behind.
    """
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(UsageError):
        write_text(path, "half a pair: \ud800")
    with pytest.raises(UsageError):
        write_text(tmp_path / "none" / "a.json", "text")

    assert "old" == path.read_text()
    assert [path] == list(tmp_path.iterdir())
