"""
Patterns for paths, alike on every system: `*` stays within a folder, `**` does not.

A pattern without a slash matches at any depth, and one that matches a folder matches all that is
in it, as in `.gitignore`.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache

from comfygraph.errors import UsageError

MAGIC = "*?["


@lru_cache(maxsize=256)
def compile_glob(pattern: str, *, below: bool = True) -> re.Pattern[str]:
    """
    Give the regular expression of a pattern, for whole paths with `/`.

    Args:
        pattern: The pattern.
        below: What lies in a folder that matches, matches too.

    Raises:
        UsageError: It holds a range that is none, such as `[z-a]`.
    """
    text = pattern.replace(os.sep, "/").removeprefix("./").rstrip("/")
    anywhere = "/" not in text
    out: list[str] = ["(?:.*/)?"] if anywhere else []
    text = text.removeprefix("/") if not os.path.isabs(pattern) else text
    at = 0
    while at < len(text):
        char = text[at]
        if text.startswith("**/", at):
            out.append("(?:.*/)?")
            at += 3
        elif text.startswith("**", at):
            out.append(".*")
            at += 2
        elif char == "*":
            out.append("[^/]*")
            at += 1
        elif char == "?":
            out.append("[^/]")
            at += 1
        elif char == "[" and (end := text.find("]", at + 2)) > 0:
            inner = text[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            out.append(f"[{'^' + inner[1:] if inner[0] in '!^' else inner}]")
            at = end + 1
        else:
            out.append(re.escape(char))
            at += 1
    try:
        return re.compile("".join(out) + ("(?:/.*)?" if below else ""), re.DOTALL)
    except re.error as exc:
        raise UsageError(f"`{pattern}` is no pattern: {exc.msg}") from exc


def matches(pattern: str, path: str) -> bool:
    """
    Tell whether a path (relative, with `/`) or one of its folders matches.
    """
    return compile_glob(pattern).fullmatch(path) is not None


def relative_to(file: str, base: str) -> str:
    """
    Give a file's path from a folder on, with `/`; unchanged where it lies elsewhere.

    Args:
        file: A path, taken from the current folder where it is relative.
        base: An absolute folder, or `""` for the current one.
    """
    if file.startswith("<"):
        return file
    start = base or os.getcwd()
    try:
        path = os.path.relpath(os.path.abspath(file), start)
    except ValueError:  # Another drive.
        path = os.path.abspath(file)
    return path.replace(os.sep, "/")


def matches_file(pattern: str, file: str, base: str) -> bool:
    """
    Tell whether a pattern matches a file: from a folder on, or as a whole if it is absolute.
    """
    if os.path.isabs(pattern) and not file.startswith("<"):
        return matches(pattern, os.path.abspath(file).replace(os.sep, "/"))
    return matches(pattern, relative_to(file, base))


def anchored(pattern: str, base: str) -> str:
    """
    Give a pattern that was meant from the current folder on as one from another folder on.
    """
    if not base or os.path.isabs(pattern) or "/" not in pattern.strip("/"):
        return pattern
    here = os.path.relpath(os.getcwd(), base).replace(os.sep, "/")
    if here == "." or pattern.startswith("**"):
        return pattern
    return f"{here}/{pattern.removeprefix('./')}"
