"""
What a submission to Civitai may say besides its graph, by name, and what each may be.

Ranges and words are those of the OpenAPI file of Civitai's orchestration.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from comfygraph.core.nearest import did_you_mean, shorten
from comfygraph.core.values import JsonValue
from comfygraph.errors import UsageError
from comfygraph.references.air import Air, is_air
from comfygraph.targets.civitai.times import read_span
from comfygraph.targets.http import json_body
from comfygraph.targets.reading import number

TAG = "comfygraph"
COMFY, CUSTOM = "comfy", "customComfy"
LONGEST_TIMEOUT = 7 * 86400

_STEPS = {"comfy": COMFY, "customcomfy": CUSTOM, "custom": CUSTOM}
_PRIORITIES = ("high", "normal", "low")
_CURRENCIES = ("blue", "green", "yellow", "fakeRed")
_LEVELS = ("pg", "pg13", "r", "x", "xxx", "na")
_TRACES = ("binary", "logs", "none")
_CALLBACK = re.compile(
    r"(?:workflow|step|job):"
    r"(?:\*|unassigned|preparing|scheduled|processing|succeeded|failed|expired|canceled)"
)
_PACK = re.compile(r"[A-Za-z0-9_.\-]+/[A-Za-z0-9_.\-]+@[A-Za-z0-9_.\-]+")
_SESSION = re.compile(r"[\x21-\x7e]{1,256}")
LONGEST_TAG = 200
_MOST_TAGS, _MOST_JOBS = 10, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    The options of one submission, checked. `None` leaves the choice to the service.

    Args:
        step: `comfy` (priced before the run, the service's own nodes, no news of nodes) or
            `customComfy` (paid by the second, any node pack, news of each node).
        priority: `high`, `normal` or `low`.
        timeout: Seconds for the whole step, a cold start included.
        retries: How often the service tries a failed step again.
        tags: Words to find the workflow by; `comfygraph` is always among them.
        metadata: An object to be kept with the workflow; lists can be searched for its texts.
        step_metadata: An object to be kept with the step.
        currencies: Which Buzz pays: `blue`, `green`, `yellow`, `fakeRed`.
        tips: `{"civitai": 0 to 2, "creators": 0 to 2}`, rates on top of the price.
        callbacks: Addresses that the service calls: `{"url", "type": [...], "detailed"}`.
        nsfw_level: The level that the result is meant to have: `pg` to `xxx`, or `na`.
        allow_mature: Whether mature results are handed out (only yellow Buzz pays for them).
        hide_mature: Whether answers leave mature results out.
        experimental: Whether experimental workers may take it.
        upgrade_mode: `manual` or `automatic`.
        tier: `paid` or `free`.
        download_priority: `high` fetches large models that are not at hand first, for a fee.
        quantity: 1 to 100 runs (`comfy` only).
        image_metadata: A text, or JSON, to be kept with the pictures (`comfy` only).
        use_spine: Which of the service's two fleets (`comfy` only).
        trace: `binary` for news of nodes, `logs` for a text, `none` (`customComfy` only, like
            all that follow but `strict`).
        resources: AIRs that the graph needs and does not name.
        node_packs: Packs of the Comfy registry, `publisher/pack@version` or as AIRs; they are
            installed first, by a step of their own.
        layers: Packs installed before: the AIRs of their layers.
        comfy_image: The AIR of the container to run in.
        session: Prefer the worker that holds this session.
        min_vram_gb: What the worker's card must have at least.
        sage_attention: Whether SageAttention is used.
        minimum_seconds: Refuse the job unless the account can pay so many seconds.
        strict: Whether a graph that names models or files by plain names, or classes of packs
            that are not named, is refused before it is sent; default is so for `customComfy`.
    """

    step: str = COMFY
    priority: str = "normal"
    timeout: int | None = None
    retries: int | None = None
    tags: tuple[str, ...] = (TAG,)
    metadata: Mapping[str, JsonValue] | None = None
    step_metadata: Mapping[str, JsonValue] | None = None
    currencies: tuple[str, ...] | None = None
    tips: Mapping[str, float] | None = None
    callbacks: tuple[Mapping[str, JsonValue], ...] | None = None
    nsfw_level: str | None = None
    allow_mature: bool | None = None
    hide_mature: bool = False
    experimental: bool | None = None
    upgrade_mode: str | None = None
    tier: str | None = None
    download_priority: str | None = None
    quantity: int = 1
    image_metadata: str | None = None
    use_spine: bool | None = None
    trace: str = "binary"
    resources: tuple[str, ...] = ()
    node_packs: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    comfy_image: str | None = None
    session: str | None = None
    min_vram_gb: int | None = None
    sage_attention: bool | None = None
    minimum_seconds: int | None = None
    strict: bool | None = None

    @property
    def custom(self) -> bool:
        """Whether the step is a `customComfy` one."""
        return self.step == CUSTOM

    @property
    def is_strict(self) -> bool:
        """Whether an incomplete graph is refused before it is sent."""
        return self.custom if self.strict is None else self.strict


