"""
Result files: their names are data of strangers, their writing is all or nothing.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comfygraph.core.values import Prompt
from comfygraph.errors import UsageError
from comfygraph.jobs.beside import save_graph
from comfygraph.jobs.files import Folder, NotKept, Sink, open_folder
from comfygraph.jobs.names import LONGEST, counted, safe_name
from comfygraph.targets.events import OutputFile

RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}
_CHARS = st.one_of(
    st.characters(),
    st.sampled_from("/\\:.. \x00\u202e\u200b<>|?*\"'~$%"),
    st.sampled_from("conaux1"),
)


@given(name=st.text(_CHARS, max_size=300))
@example("../../etc/passwd")
@example("C:\\Windows\\system32\\cmd.exe")
@example("c:evil.png")
@example("nul.png")
@example("COM1")
@example(".bashrc")
@example("..")
@example("a" * 500 + ".png")
@example("ü" * 300 + ".png")
@example("name\u202egnp.exe")
@example("\ud800.png")
@example("x. . .")
def test_safe_name_is_one_plain_component(name: str) -> None:
    """
    Whatever a service calls a file, the result is one harmless file name everywhere.
    """
    safe = safe_name(name)

    assert safe
    assert not set(safe) & set('/\\:<>"|?*\x00')
    assert safe.isprintable()
    assert safe[0] not in ". "
    assert safe[-1] not in ". "
    assert safe.split(".")[0].strip().lower() not in RESERVED
    assert len(safe.encode()) <= LONGEST + 1
    assert safe == safe_name(safe)


@pytest.mark.parametrize(
    ("name", "media_type", "expected"),
    [
        ("hires_00001_.png", "image/png", "hires_00001_.png"),
        ("../../../etc/passwd", "", "passwd"),
        ("C:\\Users\\x\\a b.png", "", "a b.png"),
        ("D:a.png", "", "a.png"),
        ("...hidden", "", "hidden"),
        ("NUL", "image/png", "_NUL.png"),
        ("aux.tar.gz", "", "_aux.tar.gz"),
        ("", "video/mp4; codecs=avc1", "file.mp4"),
        ("ab3f", "image/webp", "ab3f.webp"),
        ("cafe\u0301.png", "", "caf\u00e9.png"),
        ("inv\u202ege\u200b.png", "", "invge.png"),
        ("what?is*this.png", "", "what_is_this.png"),
        ("name.with.many.dots", "", "name.with.many.dots"),
        ("é" * 200 + ".flac", "", "é" * 87 + ".flac"),
    ],
)
def test_safe_name(name: str, media_type: str, expected: str) -> None:
    """
    Ordinary names stay as they are; an ending comes from the media type where there is none.
    """

    assert expected == safe_name(name, media_type=media_type)


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        ("a.png", 1, "a.png"),
        ("a.png", 2, "a_2.png"),
        ("a", 12, "a_12"),
        ("a.tar.gz", 2, "a.tar_2.gz"),
        ("hires_00001_.png", 2, "hires_00002_.png"),
        ("hires_99999_.png", 2, "hires_100000_.png"),
        ("a_7_.png", 2, "a_7__2.png"),
    ],
)
def test_counted(name: str, number: int, expected: str) -> None:
    """
    Names are counted before their ending; names that count already count on.
    """

    assert expected == counted(name, number)


def put(folder: Folder, name: str, data: bytes) -> Path:
    """
    Write one file as the drivers do.
    """
    sink = Sink(folder, name)
    sink.begin("image/png", len(data))
    sink.write(data[:3])
    sink.write(data[3:])
    return sink.commit()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """
    A file of the same name stays; the new one is counted.
    """
    folder = open_folder(tmp_path / "new" / "out")
    paths = [put(folder, "a.png", data) for data in (b"first", b"second", b"third")]

    assert ["a.png", "a_2.png", "a_3.png"] == [path.name for path in paths]
    assert [b"first", b"second", b"third"] == [path.read_bytes() for path in paths]
    assert 3 == len(os.listdir(folder.path))


def test_overwrite(tmp_path: Path) -> None:
    """
    Where the person wants it, a file is replaced, whole.
    """
    put(open_folder(tmp_path), "a.png", b"first, longer")
    put(open_folder(tmp_path, overwrite=True), "a.png", b"second")

    assert [("a.png", b"second")] == [(path.name, path.read_bytes()) for path in tmp_path.iterdir()]


def test_links_are_not_followed(tmp_path: Path) -> None:
    """
    A link in the folder leads nowhere, with and without overwriting.
    """
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    inside = tmp_path / "out"
    inside.mkdir()
    (inside / "a.png").symlink_to(outside)
    put(open_folder(inside), "a.png", b"new")
    put(open_folder(inside, overwrite=True), "a.png", b"newer")

    assert b"precious" == outside.read_bytes()
    assert ["a.png", "a_2.png"] == sorted(os.listdir(inside))


def test_counting_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    File systems without hard links give the same result.
    """

    def no_links(*args: object, **kwargs: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    folder = open_folder(tmp_path)
    paths = [put(folder, "a.png", data) for data in (b"first", b"second")]

    assert ["a.png", "a_2.png"] == [path.name for path in paths]
    assert [b"first", b"second"] == [path.read_bytes() for path in paths]
    assert ["a.png", "a_2.png"] == sorted(os.listdir(tmp_path))


def test_abandoned_bodies_leave_nothing(tmp_path: Path) -> None:
    """
    What is not complete is not there, whenever it was given up; nothing is taken afterwards.
    """
    folder = open_folder(tmp_path)
    sink = Sink(folder, "a.png")
    sink.begin()
    sink.write(b"half")
    sink.abandon()
    with pytest.raises(NotKept):
        sink.write(b"rest")
    with pytest.raises(NotKept):
        sink.commit()
    with pytest.raises(NotKept):
        sink.begin()

    assert [] == os.listdir(tmp_path)


def test_body_that_begins_again(tmp_path: Path) -> None:
    """
    A download that broke off starts from nothing.
    """
    sink = Sink(open_folder(tmp_path), "a.png")
    sink.begin()
    sink.write(b"half")
    sink.begin()
    sink.write(b"whole")

    assert b"whole" == sink.commit().read_bytes()
    assert ["a.png"] == os.listdir(tmp_path)


def test_size_limit(tmp_path: Path) -> None:
    """
    Too large a file is refused by its announced length, and by its real one.
    """
    folder = open_folder(tmp_path, max_bytes=10)
    sink = Sink(folder, "a.png")
    with pytest.raises(NotKept):
        sink.begin("", 11)
    sink.begin("", None)
    sink.write(b"0123456789")
    with pytest.raises(NotKept):
        sink.write(b"0")
    sink.abandon()

    assert [] == os.listdir(tmp_path)


def test_folder_that_is_none(tmp_path: Path) -> None:
    """
    A folder that cannot be is an error before anything is bought.
    """
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError) as caught:
        open_folder(file)
    with pytest.raises(UsageError):
        open_folder(file / "below")
    with pytest.raises(UsageError):
        open_folder("a\x00b")

    assert f"{file} is a file, not a folder" == caught.value.message


