"""
Names of ComfyUI as Python identifiers: one way, the same every time.

A name that is an identifier stays as it is. In any other name each run of characters
that no identifier may hold becomes one `_`; at the start it is dropped. The original
name stays in the catalog and goes into the prompt.
"""

from __future__ import annotations

import keyword
from collections.abc import Collection, Iterable

RESERVED_IN_CLASS = frozenset({"builtins", "s", "t", "_cg", "_cg_plan", "_cg_class_type"})
"""
Modules that the stubs import, and what nodes hold themselves: an output of that name would hide
them in the class.
"""

RESERVED_IN_MODULE = frozenset({"builtins", "s", "t", "catalog", "_Path", "_bind"})
"""Names at the top of a package of stubs that are not node classes."""


def identifier(name: str) -> str:
    """
    Give the identifier that stands for `name` where nothing else wants it.

    `"Epsilon Scaling"` → `Epsilon_Scaling`, `"blocks.0."` → `blocks_0_`, `"🔥 Load"` → `Load`,
    `"3D Model"` → `_3D_Model`, `"class"` → `class_`, `"🔥"` → `fire`.
    """
    if name.isascii():
        if name.isidentifier():
            return _harmless(name)
        text = name
    else:
        import unicodedata

        # The parser reads identifiers in this form: `getattr` would miss any other.
        text = unicodedata.normalize("NFKC", name)
    out: list[str] = []
    for char in text:
        if char == "_" or f"a{char}".isidentifier():
            out.append(char)
        elif out and out[-1] != " ":
            out.append(" ")
    plain = "".join(out).replace(" ", "_")
    if not plain:
        plain = "_" if name.isascii() else _spoken(text)
    return _harmless(plain if plain.isidentifier() else f"_{plain}")


def _harmless(plain: str) -> str:
    # Two leading underscores would be renamed inside of a class, dunders mean something.
    if plain.startswith("__"):
        plain = "_" + plain.lstrip("_")
    return f"{plain}_" if keyword.iskeyword(plain) else plain


def _spoken(text: str) -> str:
    import unicodedata

    words = [unicodedata.name(char, f"u{ord(char):x}") for char in text]
    spoken = "_".join(words).lower()
    return "".join(char if char.isalnum() and char.isascii() else "_" for char in spoken)


def member_names(names: Iterable[str], reserved: Collection[str] = ()) -> list[str]:
    """
    Give identifiers for the inputs or the outputs of one class, in their order.

    Names that are identifiers keep themselves; the others follow in order, and a taken
    identifier gets `_2`, `_3`, ...

    Args:
        names: The original names; they may repeat.
        reserved: Identifiers that may not be used; they get a trailing `_`.
    """
    given = list(names)
    plain = [identifier(name) for name in given]
    plain = [f"{name}_" if name in reserved else name for name in plain]
    out: list[str | None] = [None] * len(given)
    taken: set[str] = set()
    for pick_exact in (True, False):
        for index, name in enumerate(given):
            exact = plain[index] == name
            if out[index] is None and (exact and name not in taken if pick_exact else True):
                out[index] = _free(plain[index], taken)
    return [name for name in out if name is not None]


def _free(wanted: str, taken: set[str]) -> str:
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    taken.add(name)
    return name


def class_names(names: Iterable[str]) -> dict[str, str]:
    """
    Give identifier → class name for all classes of a catalog, sorted by class name.

    Where names that are not identifiers would read the same as another class, each of them
    gets four digits made of its own spelling: a class that a pack adds later can make a
    script fail to import, never make it mean another node.
    """
    given = sorted(set(names))
    plain = {name: identifier(name) for name in given}
    wanted: dict[str, int] = {}
    for name in plain.values():
        wanted[name] = wanted.get(name, 0) + 1
    out: dict[str, str] = {}
    taken = {name for name in given if plain[name] == name} | RESERVED_IN_MODULE
    for name in given:
        short = plain[name]
        if short == name and name not in RESERVED_IN_MODULE:
            out[name] = name
            continue
        if wanted[short] > 1 or short in taken or short in out:
            short = _spelled(short, name, taken | out.keys())
        out[short] = name
    return {short: out[short] for short in sorted(out, key=lambda short: out[short])}


def _spelled(short: str, name: str, taken: Collection[str]) -> str:
    import hashlib

    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    length = 4
    while f"{short.rstrip('_')}_{digest[:length]}" in taken:
        length += 1
    return f"{short.rstrip('_')}_{digest[:length]}"
