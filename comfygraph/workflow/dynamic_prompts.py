"""
Dynamic prompts: `{a|b}` in a text, of which the editor takes one at random.

Comments (`/* ... */`, `// ...`) go and `\\{`, `\\|`, `\\}` lose their backslash, whether or
not there is a choice. Facts: `extensions/core/dynamicPrompts.ts` and
`processDynamicPrompt` of ComfyUI's frontend. The editor draws anew each time; here the
same input always gives the same text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from comfygraph.errors import UsageError

DynamicPrompts = Literal["keep", "first", "seed", "error"]
"""
`"keep"`: a text with choices stays as it is; `"first"`: the first of each; `"seed"`: drawn
with a seed; `"error"`: like `"keep"`, and such a text is an error.
"""

MAX_DEPTH = 64
"""Choices nested deeper than this are not followed."""

_COMMENT_START = re.compile(r"/[*/]")
_LINE_END = re.compile(r"[\n\r\u2028\u2029]|\Z")
_ESCAPED = re.compile(r"\\([{}|])")


class HasChoices(Exception):
    """
    The text holds a choice, and nobody may choose.
    """


class TooDeep(Exception):
    """
    The choices are nested deeper than `MAX_DEPTH`.
    """


Pick = Callable[[int], int]
"""Takes the number of options, two or more, and gives the index of one."""


def picker(mode: DynamicPrompts, seed: int | None, place: str) -> Pick:
    """
    Make the function that chooses among options.

    Args:
        mode: How to choose.
        seed: For the mode `"seed"`.
        place: Node and input: texts draw independently, so that an edit of one node does
            not change what another draws.

    Raises:
        UsageError: The mode is unknown, or needs a seed and has none.
    """
    if mode in ("keep", "error"):
        return _refuse
    if mode == "first":
        return _first
    if mode == "seed" and seed is not None:
        from random import Random

        return Random(f"{seed}/{place}").randrange
    raise UsageError(
        f"`{mode}` is no way to treat dynamic prompts" if mode != "seed" else "a seed is missing",
        hint="use `keep`, `first`, `error`, or `seed` together with a seed",
    )


def resolve_text(text: str, pick: Pick) -> str:
    """
    Give the text that the editor would send, with `pick` in place of chance.

    Raises:
        HasChoices: Passed on from `pick`.
        TooDeep: The choices are nested too deep.
    """
    text = _without_comments(text)
    if "{" not in text and "\\" not in text:
        return text
    # Each frame is a text, how far it is read, and what came out of it so far.
    frames: list[tuple[str, int, list[str]]] = [(text, 0, [])]
    while True:
        text, at, parts = frames.pop()
        brace = _plain_end(text, at)
        parts.append(text[at:brace])
        if brace < len(text):
            options, end = _options(text, brace + 1)
            chosen = options[0] if len(options) == 1 else options[pick(len(options))]
            if len(frames) >= MAX_DEPTH:
                raise TooDeep
            frames.append((text, end, parts))
            frames.append((_without_comments(chosen), 0, []))
            continue
        done = _ESCAPED.sub(r"\1", "".join(parts))
        if not frames:
            return done
        frames[-1][2].append(done)


def _without_comments(text: str) -> str:
    """
    Take out comments; one that is never closed is none. In one pass, whatever the text.
    """
    parts: list[str] = []
    done = at = 0
    last_close = text.rfind("*/")
    while (start := _COMMENT_START.search(text, at)) is not None:
        begin = start.start()
        if text[begin + 1] == "/":
            line_end = _LINE_END.search(text, begin)
            end = line_end.start() if line_end is not None else len(text)
        elif last_close >= begin + 2:
            end = text.index("*/", begin + 2) + 2
        else:
            at = begin + 1
            continue
        parts.append(text[done:begin])
        done = at = end
    return "".join([*parts, text[done:]]) if parts else text


def _plain_end(text: str, at: int) -> int:
    """
    Give the position of the next `{` that no backslash precedes, or the end.
    """
    while True:
        brace = text.find("{", at)
        if brace < 0:
            return len(text)
        escape = text.find("\\", at, brace)
        if escape < 0:
            return brace
        at = escape + 2


def _options(text: str, at: int) -> tuple[list[str], int]:
    """
    Read a block up to its `}` or the end: its options, and where reading goes on.
    """
    options: list[str] = []
    start = at
    depth = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 2
            continue
        if char == "{":
            depth += 1
        elif char == "}":
            if depth == 0:
                options.append(text[start:at])
                return options, at + 1
            depth -= 1
        elif char == "|" and depth == 0:
            options.append(text[start:at])
            start = at + 1
        at += 1
    options.append(text[start:])
    return options, len(text)


def _first(count: int) -> int:
    return 0


def _refuse(count: int) -> int:
    raise HasChoices
