"""
Graphs out of images, sounds and films, of every kind that we read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from media_samples import (
    BOTH,
    FORMATS,
    PROMPT,
    RECORDED,
    SOUND,
    WORKFLOW,
    box,
    chunk,
    comments,
    element,
    exif,
    flac_in_ogg,
    id3,
    keyed_meta,
    mp4,
    picture,
    png,
    recorded,
    samples,
    simple_tag,
    webm,
)

from comfygraph.documents import JsonSyntaxError, open_document
from comfygraph.documents.media import read_media, sniff
from comfygraph.errors import InputError
from comfygraph.lint import lint

SAMPLES = samples()


@pytest.mark.parametrize("name", FORMATS)
def test_what_comfyui_writes_is_found(name: str) -> None:
    """
    Every save node's file gives the prompt and the workflow, character for character.
    """
    media = read_media(RECORDED / name)
    reference = read_media(RECORDED / "adv_00001.png")

    assert FORMATS[name] == media.container
    assert reference.workflow_text == media.workflow_text
    if name != "still_00001_.png":  # queued with one node less
        assert reference.prompt_text == media.prompt_text
    assert media.prompt_text is not None
    assert "SaveImage" == json.loads(media.prompt_text)["2"]["class_type"]


@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - FORMATS.keys()))
def test_every_way_to_carry_a_graph(name: str) -> None:
    """
    What other writers do is found as well: the texts are what was put in.
    """
    media = read_media(SAMPLES[name])

    assert media.prompt_text is not None or media.workflow_text is not None
    if media.prompt_text is not None:
        assert '"EmptyImage"' in media.prompt_text
        assert repr(json.loads(PROMPT)) == repr(json.loads(media.prompt_text))
    if media.workflow_text is not None:
        assert json.loads(WORKFLOW) == json.loads(media.workflow_text)


@pytest.mark.parametrize("name", SAMPLES)
def test_path_bytes_and_file_are_alike(name: str, tmp_path: Path) -> None:
    """
    A path, bytes and an open file give the same, whatever the file is called.
    """
    place = tmp_path / "picture.txt"
    place.write_bytes(SAMPLES[name])

    expected = read_media(SAMPLES[name])
    assert expected == read_media(place)
    assert expected == read_media(str(place))
    assert expected == read_media(BytesIO(SAMPLES[name]))


@pytest.mark.parametrize("name", FORMATS)
def test_document_of_an_image(name: str) -> None:
    """
    `open_document` takes the prompt by default, the workflow on request, and says where the
    text comes from.
    """
    document = open_document(RECORDED / name)
    other = open_document(recorded(name), name="x", graph="workflow")

    assert (f"{RECORDED / name}#prompt", "prompt") == (document.path, document.kind)
    assert ("x#workflow", "workflow") == (other.path, other.kind)
    assert FORMATS[name] == document.container == other.container
    assert document.text == read_media(RECORDED / name).prompt_text
    assert "EmptyImage" == document.to_prompt()["1"].class_type


def test_workflow_where_there_is_no_prompt() -> None:
    """
    Without a prompt the workflow is opened; asking for the prompt says that there is none.
    """
    data = png(chunk(b"tEXt", b"workflow\0" + WORKFLOW.encode()))

    assert "workflow" == open_document(data).kind
    with pytest.raises(InputError, match=r"^pic: holds no prompt, only a workflow$"):
        open_document(data, name="pic", graph="prompt")


def test_image_without_a_graph() -> None:
    """
    An image without a graph names the texts that it has.
    """
    data = png(
        chunk(b"tEXt", b"parameters\0steps 20"),
        chunk(b"tEXt", b"prompt\0a cat"),
        chunk(b"tEXt", b"evil\x1b[31m\0x"),
    )

    with pytest.raises(InputError) as info:
        open_document(data, name="pic.png")
    assert (
        "pic.png: holds neither prompt nor workflow; "
        "texts in this PNG: parameters, prompt, evil·[31m"
    ) == info.value.message


def test_broken_json_in_an_image() -> None:
    """
    A text that is not JSON is a syntax error at a place in that text.
    """
    data = png(chunk(b"tEXt", b'prompt\0{"1":\n {,}}'))

    with pytest.raises(JsonSyntaxError) as info:
        open_document(data)
    assert (2, 3) == (info.value.line, info.value.column)
    assert info.value.message.startswith("its prompt is not JSON")


def test_image_is_linted_like_its_prompt() -> None:
    """
    Lint finds in an image what it finds in the prompt.
    """
    document = open_document(png(chunk(b"tEXt", b'prompt\0{"1": {"class_type": "Nope"}}')))

    found = lint(document)
    assert "<bytes>#prompt" == found.file
    assert [d.rule_id for d in lint(json.loads(document.text or ""))] == [d.rule_id for d in found]
    assert [] != list(found)


def test_last_text_wins_and_names_before_comments() -> None:
    """
    Of two texts of one name the last counts, as in the editor; a comment is the last resort.
    """
    data = png(
        chunk(b"tEXt", b'prompt\0{"a": 1}'),
        chunk(b"tEXt", b'Prompt\0{"b": 2}'),
        chunk(b"tEXt", b'Comment\0{"prompt": {"c": 3}, "workflow": "{\\"d\\": 4}"}'),
    )
    media = read_media(data)

    assert ('{"b": 2}', '{"d": 4}') == (media.prompt_text, media.workflow_text)


@pytest.mark.parametrize(
    ("comment", "prompt", "workflow"),
    [
        (BOTH, True, True),
        (PROMPT, True, False),
        (WORKFLOW, False, True),
        ('{"prompt": "a cat", "steps": 28}', False, False),
        ('{"prompt": {"class_type": "A", "inputs": {}}}', True, False),
        ("a holiday", False, False),
        ('{"prompt": ', False, False),
        ("[1]", False, False),
    ],
)
def test_comments(comment: str, prompt: bool, workflow: bool) -> None:
    """
    A comment counts where it is JSON that holds a graph, and is left alone where it is not.
    """
    media = read_media(picture("JPEG", comment=comment.encode()))

    assert (prompt, workflow) == (media.prompt_text is not None, media.workflow_text is not None)


def test_text_wrapped_in_json_again() -> None:
    """
    A graph that was made JSON text more than once is unwrapped, and NaN passes.
    """
    wrapped = json.dumps(json.dumps(PROMPT))
    media = read_media(mp4(box(b"moov", box(b"udta", keyed_meta(("PROMPT", wrapped))))))

    assert PROMPT == media.prompt_text


def test_text_encodings() -> None:
    """
    UTF-8 is read as such in any container, Latin-1 where it is no UTF-8, and each kind of
    `UserComment` by the code before it.
    """
    text = '{"1": {"class_type": "Ä😀"}}'
    latin = '{"1": {"class_type": "Ä"}}'
    utf16_le = b"UNICODE\0" + text.encode("utf-16-le")
    plain = b"ASCII\0\0\0" + text.encode()
    cases = {
        text: [
            png(chunk(b"tEXt", b"prompt\0" + text.encode())),
            picture("JPEG", exif=exif(user_comment=utf16_le)),
            picture("JPEG", exif=exif(user_comment=plain)),
            picture("JPEG", exif=exif(user_comment=bytes(8) + b"prompt: " + text.encode())),
            id3(4, (b"TXXX", b"\2" + f"prompt\0{text}".encode("utf-16-be"))) + SOUND,
            webm(element(0x1254C367, element(0x7373, simple_tag("prompt", text)))),
            b"fLaC\x84" + len(comments(("P\u0072ompt", text))).to_bytes(3, "big")
            + comments(("Prompt", text)),
        ],
        latin: [png(chunk(b"tEXt", b"prompt\0" + latin.encode("latin-1")))],
    }  # fmt: skip

    for expected, files in cases.items():
        assert [expected] * len(files) == [read_media(data).prompt_text for data in files]


def test_flac_in_ogg_is_read() -> None:
    """
    The comments of FLAC in Ogg stand in a metadata block of their own.
    """
    assert PROMPT == read_media(flac_in_ogg()).prompt_text


def test_json_is_not_mistaken_for_media() -> None:
    """
    JSON in any encoding is no container, and media are told by content.
    """
    texts = ['{"1": {}}', "[]", "7", '"ftyp"', " \n{}", "null", "false"]
    encodings = ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be"]

    assert {None} == {sniff(text.encode(code)[:64]) for text in texts for code in encodings}
    assert FORMATS == {name: sniff(recorded(name)[:64]) for name in FORMATS}


def test_only_metadata_is_read_of_a_large_film(tmp_path: Path) -> None:
    """
    A film of 3 GB is opened without reading its pictures, wherever its metadata stands.
    """
    place = tmp_path / "film.mp4"
    size = 3 << 30
    with place.open("wb") as file:
        file.write(mp4() + b"\0\0\0\1mdat" + (size + 16).to_bytes(8, "big"))
        file.seek(size, os.SEEK_CUR)
        file.write(box(b"moov", box(b"udta", keyed_meta(("prompt", PROMPT)))))

    assert PROMPT == open_document(place).text


def test_json_loads_no_media_code(tmp_path: Path) -> None:
    """
    Opening JSON imports none of the container readers; opening a PNG none but its own.
    """
    code = (
        "import sys; from comfygraph.documents import open_document\n"
        "open_document(b'{}'); print([m for m in sys.modules if 'media' in m])\n"
        f"open_document({str(RECORDED / 'still_00001_.png')!r})\n"
        "print([m for m in ('PIL', 'comfygraph.documents.media.webm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]\n[]\n" == done.stdout


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    """
    A missing file, a folder, and a file of another kind are errors of ours.
    """
    other = tmp_path / "other.bin"
    other.write_bytes(b"GIF89a" + bytes(40))

    for place, message in [
        (tmp_path / "none.png", "no such file"),
        (tmp_path, "is a directory"),
        (other, "no image, sound or film that can carry a graph"),
        ("a\0b", "embedded null byte"),
    ]:
        with pytest.raises(InputError, match=message):
            read_media(place)
