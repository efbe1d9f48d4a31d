"""
Hypothesis strategies that all tests share: `from strategies import ...`.

| Strategy | Gives |
|---|---|
| `json_values()` | any JSON value, odd ones included |
| `json_documents()` | JSON texts and bytes: deep, wide, broken, not UTF-8 |
| `adjacencies()` | plain graphs: cycles, self loops, missing nodes |
| `loose_prompts()` | prompts without regard to any catalog: cycles, dangling links |
| `object_info_entries()`, `object_infos()`, `catalogs()` | node classes in every shape |
| `valid_prompts()` | prompts that the bundled core catalog has nothing against |
| `mutations(prompt)` | one seeded fault in a valid prompt, with what should be found |

To add a shape of spec, add a line to `INPUT_SPECS`; a class to valid prompts, a name to
`PROMPT_CLASSES`; a fault, a function with `@fault` and the rule that it should set off.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from comfygraph.core.values import Link, Node, Prompt

# JSON ---------------------------------------------------------------------------------------

ODD_TEXTS = ["", " ", "a\nb", "\x00", "~/", "..", "é\u0301", "\ud800", "😀", "__proto__", "0" * 30]
ODD_NUMBERS: list[Any] = [
    0, -1, 1, 2**31, 2**53 + 1, -(2**63), 10**400, 0.5, -0.0, 1e308,
    float("nan"), float("inf"), float("-inf"), True, False,
]  # fmt: skip


def json_scalars() -> st.SearchStrategy[Any]:
    """
    Null, booleans, numbers with NaN and huge ones, texts with lone surrogates.
    """
    return st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(ODD_TEXTS),
        st.sampled_from(ODD_NUMBERS),
    )


def json_values(max_leaves: int = 20) -> st.SearchStrategy[Any]:
    """
    Any value that `json.loads` can give.
    """
    keys = st.one_of(
        st.text(max_size=6),
        st.sampled_from(ODD_TEXTS),
        st.sampled_from(["inputs", "class_type", "_meta", "prompt", "nodes", "1", "2"]),
    )
    return st.recursive(
        json_scalars(),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)
        ),
        max_leaves=max_leaves,
    )


def json_documents() -> st.SearchStrategy[bytes]:
    """
    Bytes that somebody may hand in as a JSON document; few of them are one.
    """

    def deep(depth: int, opening: str, closing: str, core: bytes) -> bytes:
        return opening.encode() * depth + core + closing.encode() * depth

    written = json_values().map(lambda value: json.dumps(value).encode())
    depths = st.sampled_from([1, 50, 990, 5_000, 100_000])
    return st.one_of(
        written,
        written.flatmap(lambda text: st.integers(0, len(text)).map(lambda cut: text[:cut])),
        written.map(lambda text: b"\xef\xbb\xbf" + text),
        written.map(lambda text: text.decode().encode("utf-16")),
        st.binary(max_size=40),
        st.builds(deep, depths, st.just("["), st.just("]"), st.just(b"")),
        st.builds(deep, depths, st.just('{"a":'), st.just("}"), st.sampled_from([b"1", b""])),
        st.builds(deep, depths, st.just('{"1":{"inputs":{"a":['), st.just("]}}}"), st.just(b"")),
        st.sampled_from(
            [
                b"", b" ", b"null", b"NaN", b'"\\ud800"', b'{"a":1,"a":2}', b"{'a': 1}", b"[1,]",
                b"9" * 5_000, b'{"1": {"inputs": {"x": ' + b"9" * 5_000 + b'}, "class_type": "A"}}',
                b"<!doctype html><html></html>", b"\x1f\x8b\x08", b"\x89PNG\r\n\x1a\n",
                b"PK\x03\x04",
            ]
        ),
    )  # fmt: skip


# Graphs -------------------------------------------------------------------------------------

_IDS = [str(number) for number in range(8)]


def adjacencies(max_size: int = 7) -> st.SearchStrategy[dict[str, list[str]]]:
    """
    Plain graphs of up to `max_size` nodes, with cycles, self loops and missing nodes.
    """
    return st.dictionaries(
        st.sampled_from(_IDS[:max_size]),
        st.lists(st.sampled_from(_IDS), max_size=4),
        max_size=max_size,
    )


def loose_prompts(max_size: int = 7) -> st.SearchStrategy[Prompt]:
    """
    Prompts of made-up classes: links go anywhere, constants are any JSON.
    """
    ids = st.sampled_from([*_IDS, "7:1", "é", "a/b~c"])
    names = st.sampled_from(["a", "b", "c", "model", "x.y"])
    links = st.builds(Link, ids, st.integers(-1, 3))
    inputs = st.dictionaries(names, st.one_of(links, links, json_values(4)), max_size=4)
    metas = st.one_of(st.none(), st.fixed_dictionaries({"title": st.text(max_size=5)}))
    classes = st.sampled_from(["A", "B", "KSampler"])

    @st.composite
    def build(draw: st.DrawFn) -> Prompt:
        nodes = {}
        for node_id in draw(st.lists(ids, unique=True, max_size=max_size)):
            node = Node(node_id, draw(classes), draw(inputs), draw(metas))
            nodes[node_id] = node
        # Read it once, so that lists which look like links are links.
        return Prompt.from_json(Prompt(nodes).to_json())

    return build()