def test_many_files_of_one_name(tmp_path: Path) -> None:
    """
    Counting goes on where it was; it does not begin anew for each file.
    """
    folder = open_folder(tmp_path)
    names = [put(folder, "a.png", b"data").name for _ in range(40)]

    assert "a_40.png" == names[-1]
    assert [40] == list(folder.taken.values())


def test_replacing_many_files_of_one_name(tmp_path: Path) -> None:
    """
    Where files are replaced, the search for the next name does not begin anew either.
    """
    folder = open_folder(tmp_path, overwrite=True)
    names = [put(folder, "a.png", b"data").name for _ in range(40)]

    assert "a_40.png" == names[-1]
    assert 40 == folder.taken[str(tmp_path / "a.png").casefold()]


def test_what_we_put_there_is_not_overwritten(tmp_path: Path) -> None:
    """
    Files of one name, of one job or of several with the same folder, all stay: only what was there
    before is replaced, capitals or not.
    """
    (tmp_path / "a.png").write_bytes(b"old")
    folder = open_folder(tmp_path, overwrite=True)
    paths = [put(folder, name, name.encode()) for name in ("a.png", "a.png", "A.png")]

    assert ["a.png", "a_2.png", "A_3.png"] == [path.name for path in paths]
    assert [b"a.png", b"a.png", b"A.png"] == [path.read_bytes() for path in paths]
    again = open_folder(tmp_path, overwrite=True)
    assert paths == [put(again, name, b"new") for name in ("a.png", "a.png", "A.png")]
    assert 3 == len(os.listdir(tmp_path))


