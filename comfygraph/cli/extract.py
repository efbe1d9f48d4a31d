"""
`comfygraph extract`: the graph out of an image, a sound or a film.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

import click

from comfygraph.cli.output import json_text, write_text
from comfygraph.errors import ComfyGraphError, ExitCode, InputError, UsageError

if TYPE_CHECKING:
    from comfygraph.documents.media import MediaGraph

_SPOOLED = 16 << 20


@click.command(short_help="Take the graph out of an image or a film.")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option(
    "--prompt", "graph", flag_value="prompt",
    help="The prompt, as `POST /prompt` takes it; fail where there is none.",
)  # fmt: skip
@click.option(
    "--workflow", "graph", flag_value="workflow",
    help="The editor's workflow; fail where there is none.",
)  # fmt: skip
@click.option(
    "--output", "-o", metavar="PATH",
    help="Write to this file; with several images, to this folder, one NAME.json each.",
)  # fmt: skip
@click.option(
    "--pretty", is_flag=True,
    help="Indent, and write null for NaN, as the editor reads it; default is the text as it is.",
)  # fmt: skip
def extract(
    images: tuple[str, ...],
    graph: Literal["prompt", "workflow"] | None,
    output: str | None,
    pretty: bool,
) -> int:
    """
    Print the graph that IMAGE carries in its metadata: the prompt, or the workflow where there
    is no prompt.

    Reads what ComfyUI and widely used nodes write: PNG, APNG, WebP, JPEG, AVIF, FLAC, MP3, Opus
    and Vorbis, MP4, WebM. The format is told by the content, not by the name. Of a large film
    no more is read than its metadata. - reads from the standard input.

    Most commands take images directly: `comfygraph lint picture.png` needs no extract.

    \b
    comfygraph extract picture.png
    comfygraph extract --workflow picture.png -o workflow.json
    comfygraph extract out/*.png -o graphs/
    curl -s https://example.com/a.webp | comfygraph extract - | comfygraph lint -

    Exit codes: 0 all are out, 2 usage, 3 an image cannot be read or carries no graph.
    """
    places = _places(images, output)
    failed = False
    for image in images:
        try:
            label = "<stdin>" if image == "-" else image
            media = _read(image, label)
            try:
                _, text = media.pick(graph)
            except InputError as exc:
                raise InputError(f"{label}: {exc.message}", hint=exc.hint) from exc
            write_text(f"{_pretty(text, label) if pretty else text}\n", places[image])
        except ComfyGraphError as exc:
            if len(images) == 1:
                raise
            failed = True
            click.echo(f"error: {exc.message}", err=True)
    return ExitCode.INTERNAL if failed else ExitCode.OK


def _read(image: str, label: str) -> MediaGraph:
    from comfygraph.documents.media import read_media

    if image != "-":
        return read_media(image)
    with seekable_stdin() as file:
        return read_media(file, name=label)


def _places(images: tuple[str, ...], output: str | None) -> dict[str, str | None]:
    """Where the graph of each image goes; `None` for the standard output."""
    if output is None or output == "-":
        return dict.fromkeys(images)
    if len(images) == 1 and not _is_folder(output):
        return {images[0]: output}
    if os.path.exists(output) and not os.path.isdir(output):
        raise UsageError(f"{output} is a file", hint="several graphs need a folder")
    folder = Path(output)
    places: dict[str, str | None] = {}
    taken: dict[str, str] = {}
    for image in dict.fromkeys(images):
        place = str(folder / f"{'stdin' if image == '-' else Path(image).stem}.json")
        other = taken.setdefault(place, image)
        if other != image:
            raise UsageError(
                f"{other} and {image} would both be written to {place}",
                hint="extract them one after the other",
            )
        places[image] = place
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{output}: {exc.strerror or exc}") from exc
    return places


def _is_folder(output: str) -> bool:
    return os.path.isdir(output) or output.endswith(("/", os.sep))


def _pretty(text: str, label: str) -> str:
    from comfygraph.documents import parse_json

    try:
        parse_json(text)
    except InputError as exc:
        raise InputError(f"{label}: {exc.message}", hint="without --pretty you get it raw") from exc
    return json_text(json.loads(text, parse_constant=lambda _: None))


def seekable_stdin() -> BinaryIO:
    """
    Give the standard input as a file that can be read out of order; a large one goes to disk.
    """
    import shutil
    import tempfile

    stdin = sys.stdin.buffer
    file = tempfile.SpooledTemporaryFile(_SPOOLED)  # noqa: SIM115  # the caller closes it
    shutil.copyfileobj(stdin, file)
    return cast("BinaryIO", file)
