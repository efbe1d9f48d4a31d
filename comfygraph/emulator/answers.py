"""
What the knobs do to answers, the same way for every service.
"""

from __future__ import annotations

from comfygraph.core.values import JsonValue
from comfygraph.emulator.faults import Faults


def spoiled(value: JsonValue, faults: Faults, optional: frozenset[str]) -> JsonValue:
    """
    Give an answer without the fields that are to be missing, and with some that nobody knows.

    Args:
        value: The answer.
        faults: The knobs.
        optional: The fields that `missing_fields="*"` takes away.
    """
    missing = frozenset(faults.missing_fields.split(",")) - {""}
    if "*" in missing:
        missing |= optional
    if not missing and not faults.extra_fields:
        return value
    return _without(value, missing, faults.extra_fields)


_OPAQUE = frozenset({"input", "metadata", "arguments"})
"""Fields whose content is the client's own."""


def _without(value: JsonValue, missing: frozenset[str], extra: bool) -> JsonValue:
    # Answers are a few levels deep. Objects inside objects may be maps, and get no extra field.
    if isinstance(value, list):
        return [_without(item, missing, extra) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {
        key: item if key in _OPAQUE else _without(item, missing, extra and isinstance(item, list))
        for key, item in value.items()
        if key not in missing
    }
    if extra:
        kept["xEmulatorExtra"] = {"unknown": [1, None, "two"]}
    return kept


def worded(status: str, faults: Faults) -> str:
    """
    Give a status word as the knobs want it written.
    """
    return status.capitalize() if faults.capitalised else status


class Echo:
    """
    Shows every second time the answer of three times before again, if the knobs say so: after
    any change the old state comes once more.
    """

    def __init__(self) -> None:
        self._past: list[JsonValue] = []

    def of(self, value: JsonValue, faults: Faults) -> JsonValue:
        """
        Give the answer to send now.
        """
        if not faults.stale_updates:
            return value
        self._past.append(value)
        return self._past[-4] if len(self._past) >= 4 and len(self._past) % 2 else value