def whole(folder: Folder, *, overwrite: bool = False) -> tuple[Sink, Path]:
    """
    Fetch a file, and end before anybody hears of it.
    """
    sink = Sink(replace(folder, overwrite=overwrite), "a.png", token="job file")
    assert sink.found() is None
    sink.begin("image/png", 4, validator='"v1"')
    sink.write(b"data")
    return sink, sink.commit()


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("second_name", [False, True])
def test_a_file_that_nobody_heard_of_is_recognised(
    overwrite: bool, second_name: bool, tmp_path: Path
) -> None:
    """
    A process that is killed when the file is in its place leaves it to the next one, which finds
    it there; killed a moment before, it still has its temporary name too.
    """
    (tmp_path / "a.png").write_bytes(b"of another job")
    folder = open_folder(tmp_path)
    _, place = whole(folder, overwrite=overwrite)
    (note,) = tmp_path.glob(".*.placed")
    if second_name:
        os.link(place, note.with_suffix(".part"))
    again = Sink(folder, "a.png", token="job file")
    found = again.found()
    again.abandon()
    again.settle()

    assert place == found
    assert b"data" == place.read_bytes()
    assert ["a.png"] if overwrite else ["a.png", "a_2.png"] == sorted(os.listdir(tmp_path))


@pytest.mark.parametrize("what", ["changed", "gone", "told"])
def test_what_became_of_a_file_since_is_respected(what: str, tmp_path: Path) -> None:
    """
    A file that somebody has changed or taken away, or was told of, is fetched as any other.
    """
    folder = open_folder(tmp_path)
    sink, place = whole(folder)
    match what:
        case "changed":
            place.write_bytes(b"DATA")
            os.utime(place, ns=(0, 0))
        case "gone":
            place.unlink()
        case _:
            sink.settle()
    again = Sink(folder, "a.png", token="job file")
    found = again.found()
    again.begin("image/png", 4)
    again.write(b"data")
    again.commit()
    again.settle()

    assert found is None
    left = {"changed": ["a.png", "a_2.png"], "gone": ["a.png"], "told": ["a.png", "a_2.png"]}
    assert left[what] == sorted(os.listdir(tmp_path))


@pytest.mark.parametrize("note", ["", "{}", "[1, 2, 3]", '["../a.png", 4, 5]', '["a.png"]'])
def test_a_note_that_says_nothing_is_not_believed(note: str, tmp_path: Path) -> None:
    """
    Whatever stands in a note leads to no file outside of the folder, and to no failure.
    """
    folder = open_folder(tmp_path / "out")
    _, place = whole(folder)
    (written,) = folder.path.glob(".*.placed")
    outside = tmp_path / "a.png"
    os.rename(place, outside)
    os.utime(outside, ns=(5, 5))
    written.write_text(note)

    again = Sink(folder, "a.png", token="job file")
    found = again.found()
    again.abandon()

    assert found is None


def test_the_graph_goes_beside_the_picture_once(tmp_path: Path) -> None:
    """
    The graph is in the folder of its picture, however often the job is followed to its end.
    """
    prompt = Prompt.from_json({"1": {"class_type": "Save", "inputs": {}}})
    picture = tmp_path / "below" / "a.png"
    picture.parent.mkdir()
    file = OutputFile("/a.png", "a.png", path=str(picture))
    folder = open_folder(tmp_path)
    places = {save_graph(prompt, [file], folder) for _ in range(2)}
    other = save_graph(Prompt.from_json({}), [file], folder)

    assert {picture.with_name("a.json")} == places
    assert picture.with_name("a_2.json") == other
