"""
`comfygraph strip`: an image, a sound or a film without its graph.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from comfygraph.errors import ComfyGraphError, ExitCode, UsageError

if TYPE_CHECKING:
    from comfygraph.documents.media import Stripped

_STDOUT = "-"


@click.command(short_help="Remove the graph from an image or a film.")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option(
    "--output", "-o", metavar="PATH",
    help="Write to this file, or to this folder under the same names; - is the standard output.",
)  # fmt: skip
@click.option("--in-place", is_flag=True, help="Replace the files.")
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text",
    help="How it is told what was removed; json gives one line a file.",
)  # fmt: skip
def strip(images: tuple[str, ...], output: str | None, in_place: bool, format_: str) -> int:
    """
    Remove the prompt and the workflow from the metadata of IMAGE, so that it can be shown without
    its recipe.

    Nothing is decoded or encoded again: pixels, sound and every other byte stay as they are. In
    AVIF, MP4, WebM and Ogg, where other parts are found by their place, the graph is overwritten
    and the size stays. A file appears all at once or not at all, and is checked before. Other
    metadata, such as a seed in a comment of another program, is not touched.

    - reads from the standard input, and then writes to the standard output.

    \b
    comfygraph strip picture.png -o public.png
    comfygraph strip --in-place out/*.png
    comfygraph strip out/*.webp -o public/
    comfygraph strip - < film.mp4 > public.mp4

    Exit codes: 0 stripped, or nothing was in it, 2 usage, 3 a file cannot be read.
    """
    places = _places(images, output, in_place)
    to_stdout = _STDOUT in places.values()
    failed = False
    for image in images:
        label = "<stdin>" if image == "-" else image
        try:
            done = _strip(image, places[image], label)
        except ComfyGraphError as exc:
            if len(images) == 1:
                raise
            failed = True
            click.echo(f"error: {exc.message}", err=True)
            continue
        told = _json(label, places[image], done) if format_ == "json" else _text(label, done)
        click.echo(told, err=to_stdout)
    return ExitCode.INTERNAL if failed else ExitCode.OK


def _strip(image: str, place: str | None, label: str) -> Stripped:
    from comfygraph.cli.extract import seekable_stdin
    from comfygraph.documents.media import open_seekable, strip_file, strip_stream

    if image != "-" and place != _STDOUT:
        return strip_file(image, place)
    opened: AbstractContextManager[BinaryIO]
    opened = seekable_stdin() if image == "-" else open_seekable(image)
    with opened as file:
        if place != _STDOUT:
            return strip_file(file, place, name=label)
        import shutil
        import tempfile

        with tempfile.TemporaryFile() as out:
            done = strip_stream(file, out, name=label)
            out.seek(0)
            shutil.copyfileobj(out, sys.stdout.buffer)
            return done


def _places(images: tuple[str, ...], output: str | None, in_place: bool) -> dict[str, str | None]:
    """Where each result goes; `None` for its own place, `-` for the standard output."""
    if in_place:
        if output is not None:
            raise UsageError("--in-place and --output exclude each other")
        if "-" in images:
            raise UsageError("the standard input has no place to be replaced in")
        return dict.fromkeys(images)
    if output is None:
        if set(images) == {"-"}:
            return {"-": _STDOUT}
        raise UsageError("where should the result go?", hint="-o FILE, -o FOLDER or --in-place")
    first, *more = images
    if not os.path.isdir(output) and not output.endswith(("/", os.sep)):
        if more:
            raise UsageError(
                f"{len(images)} files cannot become one", hint=f"name a folder: -o {output}/"
            )
        return {first: output}
    if "-" in images:
        raise UsageError("the standard input has no name", hint="name a file with -o")
    places: dict[str, str | None] = {
        image: str(Path(output) / Path(image).name) for image in images
    }
    if len(set(places.values())) < len(places):
        raise UsageError("two of the files have the same name, and would become one")
    try:
        Path(output).mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(f"{output}: {exc.strerror or exc}") from exc
    return places


def _text(label: str, done: Stripped) -> str:
    from comfygraph.documents.media import LABELS, printable

    kind = LABELS[done.container]
    if not done.removed:
        return f"{label}: no graph in this {kind}, nothing removed"
    names = " and ".join(map(printable, done.removed))
    saved = done.size_before - done.size_after
    how = f"{saved:,} bytes less" if saved else "overwritten, same size"
    return f"{label}: removed {names} from this {kind} ({how})"


def _json(label: str, place: str | None, done: Stripped) -> str:
    return json.dumps(
        {
            "file": label,
            "written": label if place is None and done.removed else place,
            "container": done.container,
            "removed": list(done.removed),
            "size_before": done.size_before,
            "size_after": done.size_after,
        }
    )
