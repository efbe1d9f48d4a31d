"""
Running a graph from the graph itself: `prompt.submit()` and its like, pictures in memory.
"""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path

import pytest

from comfygraph import Prompt, build, submit
from comfygraph.errors import UsageError
from comfygraph.jobs.submit_options import SubmitOptions
from comfygraph.nodes import EmptyImage, SaveImage
from comfygraph.targets.events import JobSucceeded


def _prompt() -> Prompt:
    return build(SaveImage(EmptyImage(width=64, height=32)))


def test_submit_gives_pictures(tmp_path: Path):
    """
    `prompt.submit(out=...).images()` are pictures of Pillow.
    """
    images = _prompt().submit(out=tmp_path).images()

    assert [(64, 32)] == [image.size for image in images]


def test_asubmit_gives_pictures(tmp_path: Path):
    """
    The same for asyncio; awaiting hands the graph in.
    """

    async def main() -> list[tuple[int, int]]:
        job = await _prompt().asubmit(out=tmp_path)
        assert job.ref is not None
        return [image.size for image in await job.images()]

    assert [(64, 32)] == asyncio.run(main())


def test_run_yields_the_events():
    """
    To the end of the job.
    """
    events = list(_prompt().run())

    assert isinstance(events[-1], JobSucceeded)


def test_pictures_that_were_not_fetched_are_told():
    """
    Without a folder there is nothing to open.
    """
    with pytest.raises(UsageError, match="was not fetched") as caught:
        _prompt().submit().images()

    assert 'give a folder: submit(..., out="out")' == caught.value.hint


def test_the_options_are_those_of_submit():
    """
    The methods take what `submit` takes, with the same types.
    """
    parameters = dict(inspect.signature(submit).parameters)
    parameters.pop("prompt")
    # The annotations of a TypedDict are forward references to their texts.
    annotations = {
        name: kind.__forward_arg__ for name, kind in SubmitOptions.__annotations__.items()
    }

    assert {name: item.annotation for name, item in parameters.items()} == annotations


def test_a_notebook_shows_the_drawing():
    """
    SVG, in HTML where that is asked for, without what looks like a secret.
    """
    key = "sk-proj-abcdefghijklmnopqrstuvwxyz123456"
    prompt = build(SaveImage(EmptyImage(width=64, height=32), filename_prefix=key))

    assert prompt._repr_svg_().startswith("<svg")
    assert prompt._repr_svg_() in prompt._repr_html_()
    assert key not in prompt._repr_html_()
    assert "<Prompt of 2 nodes {1: EmptyImage, 2: SaveImage}>" == repr(prompt)
