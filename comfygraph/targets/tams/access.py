"""
Access keys of private models: made with the model on the site, and sent with each node that
loads it.

The documentation says that the key is added "for the nodes" and shows no loader with one, so the
place in the node is a setting; `inputs.accessKey` is the likeliest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from comfygraph.core.values import JsonValue
from comfygraph.errors import UsageError
from comfygraph.targets.http import Secret

DEFAULT_PLACE = "inputs.accessKey"
_PLACE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_OURS = ("inputs", "classType", "properties")


@dataclass(frozen=True, slots=True)
class AccessKeys:
    """
    The access keys that we have.

    Args:
        keys: The id of a private model → its key.
        place: Where in a node of `params` the key goes, names joined by dots.

    Raises:
        UsageError: `place` is no such path, or would replace a part of the node.
    """

    keys: Mapping[str, Secret] = field(default_factory=dict)
    place: str = DEFAULT_PLACE

    def __post_init__(self) -> None:
        if not _PLACE.fullmatch(self.place) or self.place in _OURS:
            raise UsageError(
                f"an access key cannot stand at `{self.place}` of a node",
                hint=f"write a place like {DEFAULT_PLACE} or accessKey",
            )

    def key_for(self, inputs: Mapping[str, JsonValue]) -> Secret | None:
        """
        Give the key of the model that a node names, or `None`.
        """
        if not self.keys:
            return None
        named = (self.keys.get(value) for value in inputs.values() if isinstance(value, str))
        return next((key for key in named if key is not None), None)

    def put(self, node: dict[str, JsonValue], key: Secret) -> None:
        """
        Put a key into a node of `params`; a key that is there already stays.
        """
        *path, last = self.place.split(".")
        for name in path:
            inner = node.setdefault(name, {})
            if not isinstance(inner, dict):
                return
            node = inner
        node.setdefault(last, key.reveal())


def read_access_keys(config: Mapping[str, str]) -> AccessKeys:
    """
    Read `TAMS_ACCESS_KEYS` (`ID=KEY,ID=KEY`), `TAMS_ACCESS_KEYS_FILE` (a JSON object `{ID: KEY}`)
    and `TAMS_ACCESS_KEY_PLACE`.

    Raises:
        UsageError: A setting cannot be read; keys are not quoted.
    """
    keys: dict[str, Secret] = {}
    path = config.get("TAMS_ACCESS_KEYS_FILE", "")
    if path:
        keys.update(_read_file(path))
    for part in config.get("TAMS_ACCESS_KEYS", "").split(","):
        model, equals, key = (text.strip() for text in part.partition("="))
        if not part.strip():
            continue
        if not (model.isdigit() and equals and key):
            raise UsageError(
                "cannot read TAMS_ACCESS_KEYS", hint="write it like 600423083519508503=KEY,ID=KEY"
            )
        keys[model] = Secret(key)
    return AccessKeys(keys, config.get("TAMS_ACCESS_KEY_PLACE") or DEFAULT_PLACE)


def _read_file(path: str) -> dict[str, Secret]:
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        data = None  # the exception of `json` would carry the keys
    if not isinstance(data, dict) or not all(isinstance(key, str) and key for key in data.values()):
        raise UsageError(
            f"cannot read the access keys in `{path}`",
            hint='TAMS_ACCESS_KEYS_FILE names a JSON file {"MODEL ID": "KEY"}',
        )
    return {model: Secret(key) for model, key in data.items()}
