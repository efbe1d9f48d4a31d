"""
What the emulator does wrong on purpose: one frozen value of knobs, off by default.

The same knobs are set from Python (`Emulator(faults=Faults(...))`), from the command line
(`comfygraph emulate --fault too_many=2`), and for one request with the header
`X-Emulator-Faults: too_many=1; retry_after=2`. A job keeps the knobs of the request that
made it.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase

from comfygraph.errors import UsageError

FAULTS_HEADER = "x-emulator-faults"
_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """
    The knobs. Numbers of requests count down: `too_many=2` spoils the next two requests.

    Before the service answers, on requests that match `route`:

    Args:
        route: Which requests the knobs of this group spoil: a glob over `METHOD /path`.
        too_many: So many requests get 429.
        retry_after: The `Retry-After` header of a 429 or 5xx, seconds or an HTTP date;
            empty for none.
        errors: So many requests get `error_status`, in the error form of the service.
        error_status: 500 to 599, or any other status.
        pages: So many requests get an HTML page, as a gateway sends it.
        page_status: The status of that page.
        drops: So many connections are closed before the request is looked at.
        lost_answers: So many requests are carried out, and the connection closed unanswered.
        late_errors: So many requests are carried out, and answered with `error_status`.
        cut_answers: So many answers end in the middle of their body.
        redirects: So many requests are sent on to another address.
        redirect_to: Where to: the beginning of an address, which gets path and query of the
            request; empty for the same address again.
        garbage: So many answers are text that stops in the middle and is whole for HTTP.
        odd_states: So many answers call every `status` by a word that nobody knows.
        echoes: Errors quote the credentials of the request.
        padding: So many bytes more are in every JSON object that is answered.
        delay: Seconds before every answer.

    Jobs:

    Args:
        slow_start: Seconds that a job waits in the queue at least.
        fail_node: The id or class of the node at which jobs fail; `*` for the first one.
        fail_at: After which share of its steps that node fails, 0 to 1.
        fail_message: What that node says.
        transient: The failure is of the kind that another try may mend.
        expire_jobs: Jobs run out of time before they start (Civitai and Comfy API).
        extra_images: Every saving node writes so many files more than the graph gives.

    Answers:

    Args:
        url_ttl: Seconds that a result URL is good for.
        expired_urls: So many fetches of result files are refused as too late.
        duplicate_updates: Every progress message is sent twice.
        reordered_updates: Every two progress messages come in the wrong order.
        stale_updates: Every second poll shows the answer of three polls before again.
        capitalised: Status words start with a capital.
        missing_fields: Names of fields that are left out of answers, separated by commas;
            `*` for all that a service may leave out.
        extra_fields: Answers hold fields that nobody knows.
        file_name: What ComfyUI and Comfy API call every file, in place of its name; the name may
            be one that no file should have.

    ComfyUI, and streams of Comfy API:

    Args:
        no_socket: The websocket, or the stream, is refused.
        socket_drop_after: It is closed after so many messages; 0 for never.
        empty_history: So many looks into the history find nothing.
        restarts: So many requests that match `route` find a server that was just started anew:
            queue, history and results are lost, sockets closed.
        false_success: `status_str` says `success` for a failed run, as the server itself
            does after a dependency cycle.

    Comfy API:

    Args:
        shown_keys: Jobs show the idempotency key that they were handed in with.
        nested_events: The data of an event stands under a name: `{"progress": {...}}`.

    TAMS:

    Args:
        qps: Requests a second that one key may send; 0 for no limit.
        lag: Polls for which a finished job still says `RUNNING`.
        all_nodes: `nodes` lists every node, not only the ones that pass pictures on.
        progress_scale: What a finished run's `progress` is, 1 or 100.
        check_style: How the check refuses a bad graph: `status` (an error), `valid`
            (`{"valid": false}`) or `omitted` (`{}`, as a false is left out).
        argument_status: The status of that error, and of a submit of a bad graph.
        cancel_style: The one cancel route that exists: `both`, `delete` or `post`.
        cancel_answer: What a cancel answers: `plain` (`{"jobId": "..."}` or `{}`), `job`
            (`{"job": {...}}`) or `nothing`.
        late_cancel: A cancel of a job that is over: `refuse` it, or `accept` it.
        clock_skew: Seconds that the timestamp of a signature may be off.
        nonce_once: A signature's nonce is taken once.
        duplicate_id: A `requestId` that was seen before: the `same` job, `refuse` it, or a
            `new` job.
        node_spelling: How nodes may name their class: `both`, `camel` or `snake`.
        unknown_fields: Fields of a request that nobody knows: `accept` or `refuse` them.
        model_names: Names of files in place of ids of models: `accept` or `refuse` them.
        field_status: The status for a template field that is missing.
        upload_settles: Checks and submits for which a fresh upload is not known yet.
        put_status: The status that the storage gives for an upload: 200 or 203.
        private_models: Ids of models that need a key, separated by commas; the key is
            `emulator-access-key`.
        access_place: Where in a node that key is looked for.
        hook_style: What is posted to a webhook: `job` (`{"job": {...}}`), `bare` (the job
            itself), `id` (`{"jobId": "..."}`) or `empty` (`{}`).
        stage_form: Where results of diffusion jobs stand: `flat`, or under `stages` as in 2024.
        film_place: The name under which `outputUi` lists films.

    Civitai:

    Args:
        wait_bool: `wait` takes only true and false, as older servers have it.
        put_body: An update answers 200 and the workflow, not 204.
        plain_forbidden: Paid submits get 403 and a bare JSON string: no money left.
        no_funds: `whatif` says that the money is not enough; TAMS and Comfy API refuse submits.
        messages_form: Validation errors come as `{"messages": [...]}`.
        bare_unauthorized: 401 has no body.
        untyped_blobs: Blobs come without `type`.
        withheld: Blobs are ready but withheld.
        late_trace: Polls for which `traceUrl` is not there yet.
        broken_trace: The trace stream breaks off after so many bytes, once; 0 for never.
        bad_graphs: A bad graph of a `comfy` step: `reject` it with 400, or `fail` the step.
        money_status: What `plain_forbidden` answers: 403 (a bare text), 402 (nothing), or 400
            (`messages`).
        no_scope: 403 and an OAuth error: the token may not do this.
        wait_cap: The longest wait that is granted, seconds.
        require_currencies: `currencies` must be there, as the schema has it.
        numeric_links: Links of `comfy` graphs are two numbers, as the schema has it.
        spec_names: Graphs are echoed with `classType` and `meta`.
        bare_packs: `resources` may name node packs without a snapshot.
        span_form: How timeouts of a day and more are written: `days` (`1.01:00:00`, as .NET has
            it) or `hours` (`25:00:00`).
        opaque_ids: Workflow ids look like `wf_…`.
        late_blobs: Blobs are listed only when the step is over.
        no_reason: Jobs say no `reason`.
        refunds: What failed or expired is paid back.
        out_of_buzz: Seconds of a `customComfy` run after which the money is gone; 0 for never.
        trace_bursts: Seconds between two bursts of a trace.
        trace_garbage: Traces have frames of unknown kinds and broken JSON among them.
        conflicts: Changes to what is over get 409.
        recipe_style: What recipes answer with: the step's `output`, or the `workflow`.
        upload_status: What uploads get, such as 413, 415 or 422; 0 for taking them.
        not_enabled: Resources are known, and not enabled for generation: a submit is refused.

    Novita:

    Args:
        no_v2: The routes of v2 are gone.
        no_model: How v2 says that it has no such model: `code` 2, a `null`, or `absent`.
        enable: The flag of a model: 1, 0 or `null`, as in Novita's own example.
        key_refusal: A wrong key gets a `reason`, the bare `status` 401, or a `code` (v2).
        plain_numbers: Numbers of 64 bits are numbers, not texts.
        last_cursor: The cursor of the last page: `empty`, or `next`, to a page without models.
    """

    route: str = "*"
    too_many: int = 0
    retry_after: str = ""
    errors: int = 0
    error_status: int = 503
    pages: int = 0
    page_status: int = 525
    drops: int = 0
    lost_answers: int = 0
    late_errors: int = 0
    cut_answers: int = 0
    redirects: int = 0
    redirect_to: str = ""
    garbage: int = 0
    odd_states: int = 0
    echoes: bool = False
    padding: int = 0
    delay: float = 0.0

    slow_start: float = 0.0
    fail_node: str = ""
    fail_at: float = 0.5
    fail_message: str = "the emulator was told to fail here"
    transient: bool = False
    expire_jobs: bool = False
    extra_images: int = 0

    url_ttl: float = 3600.0
    expired_urls: int = 0
    duplicate_updates: bool = False
    reordered_updates: bool = False
    stale_updates: bool = False
    capitalised: bool = False
    missing_fields: str = ""
    extra_fields: bool = False
    file_name: str = ""

    no_socket: bool = False
    socket_drop_after: int = 0
    empty_history: int = 0
    restarts: int = 0
    false_success: bool = False

    shown_keys: bool = False
    nested_events: bool = False

    qps: float = 5.0
    lag: int = 1
    all_nodes: bool = False
    progress_scale: float = 1.0
    check_style: str = "status"
    argument_status: int = 400
    cancel_style: str = "both"
    cancel_answer: str = "plain"
    late_cancel: str = "refuse"
    clock_skew: float = 300.0
    nonce_once: bool = False
    duplicate_id: str = "same"
    node_spelling: str = "both"
    unknown_fields: str = "accept"
    model_names: str = "accept"
    field_status: int = 500
    upload_settles: int = 0
    put_status: int = 200
    private_models: str = ""
    access_place: str = "inputs.accessKey"
    hook_style: str = "job"
    stage_form: str = "flat"
    film_place: str = "images"

    wait_bool: bool = False
    put_body: bool = False
    plain_forbidden: bool = False
    no_funds: bool = False
    messages_form: bool = False
    bare_unauthorized: bool = False
    untyped_blobs: bool = False
    withheld: bool = False
    late_trace: int = 0
    broken_trace: int = 0
    bad_graphs: str = "reject"
    money_status: int = 403
    no_scope: bool = False
    wait_cap: float = 100.0
    require_currencies: bool = False
    numeric_links: bool = False
    spec_names: bool = False
    bare_packs: bool = False
    span_form: str = "days"
    opaque_ids: bool = False
    late_blobs: bool = False
    no_reason: bool = False
    refunds: bool = False
    out_of_buzz: float = 0.0
    trace_bursts: float = 0.0
    trace_garbage: bool = False
    conflicts: bool = False
    recipe_style: str = "output"
    upload_status: int = 0
    not_enabled: bool = False

    no_v2: bool = False
    no_model: str = "code"
    enable: str = "1"
    key_refusal: str = "reason"
    plain_numbers: bool = False
    last_cursor: str = "empty"

    def changed(self, settings: Iterable[str]) -> Faults:
        """
        Give these knobs with some of them set anew.

        Args:
            settings: Texts such as `too_many=2`; a knob that is on or off may stand alone.

        Raises:
            UsageError: There is no such knob, or the value does not fit it.
        """
        values: dict[str, object] = {}
        for setting in settings:
            name, has_value, text = (part.strip() for part in setting.partition("="))
            name = name.replace("-", "_")
            if name:
                values[name] = _read(name, text if has_value else "true")
        return replace(self, **values)  # type: ignore[arg-type]  # `_read` gives each its type

    def matches(self, method: str, path: str) -> bool:
        """
        Tell whether the first group of knobs is about this request.
        """
        return self.route == "*" or fnmatchcase(f"{method} {path}", self.route)


_DEFAULTS = {spec.name: spec.default for spec in fields(Faults)}
_CHOICES = {
    "check_style": ("status", "valid", "omitted"),
    "cancel_style": ("both", "delete", "post"),
    "cancel_answer": ("plain", "job", "nothing"),
    "late_cancel": ("refuse", "accept"),
    "duplicate_id": ("same", "refuse", "new"),
    "node_spelling": ("both", "camel", "snake"),
    "unknown_fields": ("accept", "refuse"),
    "model_names": ("accept", "refuse"),
    "hook_style": ("job", "bare", "id", "empty"),
    "stage_form": ("flat", "stages"),
    "bad_graphs": ("reject", "fail"),
    "recipe_style": ("output", "workflow"),
    "span_form": ("days", "hours"),
    "no_model": ("code", "null", "absent"),
    "enable": ("1", "0", "null"),
    "key_refusal": ("reason", "status", "code"),
    "last_cursor": ("empty", "next"),
}
"""Knobs that are one of a few words."""


def knobs() -> list[tuple[str, object, str]]:
    """
    Give name, default and explanation of all knobs, in the order of `Faults`.
    """
    found: dict[str, list[str]] = {}
    last: list[str] = []
    for line in inspect.cleandoc(Faults.__doc__ or "").splitlines():
        name, colon, text = line.strip().partition(": ")
        if line.startswith("    ") and not line.startswith("     ") and colon:
            last = found[name] = [text]
        elif line.startswith("     "):
            last.append(line.strip())
    return [(name, _DEFAULTS[name], " ".join(lines)) for name, lines in found.items()]


def _read(name: str, text: str) -> object:
    default = _DEFAULTS.get(name)
    if default is None:
        near = get_close_matches(name, _DEFAULTS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else "`comfygraph emulate --fault help` has all"
        raise UsageError(f"there is no fault `{name}`", hint=hint)
    try:
        match default:
            case bool():
                if text.lower() not in _YES | _NO:
                    raise ValueError
                return text.lower() in _YES
            case int():
                return int(text)
            case float():
                return float(text)
            case _:
                choices = _CHOICES.get(name)
                if choices is not None and text not in choices:
                    listed = ", ".join(choices)
                    raise UsageError(f"fault `{name}` takes one of {listed}, not `{text}`")
                return text
    except ValueError:
        kind = {bool: "true or false", int: "a whole number", float: "a number"}[type(default)]
        raise UsageError(f"fault `{name}` takes {kind}, not `{text}`") from None


class FaultCounts:
    """
    How often each counting knob has struck. Equal knobs share their counts, so that a client
    which sends one header with all its requests meets `too_many=2` twice and no more.
    """

    def __init__(self) -> None:
        self._struck: Counter[tuple[Faults, str]] = Counter()

    def strikes(self, faults: Faults, name: str) -> bool:
        """
        Tell whether knob `name` strikes now, and count it if so.
        """
        limit = getattr(faults, name)
        if self._struck[faults, name] >= limit:
            return False
        self._struck[faults, name] += 1
        return True

    def struck(self, faults: Faults, name: str) -> int:
        """
        Give how often knob `name` has struck.
        """
        return self._struck[faults, name]

    def forget(self, faults: Faults) -> None:
        """
        Start anew for these knobs.
        """
        for key in [key for key in self._struck if key[0] == faults]:
            del self._struck[key]
