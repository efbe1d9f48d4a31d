"""
The list of situations that every service and both drivers are put through, as a table.

What differs between services is a mapping: the name of the service, else of its target, else `*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, TypeAlias

By: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """
    One situation.

    Args:
        name: As the ids of the tests have it.
        needs: The ability that a service must have for it.
        graph: What is handed in, a key of `GRAPHS`.
        at: What the requests are for that the knobs of the first group spoil; `""` for all.
        faults: The knobs of the emulator.
        settings: The target's, in place of its own.
        act: What is done meanwhile, a key of `ACTS`.
        speed: Ticks a second of the emulator; 0 for no pauses.
        policy: What is other in how the service is treated.
        patience: How long a service may be out of reach, seconds.
        clock: How much faster than ours the job's clock runs.
        deadline: Seconds, on that clock.
        end: `succeeded`, `failed`, `cancelled`, or the name of the error.
        jobs: How many jobs the service has made.
        said: A text that is among the notices, or in the message of the end.
        sent: Purpose → how many such requests arrived.
        files: How many files are in the folder.
        checks: What else must hold, keys of `CHECKS`.
    """

    name: str
    needs: str = ""
    graph: str = "picture"
    at: str = ""
    faults: By = field(default_factory=dict)
    settings: By = field(default_factory=dict)
    act: str = ""
    speed: float = 0.0
    policy: By = field(default_factory=dict)
    patience: float = 20.0
    clock: float = 1.0
    deadline: float | None = None
    end: str | By = "succeeded"
    jobs: int | By = 1
    said: str | By = ""
    sent: By = field(default_factory=dict)
    files: int | By | None = None
    checks: tuple[str, ...] = ()
    only: tuple[str, ...] = field(default=())
    """The targets that it is about; empty for all."""


def _each(value: Any, **by: Any) -> By:
    """Give a mapping with `value` for all services but those that are named."""
    return {"*": value, **by}


_UNKNOWN = _each("succeeded", comfyui="SubmissionUncertain", comfyapi="SubmissionUncertain")
_HOUR = formatdate(4102444800, usegmt=True)
_PAST = formatdate(0, usegmt=True)

WORK = (
    Situation(name="plain success", sent={"submit": 1}, files=1, checks=("orderly", "png")),
    Situation(name="several outputs", graph="several", files=3, checks=("png",)),
    Situation(name="video output", graph="video", files=1, checks=("webm",)),
    Situation(name="audio output", graph="audio", files=1, checks=("flac",)),
    Situation(name="names in other scripts", graph="foreign", files=1, checks=("png",)),
    Situation(name="seed of 64 bits", graph="seeded", files=1, checks=("exact seed",)),
    Situation(
        name="a part of the outputs",
        graph="several",
        act="ask for node 5 only",
        end=_each("UsageError", comfyui="succeeded"),
        jobs=_each(0, comfyui=1),
        files=_each(0, comfyui=2),
        said=_each("whole", comfyui=""),
        checks=("unsent if refused",),
    ),
    Situation(name="an option that nobody knows", act="ask for nonsense", end="UsageError", jobs=0,
              said="nonsense", checks=("unsent if refused",)),
    Situation(name="slow start", faults={"slow_start": 0.15}, files=1, checks=("queued",)),
    Situation(name="queued behind others", needs="position", act="queue others first",
              jobs=3, files=1, checks=("position",)),
    Situation(name="failed node", faults={"fail_node": "2", "fail_message": "out of paint"},
              end="failed", said="out of paint", files=0, checks=("failed node", "final")),
    Situation(name="transient failure", needs="transient", end="failed", files=0,
              faults={"fail_node": "2", "transient": True}, checks=("transient",)),
    Situation(name="refused graph", graph="bad",
              end={"*": "GraphRejected", "civitai-custom": "failed"},
              jobs={"*": 0, "civitai-custom": 1}, checks=("complaints",)),
    Situation(name="a local picture", needs="upload", graph="loaded", act="upload from here",
              sent={"submit": 1, "upload": 1}, files=1, checks=("uploaded once", "png")),
    Situation(name="a local picture that is missing", needs="upload", graph="loaded",
              act="upload from nowhere",
              end={"*": "succeeded", "civitai-custom": "GraphRejected"},
              jobs={"*": 1, "civitai-custom": 0}, checks=("unsent if refused",)),
)  # fmt: skip

ANSWERS = (
    Situation(name="capitalised statuses", faults={"capitalised": True}, files=1),
    Situation(name="fields missing", faults={"missing_fields": "*"}, files=1),
    Situation(name="fields that nobody knows", faults={"extra_fields": True}, files=1),
    Situation(name="statuses that nobody knows", at="poll", faults={"odd_states": 3}, files=1),
    Situation(name="a status of the submit that nobody knows", at="submit",
              only=("tams", "civitai", "comfyapi"), faults={"odd_states": 1}, files=1),
    Situation(name="stale updates", faults={"stale_updates": True, "lag": 4}, files=1),
    Situation(name="updates twice", faults={"duplicate_updates": True}, files=1),
    Situation(name="updates out of order", files=1,
              faults={"duplicate_updates": True, "reordered_updates": True}),
    Situation(name="huge answers", faults={"padding": 3_000_000}, files=1),
    Situation(name="slow answers", faults={"delay": 0.05}, files=1),
    Situation(name="web page for the submit", at="submit", faults={"pages": 1, "page_status": 200},
              end="ProtocolError", jobs=0, said="web page"),
    Situation(name="web pages for polls", at="poll", faults={"pages": 2, "page_status": 200},
              files=1),
    Situation(name="web pages of a gateway", at="poll", faults={"pages": 9, "page_status": 525},
              files=1),
    Situation(name="broken JSON for the submit", at="submit", faults={"garbage": 1},
              end=_each("succeeded", tams="ProtocolError", comfyapi="ProtocolError")),
    Situation(name="broken JSON for polls", at="poll", faults={"garbage": 3}, files=1),
    Situation(name="web pages for all polls", at="poll",
              faults={"pages": 999, "page_status": 200}, end="ProtocolError"),
)  # fmt: skip

REFUSALS = (
    Situation(name="bad credentials", settings={"credentials": "bad"}, end="AuthenticationError",
              jobs=0, checks=("asked once",)),
    Situation(name="forbidden", at="submit", faults={"errors": 99, "error_status": 403},
              end="AuthenticationError", jobs=0, sent={"submit": 1}),
    Situation(name="nothing there", at="submit", faults={"errors": 99, "error_status": 404},
              end="NotFound", jobs=0, sent={"submit": 1}),
    Situation(name="a job that is gone", at="poll", act="",
              faults={"errors": 999, "error_status": 404}, clock=100.0, deadline=3000.0,
              end="NotFound"),
    Situation(name="forbidden polls", at="poll", faults={"errors": 999, "error_status": 403},
              end="AuthenticationError"),
    Situation(name="errors that quote credentials", at="submit", end="AuthenticationError", jobs=0,
              faults={"errors": 99, "error_status": 403, "echoes": True}),
    Situation(name="429 for the submit", at="submit", faults={"too_many": 1}, sent={"submit": 2},
              files=1),
    Situation(name="429 with seconds", at="submit", sent={"submit": 2}, files=1,
              faults={"too_many": 1, "retry_after": "0.05"}),
    Situation(name="429 with a date that has passed", at="submit", sent={"submit": 2}, files=1,
              faults={"too_many": 1, "retry_after": _PAST}),
    Situation(name="429 with a date too far off", at="submit", sent={"submit": 1}, jobs=0,
              faults={"too_many": 1, "retry_after": _HOUR}, end="RateLimited",
              checks=("wait told",)),
    Situation(name="429 storm for the submit", at="submit",
              faults={"too_many": 99, "retry_after": "0"}, end="RateLimited", jobs=0,
              sent={"submit": 4}),
    Situation(name="429 storm for polls", at="poll", files=1,
              faults={"too_many": 12, "retry_after": "0"}),
    Situation(name="429 for downloads", at="download", files=1,
              faults={"too_many": 2, "retry_after": "0"}),
    Situation(name="503 then fine", at="submit", faults={"errors": 2, "retry_after": "0"},
              end=_each("succeeded", comfyui="ServiceUnavailable", comfyapi="SubmissionUncertain"),
              jobs=_each(1, comfyui=0, comfyapi=0),
              sent=_each({"submit": 3}, comfyui={"submit": 1}, comfyapi={"submit": 1})),
    Situation(name="502 after the submit was taken", at="submit",
              faults={"late_errors": 1, "error_status": 502},
              end=_each("succeeded", comfyapi="SubmissionUncertain")),
    Situation(name="502 after the submit, keys shown", at="submit", only=("comfyapi",),
              faults={"late_errors": 1, "error_status": 502, "shown_keys": True}),
    Situation(name="503 for good", at="submit", faults={"errors": 99},
              end=_each("ServiceUnavailable", tams="SubmissionUncertain",
                        comfyapi="SubmissionUncertain"), jobs=0),
    Situation(name="503 for polls", at="poll", faults={"errors": 9}, files=1),
    Situation(name="503 for polls for good", at="poll", faults={"errors": 9999}, patience=0.1,
              end="ServiceUnavailable"),
    Situation(name="503 for downloads", at="download", faults={"errors": 2}, files=1),
    Situation(name="503 for downloads for good", at="download", faults={"errors": 999}, files=0,
              said="could not be fetched"),
)  # fmt: skip

CONNECTIONS = (
    Situation(name="nobody listens", settings={"place": "nowhere"}, end="ServiceUnavailable",
              jobs=0, said="connection refused"),
    Situation(name="submit dropped", at="submit", faults={"drops": 1}, end=_UNKNOWN,
              jobs=_each(1, comfyui=0, comfyapi=0)),
    Situation(name="answer to the submit lost", at="submit", faults={"lost_answers": 1},
              end=_each("succeeded", comfyapi="SubmissionUncertain")),
    Situation(name="answer to the submit lost, keys shown", at="submit", only=("comfyapi",),
              faults={"lost_answers": 1, "shown_keys": True}, sent={"submit": 1}),
    Situation(name="answer to the submit cut", at="submit", faults={"cut_answers": 1},
              end=_each("succeeded", comfyapi="SubmissionUncertain")),
    Situation(name="answers to all submits lost", at="submit", faults={"lost_answers": 99},
              end=_each("SubmissionUncertain", comfyui="succeeded", civitai="succeeded")),
    Situation(name="poll dropped", at="poll", faults={"drops": 2}, files=1),
    Situation(name="answers to polls lost", at="poll", faults={"lost_answers": 2}, files=1),
    Situation(name="answers to polls cut", at="poll", faults={"cut_answers": 2}, files=1),
    Situation(name="download dropped", at="download", faults={"drops": 2}, files=1,
              checks=("png",)),
    Situation(name="download lost", at="download", faults={"lost_answers": 2}, files=1,
              checks=("png",)),
    Situation(name="download cut", at="download", faults={"cut_answers": 2}, files=1,
              checks=("png",)),
    Situation(name="cancel dropped", act="cancel when it runs", graph="long", speed=20,
              at="cancel", faults={"drops": 1}, end="cancelled", files=0),
    Situation(name="answer to the cancel lost", act="cancel when it runs", graph="long", speed=20,
              at="cancel", faults={"lost_answers": 1}, end="cancelled", files=0),
    Situation(name="answer to the cancel cut", act="cancel when it runs", graph="long", speed=20,
              at="cancel", faults={"cut_answers": 1}, end="cancelled", files=0),
    Situation(name="stream refused", needs="stream", faults={"no_socket": True}, files=1),
    Situation(name="stream answers with errors", needs="stream", at="stream",
              faults={"errors": 9}, files=1),
    Situation(name="stream broken", needs="stream", files=1,
              faults={"socket_drop_after": 2, "broken_trace": 60}),
    Situation(name="empty history", only=("comfyui",), faults={"empty_history": 4}, files=1),
    Situation(name="server started anew", only=("comfyui",), at="poll", speed=20, graph="long",
              faults={"restarts": 1}, clock=100.0, deadline=3000.0, end="NotFound", files=0),
)  # fmt: skip

LIFE = (
    Situation(name="cancel before the submit", act="cancel first", end="cancelled", jobs=0,
              sent={"submit": 0}, files=0),
    Situation(name="cancel while queued", act="cancel when queued", faults={"slow_start": 20.0},
              end="cancelled", files=0),
    Situation(name="cancel while running", act="cancel when it runs", graph="long", speed=20,
              end="cancelled", files=0),
    Situation(name="cancel behind the job of another", needs="position",
              act="cancel behind another", end="cancelled", jobs=2, files=0,
              checks=("the other went on",)),
    Situation(name="cancel after the end", act="cancel when a file is there", files=1),
    Situation(name="cancel that the service refuses", act="cancel when queued", at="cancel",
              faults={"slow_start": 0.3, "errors": 99, "error_status": 403}, files=1,
              said="did not take the cancel"),
    Situation(name="deadline passed", faults={"slow_start": 0.6}, deadline=0.2,
              end="DeadlinePassed", files=0, said="may still run"),
    Situation(name="taken up by another process", act="take up", faults={"slow_start": 0.1},
              sent={"submit": 1}, files=1),
    Situation(name="taken up after the end", act="take up late", sent={"submit": 1}, files=1),
    Situation(name="same key again", act="same key again", needs="keyed", jobs=1, files=2,
              checks=("same job",)),
    Situation(name="same key again, refused", act="same key again", only=("comfyapi",), jobs=1,
              end="ProtocolError", files=1),
    Situation(name="same key again, keys shown", act="same key again", only=("comfyapi",), jobs=1,
              faults={"shown_keys": True}, files=2, checks=("same job",)),
)  # fmt: skip

FILES = (
    Situation(name="expired addresses", needs="expiring", faults={"expired_urls": 1}, files=1,
              checks=("png",)),
    Situation(name="addresses that always expire", needs="expiring", faults={"expired_urls": 99},
              files=0, said="could not be fetched"),
    Situation(name="download led to another host", at="download", settings={"elsewhere": "yes"},
              faults={"redirects": 1}, files=1, checks=("nothing carried off",)),
    Situation(name="download led in circles", at="download", faults={"redirects": 999}, files=0,
              said="redirects without end"),
    Situation(name="download led to no address", at="download", files=0,
              faults={"redirects": 999, "redirect_to": "file://"}, said="no usable address"),
    Situation(name="submit led to another host", at="submit", settings={"elsewhere": "yes"},
              faults={"redirects": 99}, end="ProtocolError", jobs=0,
              checks=("nothing carried off", "nobody asked elsewhere")),
    Situation(name="polls led to another host", at="poll", settings={"elsewhere": "yes"},
              faults={"redirects": 999}, end="ProtocolError",
              checks=("nothing carried off", "nobody asked elsewhere")),
    Situation(name="cancel led to another host", at="cancel", settings={"elsewhere": "yes"},
              faults={"redirects": 999, "slow_start": 0.3}, act="cancel when queued",
              checks=("nothing carried off", "nobody asked elsewhere")),
    Situation(name="upload led to another host", at="upload", settings={"elsewhere": "yes"},
              faults={"redirects": 999}, graph="loaded", act="upload from here", jobs=0,
              end="ProtocolError", checks=("nothing carried off", "nobody asked elsewhere")),
    Situation(name="stream led to another host", needs="stream", at="stream",
              settings={"elsewhere": "yes"}, faults={"redirects": 999}, files=1,
              checks=("nothing carried off", "nobody asked elsewhere")),
)  # fmt: skip

_BAD_NAMES = {
    "above the folder": "../../x.png",
    "an absolute path": "/etc/x.png",
    "a drive": "C:\\Windows\\x.png",
    "a device": "NUL.png",
    "a zero": "a\x00b.png",
    "two dots": "..",
    "blanks": "   ",
    "too long": f"{'x' * 300}.png",
    "turned around": "\u202egnp.exe",
    "an option": "-rf",
}
NAMES = tuple(
    Situation(name=f"a file called like {what}", needs="names", faults={"file_name": name}, files=1)
    for what, name in _BAD_NAMES.items()
)

_CANCELS = {"only": ("tams",), "act": "cancel when it runs", "graph": "long", "speed": 20,
            "end": "cancelled", "files": 0}  # fmt: skip
_BAD = {"only": ("tams",), "graph": "bad", "jobs": 0}
READINGS = (
    Situation(name="cancel by POST only", faults={"cancel_style": "post"}, **_CANCELS),
    Situation(name="cancel by DELETE only", faults={"cancel_style": "delete"}, **_CANCELS),
    Situation(name="a cancel answered with a job", faults={"cancel_answer": "job"}, **_CANCELS),
    Situation(name="a cancel answered with nothing", faults={"cancel_answer": "nothing"},
              **_CANCELS),
    Situation(name="a late cancel that is taken", act="cancel when a file is there", files=1,
              only=("tams",), faults={"late_cancel": "accept"}),
    Situation(name="a check that says false", faults={"check_style": "valid"}, end="Rejected",
              said="would refuse", **_BAD),
    Situation(name="a check whose false is left out", faults={"check_style": "omitted"},
              end="Rejected", said="would refuse", **_BAD),
    Situation(name="a bad graph with HTTP 200", faults={"argument_status": 200},
              end="GraphRejected", checks=("complaints",), **_BAD),
    Situation(name="a bad graph with HTTP 500", faults={"argument_status": 500},
              end="GraphRejected", checks=("complaints",), **_BAD),
    Situation(name="no money left", only=("tams", "comfyapi"), faults={"no_funds": True},
              end="Rejected", jobs=0, said="credits", sent={"submit": 1}),
    Situation(name="a request id that is refused the second time", only=("tams",), at="submit",
              faults={"late_errors": 1, "duplicate_id": "refuse"}, end="ProtocolError",
              said="handed in before", sent={"submit": 2}),
    Situation(name="an upload answered with 203", only=("tams",), graph="loaded", files=1,
              act="upload from here", faults={"put_status": 203}, checks=("uploaded once",)),
    Situation(name="progress in per cent", only=("tams",), graph="long", speed=400, files=1,
              faults={"progress_scale": 100.0}, checks=("progress",)),
    Situation(name="progress as a share", only=("tams",), graph="long", speed=400, files=1,
              checks=("progress",)),
    Situation(name="every node told", only=("tams",), faults={"all_nodes": True}, files=1),
    Situation(name="a film under a name of its own", only=("tams",), graph="video", files=1,
              faults={"film_place": "videos"}, checks=("webm",)),
    Situation(name="unknown fields refused", only=("tams",), files=1,
              faults={"unknown_fields": "refuse", "node_spelling": "camel"}),
    Situation(name="each nonce good once", only=("tams",), faults={"nonce_once": True}, files=1),
    Situation(name="a failure that is called a success", only=("comfyui",), end="failed", files=0,
              faults={"fail_node": "2", "fail_message": "out of paint", "false_success": True},
              said="out of paint", checks=("failed node",)),
    Situation(name="all of it known already", only=("comfyui",), act="run the same before",
              jobs=2, files=1, checks=("cached",)),
)  # fmt: skip
"""What documents leave open: each reading of it."""

SITUATIONS = (*WORK, *ANSWERS, *REFUSALS, *CONNECTIONS, *LIFE, *FILES, *NAMES, *READINGS)
