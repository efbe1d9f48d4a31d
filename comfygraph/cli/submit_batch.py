"""
What `comfygraph submit` does with a batch, step by step: expand, lint, price, write down, send.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from comfygraph.catalog import load_catalog
from comfygraph.cli.submit_batch_dry import show_plan, size_text
from comfygraph.cli.submit_batch_follow import follow_batch
from comfygraph.cli.submit_batch_known import digest_of_sources, fingerprint, go_on
from comfygraph.cli.submit_batch_variants import Expansion
from comfygraph.cli.submit_detached import leave_to_workers, refuse_to_detach
from comfygraph.cli.submit_target import (
    EMULATOR,
    announce_emulator,
    is_embedded,
    open_servers,
)
from comfygraph.errors import ExitCode, UsageError
from comfygraph.jobs.batch.api import most_retries, open_targets, priced, quote
from comfygraph.jobs.batch.batch import Batch
from comfygraph.jobs.batch.planning import (
    BatchPlan,
    is_complete,
    latest_like,
    new_batch_id,
    trial_of,
    write_batch,
)
from comfygraph.jobs.batch.runner import BatchRunner
from comfygraph.jobs.batch.space import read_combine
from comfygraph.jobs.ledger import BatchRecord, Ledger, default_place, open_ledger

if TYPE_CHECKING:
    from comfygraph.cli.submit_batch_options import BatchWishes
    from comfygraph.cli.submit_run import Request
    from comfygraph.jobs.batch.survey import Survey
    from comfygraph.targets.base import Target


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


class _Command:
    def __init__(
        self, request: Request, wishes: BatchWishes, stdout: TextIO, stderr: TextIO
    ) -> None:
        self._request = request
        self._wishes = wishes
        self._stdout = stdout
        self._stderr = stderr
        self._catalog = load_catalog(request.catalog)
        self._expansion = Expansion(request, wishes, self._catalog, stderr)

    def run(self) -> ExitCode:
        self._refuse_what_does_not_fit()
        with ExitStack() as stack:
            if self._request.dry_run:
                return self._dry_run(stack)
            ledger = stack.enter_context(
                open_ledger(self._request.ledger or default_place(self._request.config))
            )
            target, *others = self._open_targets(stack)
            record = self._written(ledger, target)
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
                embedded=is_embedded(self._request),
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

    def _written(self, ledger: Ledger, target: Target) -> BatchRecord:
        """
        Give the batch that is gone on with, or write a new one down.
        """
        base_url = "" if is_embedded(self._request) else target.base_url
        mark = fingerprint(
            self._request, self._wishes, target.name, base_url, self._expansion.piped()
        )
        known = latest_like(ledger, mark) if self._request.resume else None
        if known is None:
            if self._request.resume:
                print("no such batch to go on with: this is a new one", file=self._stderr)
            return self._write(ledger, target, base_url, mark, None)
        plan = BatchPlan.of(known)
        if not is_complete(ledger, known.id, plan):
            # nothing of it was sent; were the files others by now, it would be made of both
            same = plan.sources == digest_of_sources(self._request, self._wishes)
            return self._write(ledger, target, base_url, mark, known if same else None)
        print(f"going on with batch {known.id}", file=self._stderr)
        self._expansion.check_template(plan.parameters)
        return go_on(
            ledger,
            known,
            self._request,
            self._wishes,
            template=self._expansion.template,
            stderr=self._stderr,
        )

    def _write(
        self,
        ledger: Ledger,
        target: Target,
        base_url: str,
        mark: str,
        known: BatchRecord | None,
    ) -> BatchRecord:
        """
        Expand, check, price and write down; where that was broken off, with the same chance again.
        """
        batch = known.id if known is not None else new_batch_id()
        chance = BatchPlan.of(known).chance if known is not None else int(batch[-6:], 16)
        paces = BatchPlan.of(known).paces if known is not None else ledger.paces(target.name)
        variants, names = self._expansion.variants(chance)
        found = self._expansion.survey(variants, paces)
        request = self._request
        plan = BatchPlan(
            found.jobs,
            found.weight,
            target.name,
            base_url,
            parameters=names,
            out=None if request.out is None else str(Path(request.out).absolute()),
            template=self._expansion.template,
            overwrite=request.overwrite,
            max_bytes=request.max_size,
            save_graph=request.save_graph,
            concurrency=self._wishes.jobs,
            retries=self._wishes.retries,
            most_retries=most_retries(found.jobs),
            max_cost=self._wishes.max_cost,
            deadline=request.deadline,
            folders=self._expansion.folders(variants),
            trusted=variants.trusted,
            paces=dict(paces),
            chance=chance,
            fingerprint=mark,
            sources=digest_of_sources(request, self._wishes),
        )
        # what is wrong with the options is told before anything is written down
        exchange = target.submit(trial_of(found.sample.kept[0]))
        next(exchange)
        exchange.close()
        print(size_text(found), file=self._stderr)
        plan = self._priced(plan, target, found)
        return write_batch(ledger, batch, self._label(), found.good(), plan)

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
        print(f"all together {price.amount()}", file=self._stderr)
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
        variants, _ = self._expansion.variants(0)
        found = self._expansion.survey(variants, {})
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

    def _label(self) -> str:
        return Path(self._wishes.batch or self._request.graph).name
