"""
What `comfygraph submit` does with a batch, step by step: expand, lint, price, write down, send.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from comfygraph.catalog import load_catalog
from comfygraph.cli.assignments import read_assignment
from comfygraph.cli.progress import clean
from comfygraph.cli.submit_batch_dry import show_plan, size_text
from comfygraph.cli.submit_batch_follow import follow_batch
from comfygraph.cli.submit_detached import leave_to_workers, refuse_to_detach
from comfygraph.cli.submit_target import (
    EMULATOR,
    announce_emulator,
    is_embedded,
    open_servers,
    target_name,
)
from comfygraph.cli.target_options import target_options
from comfygraph.documents import Document
from comfygraph.errors import ExitCode, LintError, UsageError
from comfygraph.jobs.batch.api import most_retries, open_targets, priced, quote
from comfygraph.jobs.batch.batch import Batch
from comfygraph.jobs.batch.file_names import DEFAULT_TEMPLATE, FileNames
from comfygraph.jobs.batch.graphs import Base, Bases, base_of, open_bases
from comfygraph.jobs.batch.placing import check_overwriting
from comfygraph.jobs.batch.planning import (
    BatchPlan,
    fingerprint_of,
    is_complete,
    latest_like,
    new_batch_id,
    trial_of,
    write_batch,
)
from comfygraph.jobs.batch.runner import BatchRunner
from comfygraph.jobs.batch.scripts import base_of_template
from comfygraph.jobs.batch.space import Axis, Space, read_combine
from comfygraph.jobs.batch.survey import Survey, survey
from comfygraph.jobs.batch.tables import Text, read_table
from comfygraph.jobs.batch.variants import MAX_JOBS, Variants, parameters_text, read_sweep
from comfygraph.jobs.ledger import BatchRecord, Ledger, default_place, open_ledger
from comfygraph.lint.diagnostic import Severity

if TYPE_CHECKING:
    from comfygraph.cli.submit_batch_options import BatchWishes
    from comfygraph.cli.submit_run import Request
    from comfygraph.jobs.batch.checking import Checked
    from comfygraph.targets.base import Target

_SHOWN = 3
_SEEN_EVERY = 1000


def run_batch(request: Request, wishes: BatchWishes, *, stdout: TextIO, stderr: TextIO) -> ExitCode:
    """
    Carry a batch out.

    Args:
        request: What is asked of every job.
        wishes: What is asked of the batch.
        stdout: Takes results: paths, events as JSON.
        stderr: Takes everything else.

    Returns:
        The exit code of what ended without an exception.

    Raises:
        ComfyGraphError: What went wrong, with its exit code.
    """
    return _Command(request, wishes, stdout, stderr).run()


@dataclass(frozen=True, slots=True)
class _Expanded:
    """
    A batch as it was asked for: its variants, and the names of what varies.
    """

    variants: Variants
    names: tuple[str, ...]


class _Command:
    def __init__(
        self, request: Request, wishes: BatchWishes, stdout: TextIO, stderr: TextIO
    ) -> None:
        self._request = request
        self._wishes = wishes
        self._stdout = stdout
        self._stderr = stderr
        self._catalog = load_catalog(request.catalog)
        self._template = wishes.name or DEFAULT_TEMPLATE

    def run(self) -> ExitCode:
        self._refuse_what_does_not_fit()
        with ExitStack() as stack:
            if self._request.dry_run:
                return self._dry_run(stack)
            ledger = stack.enter_context(
                open_ledger(self._request.ledger or default_place(self._request.config))
            )
            target, *others = self._open_targets(stack)
            embedded = is_embedded(self._request)
            base_url = "" if embedded else target.base_url
            fingerprint = self._fingerprint(target.name, base_url)
            known = latest_like(ledger, fingerprint) if self._request.resume else None
            if self._request.resume:
                self._say_what_is_known(known)
            if known is not None and is_complete(ledger, known.id, BatchPlan.of(known)):
                record = known
            else:
                record = self._write(ledger, target, base_url, fingerprint, known)
            if self._wishes.detach:
                return leave_to_workers(
                    ledger,
                    record,
                    as_json=self._request.as_json,
                    stdout=self._stdout,
                    stderr=self._stderr,
                )
            announce_emulator(self._request, self._stderr)
            runner = BatchRunner(
                ledger, record, target, others=others, concurrency=self._wishes.jobs
            )
            return follow_batch(
                Batch(runner),
                runner,
                embedded=embedded,
                as_json=self._request.as_json,
                color=self._request.color,
                stdout=self._stdout,
                stderr=self._stderr,
            )

    def _refuse_what_does_not_fit(self) -> None:
        request, wishes = self._request, self._wishes
        if wishes.batch and request.graph:
            raise UsageError(
                "--batch names the graphs, and there is a GRAPH too",
                hint="--params FILE runs one graph for each row of a file",
            )
        if not wishes.batch and not request.graph:
            raise UsageError("there is no GRAPH", hint="name one, or several with --batch")
        if not request.use_ledger:
            raise UsageError(
                "a batch is written down before it is sent, so --no-ledger does not fit",
                hint="--ledger PATH keeps it in a file of your own",
            )
        if not request.wait:
            raise UsageError(
                "--no-wait is for single jobs",
                hint="leave a batch with Ctrl-C twice and go on with --resume",
            )
        for option, given in (("--only", request.only), ("--previews", request.previews)):
            if given:
                raise UsageError(f"{option} is for single jobs")
        if wishes.detach:
            refuse_to_detach(request)
        if wishes.quote and not request.dry_run:
            raise UsageError("--quote goes with --dry-run; a batch is priced before it is sent")
        read_combine(wishes.combine)

    def _write(
        self,
        ledger: Ledger,
        target: Target,
        base_url: str,
        fingerprint: str,
        known: BatchRecord | None,
    ) -> BatchRecord:
        """
        Expand, check, price and write down; where that was broken off, with the same chance again.
        """
        batch = known.id if known is not None else new_batch_id()
        chance = BatchPlan.of(known).chance if known is not None else int(batch[-6:], 16)
        paces = BatchPlan.of(known).paces if known is not None else ledger.paces(target.name)
        expanded = self._expand(chance)
        self._check_template(expanded.names)
        found = self._survey(expanded, paces)
        request = self._request
        plan = BatchPlan(
            found.jobs,
            found.weight,
            target.name,
            base_url,
            parameters=expanded.names,
            out=None if request.out is None else str(Path(request.out).absolute()),
            template=self._template,
            overwrite=request.overwrite,
            max_bytes=request.max_size,
            save_graph=request.save_graph,
            concurrency=self._wishes.jobs,
            retries=self._wishes.retries,
            most_retries=most_retries(found.jobs),
            max_cost=self._wishes.max_cost,
            deadline=request.deadline,
            folders=self._folders(),
            trusted=expanded.variants.trusted,
            paces=dict(paces),
            chance=chance,
            fingerprint=fingerprint,
        )
        # what is wrong with the options is told before anything is written down
        exchange = target.submit(trial_of(found.sample.kept[0]))
        next(exchange)
        exchange.close()
        print(size_text(found), file=self._stderr)
        plan = self._priced(plan, target, found)
        return write_batch(ledger, batch, self._label(), found.good(), plan)

    def _expand(self, chance: int) -> _Expanded:
        """
        Make the variants; sweeps come after parameter files, and change fastest.
        """
        most = self._wishes.max_jobs or MAX_JOBS
        bases = self._bases()
        first = next(iter(bases))
        axes = [read_table(Path(name), most=most) for name in self._wishes.params]
        axes += [
            read_sweep(source, first, self._catalog, chance=chance + number)
            for number, source in enumerate(self._wishes.sweeps)
        ]
        combine = read_combine(self._wishes.combine, chance=chance)
        names = tuple(name for axis in axes for name in axis.names)
        fixed = [read_assignment(source) for source in self._request.assignments]
        constants = [
            Axis((item.name.text,), (Text(item.value),), f"--set {item.source}") for item in fixed
        ]
        space = Space([*constants, *axes], combine)
        nothing = Document("", None, None, "prompt", {})
        options = target_options(target_name(self._request), nothing, self._request.options)
        variants = Variants(bases, space, self._catalog, most=most, options=options)
        return _Expanded(variants, names)

    def _bases(self) -> Bases | list[Base]:
        from comfygraph.cli.graphs import open_graph, open_script

        if self._wishes.batch:
            return open_bases(Path(self._wishes.batch), self._catalog)
        script = open_script(self._request.graph)
        if script is not None and script.template is not None:
            return [base_of_template(script.template, self._request.graph, script.prompt)]
        document = open_graph(self._request.graph)
        label = "<stdin>" if self._request.graph == "-" else Path(self._request.graph).name
        return [base_of(document, self._catalog, label)]

    def _survey(self, expanded: _Expanded, paces: Mapping[str, float]) -> Survey:
        show = _Seen(expanded.variants.size, self._stderr)
        found = survey(
            expanded.variants,
            self._catalog,
            lint=self._request.lint,
            paces=paces,
            on_seen=show,
        )
        show.clear()
        checked = found.checked
        if checked.invalid:
            self._show_invalid(checked)
        if checked.twins:
            more = "s" if checked.twins > 1 else ""
            print(f"{checked.twins:,} twin{more} of other variants left out", file=self._stderr)
        if not found.jobs:
            raise UsageError("no variant is left to be sent")
        return found

    def _show_invalid(self, checked: Checked) -> None:
        for item in checked.examples[:_SHOWN]:
            variant = item.variant
            said = parameters_text(variant.parameters)
            print(f"variant {variant.index} of {clean(variant.label)}: {said}", file=self._stderr)
            for finding in item.report.diagnostics:
                if finding.severity is Severity.ERROR:
                    place = f"{finding.class_type} ({finding.node_id}): " if finding.node_id else ""
                    line = f"  {finding.rule_id} {finding.name}: {place}{finding.message}"
                    print(clean(line), file=self._stderr)
        if checked.invalid > _SHOWN:
            print(f"and {checked.invalid - _SHOWN:,} more", file=self._stderr)
        counts = f"{checked.invalid:,} of {checked.seen:,} variants"
        if not self._wishes.skip_invalid:
            raise LintError(
                f"nothing was sent, since lint found errors in {counts}",
                hint="--skip-invalid sends the others",
            )
        print(f"{counts} left out, since lint found errors", file=self._stderr)

    def _priced(self, plan: BatchPlan, target: Target, found: Survey) -> BatchPlan:
        """
        Ask for the price, and the person whether to pay it.
        """
        price = quote(target, found.sample)
        plan = priced(plan, price)
        if price.total is None:
            return plan
        for note in price.notes:
            print(note, file=self._stderr)
        print(price.text(), file=self._stderr)
        if price.total > 0 and not self._wishes.yes:
            self._ask(price.text())
        return plan

    def _ask(self, words: str) -> None:
        if not (sys.stdin.isatty() and self._stderr.isatty()):
            if self._wishes.max_cost is not None:
                return
            raise UsageError(
                f"this costs money ({words}), and nobody is here to be asked",
                hint="--yes sends it, and so does --max-cost N up to that price",
            )
        self._stderr.write("send them? [y/N] ")
        self._stderr.flush()
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise UsageError("nothing was sent")

    def _dry_run(self, stack: ExitStack) -> ExitCode:
        target = self._open_targets(stack, send=self._wishes.quote)[0]
        expanded = self._expand(0)
        self._check_template(expanded.names)
        found = self._survey(expanded, {})
        price = quote(target, found.sample) if self._wishes.quote else None
        show_plan(found, target, price, as_json=self._request.as_json, stdout=self._stdout)
        return ExitCode.OK

    def _open_targets(self, stack: ExitStack, *, send: bool = True) -> list[Target]:
        """
        Give the service; of ComfyUI, all servers.
        """
        if is_embedded(self._request) and send:
            return open_targets(EMULATOR, None, self._catalog, stack)
        return open_servers(self._request)

    def _check_template(self, names: tuple[str, ...]) -> None:
        template = FileNames(self._template, names)
        if self._request.overwrite:
            check_overwriting(template, self._template)

    def _folders(self) -> tuple[str, ...]:
        source = Path(self._wishes.batch or self._request.graph)
        home = source if source.is_dir() else source.parent
        alone = self._request.graph == "-"
        folders = () if alone else (home, Path())
        return tuple(
            str(folder.absolute()) for folder in (*folders, *map(Path, self._request.upload_from))
        )

    def _fingerprint(self, target: str, base_url: str) -> str:
        request, wishes = self._request, self._wishes
        source = wishes.batch or request.graph
        return fingerprint_of(
            [
                "-" if source == "-" else str(Path(source).absolute()), list(wishes.sweeps),
                [str(Path(name).absolute()) for name in wishes.params], wishes.combine,
                list(request.assignments), target, base_url, str(request.out),
            ]
        )  # fmt: skip

    def _say_what_is_known(self, known: BatchRecord | None) -> None:
        if known is None:
            print("no such batch to go on with: this is a new one", file=self._stderr)
        else:
            print(f"going on with batch {known.id}", file=self._stderr)

    def _label(self) -> str:
        return Path(self._wishes.batch or self._request.graph).name


class _Seen:
    """
    Says in a terminal how far the look at all variants is.
    """

    def __init__(self, size: int, stream: TextIO) -> None:
        self._size = size
        self._stream = stream
        self._shows = stream.isatty() and size >= _SEEN_EVERY

    def __call__(self, checked: Checked) -> None:
        if self._shows and checked.seen % _SEEN_EVERY == 0:
            self._stream.write(f"\r\x1b[Kchecked {checked.seen:,} of {self._size:,}")
            self._stream.flush()

    def clear(self) -> None:
        if self._shows:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