def read_options(given: Mapping[str, JsonValue]) -> Options:
    """
    Read the options of a submission; `null` is the same as leaving one out.

    Raises:
        UsageError: One is unknown, out of range, or of the other kind of step.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        reader = _READERS.get(name)
        if reader is None:
            raise UsageError(
                f"Civitai takes no option `{shorten(name)}`",
                hint=did_you_mean(name, _READERS) or f"it takes {', '.join(_READERS)}",
            )
        if value is not None:
            values[name] = reader(name, value)
    options = replace(Options(), **values)
    wrong = sorted((_COMFY_ONLY if options.custom else _CUSTOM_ONLY) & values.keys())
    if wrong:
        other = COMFY if options.custom else CUSTOM
        raise UsageError(
            f"the option `{wrong[0]}` goes with a `{other}` step only",
            hint=f"set the option `step` to `{other}`, or leave it out",
        )
    return options


def _word(*words: str) -> Callable[[str, JsonValue], str]:
    def read(name: str, value: JsonValue) -> str:
        folded = {word.lower(): word for word in words}
        found = folded.get(value.lower()) if isinstance(value, str) else None
        if found is None:
            raise UsageError(f"`{name}` takes {', '.join(words)}")
        return found

    return read


def _step(name: str, value: JsonValue) -> str:
    found = _STEPS.get(value.lower()) if isinstance(value, str) else None
    if found is None:
        raise UsageError(f"`{name}` takes {COMFY} or {CUSTOM}")
    return found


def _whole(least: int, most: int) -> Callable[[str, JsonValue], int]:
    def read(name: str, value: JsonValue) -> int:
        if type(value) is not int or not least <= value <= most:
            raise UsageError(f"`{name}` is a whole number from {least} to {most}")
        return value

    return read


def _yes(name: str, value: JsonValue) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"`{name}` is true or false")
    return value


def _object(name: str, value: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(value, dict):
        raise UsageError(f"`{name}` is a JSON object")
    return value


def _timeout(name: str, value: JsonValue) -> int:
    seconds = read_span(value) if isinstance(value, str) else None
    plain = number(value) if seconds is None else seconds
    if plain is None or not 1 <= plain <= LONGEST_TIMEOUT:
        raise UsageError(
            f"`{name}` is a number of seconds from 1 to {LONGEST_TIMEOUT}, or HH:MM:SS"
        )
    return round(plain)


def _tags(name: str, value: JsonValue) -> tuple[str, ...]:
    named = value if isinstance(value, list) else [value]
    if not all(isinstance(tag, str) and tag.strip() for tag in named):
        raise UsageError(f"`{name}` is a text, or a list of texts")
    out = tuple(dict.fromkeys([TAG, *named]))
    if len(out) > _MOST_TAGS:
        raise UsageError(f"a workflow has at most {_MOST_TAGS} tags, `{TAG}` among them")
    if any(len(tag) > LONGEST_TAG for tag in out):
        raise UsageError(f"a tag has at most {LONGEST_TAG} characters")
    return out


def _currencies(name: str, value: JsonValue) -> tuple[str, ...]:
    read = _word(*_CURRENCIES)
    named = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(read(name, item) for item in named))


def _tips(name: str, value: JsonValue) -> Mapping[str, float]:
    rates = {key: number(rate) for key, rate in _object(name, value).items()}
    out = {key: rate for key, rate in rates.items() if rate is not None and 0 <= rate <= 2}
    if not value or len(out) < len(rates) or not rates.keys() <= {"civitai", "creators"}:
        raise UsageError(f"`{name}` holds `civitai` and `creators`, rates from 0 to 2")
    return {"civitai": 0.0, "creators": 0.0, **out}


def _callbacks(name: str, value: JsonValue) -> tuple[Mapping[str, JsonValue], ...]:
    hint = '[{"url": "https://…", "type": ["workflow:*"]}]'
    out = []
    for item in value if isinstance(value, list) else [value]:
        entry = item if isinstance(item, dict) else {}
        url, types = entry.get("url"), entry.get("type")
        if not isinstance(url, str) or not _is_callback_url(url):
            raise UsageError(f"`{name}` needs a `url` with https", hint=hint)
        if not isinstance(types, list) or not types:
            raise UsageError(f"`{name}` needs a list `type` of events", hint=hint)
        for kind in types:
            if not isinstance(kind, str) or not _CALLBACK.fullmatch(kind):
                raise UsageError(f"`{name}` takes no event `{shorten(str(kind))}`", hint=hint)
        if not entry.keys() <= {"url", "type", "detailed"}:
            raise UsageError(f"an entry of `{name}` holds `url`, `type` and `detailed`")
        out.append(entry)
    return tuple(out)


def _is_callback_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        # an emulator on this machine speaks plain HTTP
        local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
        return bool(parts.hostname) and (parts.scheme == "https" or local)
    except ValueError:
        return False


def _note(name: str, value: JsonValue) -> str:
    # the service keeps a text, by custom one of JSON
    return value if isinstance(value, str) else json_body(value).decode()


def _air(name: str, value: JsonValue) -> str:
    if not isinstance(value, str) or not is_air(value):
        raise UsageError(f"`{name}` holds AIRs", hint="an AIR begins with urn:air:")
    return str(Air.parse(value))


def _airs(name: str, value: JsonValue) -> tuple[str, ...]:
    airs = tuple(_air(name, item) for item in (value if isinstance(value, list) else [value]))
    for air in airs:
        if Air.parse(air).type == "nodepack":
            raise UsageError(
                f"`{name}` takes no bare node pack", hint="name it with the option `node_packs`"
            )
    return airs


def _layers(name: str, value: JsonValue) -> tuple[str, ...]:
    airs = _airs(name, value)
    if any(Air.parse(air).type != "nodepacklayer" for air in airs):
        raise UsageError(f"`{name}` takes AIRs of layers (urn:air:comfy:nodepacklayer:…)")
    return airs


def _packs(_: str, value: JsonValue) -> tuple[str, ...]:
    out = []
    for item in value if isinstance(value, list) else [value]:
        text = item if isinstance(item, str) else ""
        whole = f"urn:air:comfy:nodepack:comfyregistry:{text}" if _PACK.fullmatch(text) else text
        air = Air.parse(whole) if is_air(whole) else None
        kind = (air.type, air.source) if air is not None else ()
        if air is None or kind != ("nodepack", "comfyregistry") or not air.version:
            raise UsageError(
                f"`{shorten(str(item))}` is no pack of the Comfy registry with a version",
                hint="write it like kijai/comfyui-kjnodes@1.4.0",
            )
        out.append(str(air))
    return tuple(dict.fromkeys(out))


def _session(name: str, value: JsonValue) -> str:
    if not isinstance(value, str) or not _SESSION.fullmatch(value):
        raise UsageError(f"`{name}` is a text of 1 to 256 characters without spaces")
    return value


_READERS: Mapping[str, Callable[[str, JsonValue], Any]] = MappingProxyType(
    {
        "step": _step,
        "priority": _word(*_PRIORITIES),
        "timeout": _timeout,
        "retries": _whole(0, 100),
        "tags": _tags,
        "metadata": _object,
        "step_metadata": _object,
        "currencies": _currencies,
        "tips": _tips,
        "callbacks": _callbacks,
        "nsfw_level": _word(*_LEVELS),
        "allow_mature": _yes,
        "hide_mature": _yes,
        "experimental": _yes,
        "upgrade_mode": _word("manual", "automatic"),
        "tier": _word("paid", "free"),
        "download_priority": _word("high"),
        "quantity": _whole(1, _MOST_JOBS),
        "image_metadata": _note,
        "use_spine": _yes,
        "trace": _word(*_TRACES),
        "resources": _airs,
        "node_packs": _packs,
        "layers": _layers,
        "comfy_image": _air,
        "session": _session,
        "min_vram_gb": _whole(1, 1024),
        "sage_attention": _yes,
        "minimum_seconds": _whole(1, LONGEST_TIMEOUT),
        "strict": _yes,
    }
)

_COMFY_ONLY = frozenset({"quantity", "image_metadata", "use_spine"})
_CUSTOM_ONLY = frozenset(
    {
        "trace",
        "resources",
        "node_packs",
        "layers",
        "comfy_image",
        "session",
        "min_vram_gb",
        "sage_attention",
        "minimum_seconds",
    }
)
