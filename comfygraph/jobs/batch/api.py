"""
`submit_batch` and `resume_batch`: from graphs, or from the ledger, to a batch.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.core.values import JsonValue, Prompt
from comfygraph.errors import LintError, UsageError
from comfygraph.jobs.async_clients import Clients
from comfygraph.jobs.batch.batch import Batch
from comfygraph.jobs.batch.file_names import DEFAULT_TEMPLATE, FileNames
from comfygraph.jobs.batch.graphs import Base
from comfygraph.jobs.batch.placing import check_overwriting
from comfygraph.jobs.batch.planning import (
    BatchPlan,
    find_batch,
    new_batch_id,
    trial_of,
    write_batch,
)
from comfygraph.jobs.batch.quoting import Sample, ask_quote
from comfygraph.jobs.batch.runner import BatchRunner
from comfygraph.jobs.batch.space import Axis, Space, read_combine
from comfygraph.jobs.batch.spending import Quote, check_budget
from comfygraph.jobs.batch.survey import Survey, require_some, survey
from comfygraph.jobs.batch.variants import MAX_JOBS, Variants, parameters_text
from comfygraph.jobs.ledger import BatchRecord, Ledger, Query, open_ledger
from comfygraph.jobs.plan import EMULATOR
from comfygraph.jobs.pool import fellows, servers
from comfygraph.jobs.resuming import target_for
from comfygraph.jobs.settings import Settings
from comfygraph.targets import get_target
from comfygraph.targets.base import Target

T = TypeVar("T")


def submit_batch(
    prompts: Prompt | Mapping[str, JsonValue] | Iterable[Prompt | Mapping[str, JsonValue]],
    *,
    target: Target | str = EMULATOR,
    config: Mapping[str, str] | None = None,
    sweep: Mapping[str, Sequence[JsonValue]] | None = None,
    combine: str = "cross",
    concurrency: int = 0,
    out: str | os.PathLike[str] | None = None,
    name: str = DEFAULT_TEMPLATE,
    overwrite: bool = False,
    retries: int = 2,
    max_cost: float | None = None,
    deadline: float | None = None,
    lint: bool = True,
    skip_invalid: bool = False,
    max_jobs: int = MAX_JOBS,
    ledger: Ledger | str | os.PathLike[str] | None = None,
    catalog: NodeCatalog | None = None,
    settings: Settings | None = None,
) -> Batch:
    """
    Check graphs, write them all down as one batch, and give the batch, an iterator over its events.

        batch = submit_batch(prompt, sweep={"seed": range(100)}, target="emulator", out="out")
        for event in batch:
            print(event)

    Nothing is sent before the first event is taken, and nothing at all while a graph has errors.

    Args:
        prompts: A graph, or several: each a `Prompt`, or a JSON object that holds one.
        target: A target, or its name; `"emulator"` starts one for the batch.
        config: Settings for a target by name; default is the environment.
        sweep: Name of an input (`3.seed`, `positive.text`, `seed`) → its values.
        combine: `cross`, `zip`, `sample:N` or `sample:N:SEED`.
        concurrency: How many jobs are under way at the same time; 0 for what suits the target.
        out: A folder for files and manifest; default fetches none.
        name: The template for names of files.
        overwrite: Whether files of the same name are replaced.
        retries: How many more jobs a variant may have when it fails in a way that may pass.
        max_cost: What all jobs may cost, in the service's own unit.
        deadline: Seconds that a job may take; default is the target's.
        lint: Whether to lint first.
        skip_invalid: Whether variants with errors are left out; else they are an error.
        max_jobs: How many jobs there may be.
        ledger: A ledger, or its file; default is the one that the command line uses.
        catalog: What lint and names of inputs go by; default is the bundled core.
        settings: Clock, chance, rate limits, patience.

    Raises:
        LintError: A graph has errors.
        UsageError: There are too many variants, a name fits no input, the price is above
            `max_cost`, or the target is not configured.
        LedgerError: The ledger cannot be written.
    """
    known = catalog if catalog is not None else load_catalog()
    axes = [Axis((key,), values, key) for key, values in (sweep or {}).items()]
    variants = Variants(_bases(prompts), Space(axes, read_combine(combine)), known, most=max_jobs)
    names = FileNames(name, (sweep or {}).keys())
    if overwrite:
        check_overwriting(names, name)
    found = survey(variants, known, lint=lint)
    refuse_invalid(found, skip=skip_invalid)
    require_some(found)
    with ExitStack() as stack:
        book = ledger if isinstance(ledger, Ledger) else stack.enter_context(open_ledger(ledger))
        service, *others = open_targets(target, config, known, stack)
        plan = BatchPlan(
            found.jobs,
            found.weight,
            service.name,
            "" if target == EMULATOR else service.base_url,
            parameters=tuple(axis.names[0] for axis in axes),
            out=None if out is None else str(Path(out).absolute()),
            template=name,
            overwrite=overwrite,
            concurrency=concurrency,
            retries=retries,
            most_retries=most_retries(found.jobs),
            max_cost=max_cost,
            deadline=deadline,
            folders=(str(Path().absolute()),),
            trusted=variants.trusted,
        )
        if max_cost is not None:
            plan = priced(plan, quote(service, found.sample, settings))
        record = write_batch(book, new_batch_id(), "", found.good(), plan)
        runner = BatchRunner(book, record, service, others=others, settings=settings)
        return Batch(runner, stack.pop_all().close)


def resume_batch(
    batch: str | BatchRecord,
    *,
    target: Target | None = None,
    config: Mapping[str, str] | None = None,
    ledger: Ledger | str | os.PathLike[str] | None = None,
    concurrency: int = 0,
    force: bool = False,
    settings: Settings | None = None,
) -> Batch:
    """
    Go on with a batch: follow what the service has, send what was not sent, and make new jobs for
    what failed in a way that may have passed.

    Args:
        batch: The id of the batch, or the beginning of it.
        target: The service; default is made from the name in the ledger and `config`.
        config: As for `submit_batch`.
        ledger: As for `submit_batch`.
        concurrency: How many jobs are under way at the same time, where not as the batch says.
        settings: As for `submit_batch`.
        force: Whether what is uncertain is sent again where it is not found.

    Raises:
        UsageError: There is no such batch, it was not written completely, or the target is not
            configured.
        LedgerError: The ledger cannot be read.
    """
    with ExitStack() as stack:
        book = ledger if isinstance(ledger, Ledger) else stack.enter_context(open_ledger(ledger))
        record = find_batch(book, batch) if isinstance(batch, str) else batch
        service = target if target is not None else target_of(book, record, config)
        others = fellows(service, os.environ if config is None else config) if not target else []
        runner = BatchRunner(
            book, record, service,
            others=others, settings=settings, concurrency=concurrency, force=force,
        )  # fmt: skip
        return Batch(runner, stack.pop_all().close)


def target_of(
    ledger: Ledger, batch: BatchRecord, config: Mapping[str, str] | None = None
) -> Target:
    """
    Give the service of a batch that is gone on with, at the address of that time.

    Raises:
        UsageError: It is not configured, was an emulator that ended with its command, or the batch
            has no jobs.
    """
    first = next(ledger.jobs(Query(batch=batch.id, limit=1)), None)
    if first is None:
        raise UsageError(f"the batch `{batch.id}` has no jobs", hint="submit it anew")
    return target_for(first, os.environ if config is None else config)


def open_targets(
    target: Target | str,
    config: Mapping[str, str] | None,
    catalog: NodeCatalog,
    stack: ExitStack,
) -> list[Target]:
    """
    Make a target ready: of ComfyUI, all servers that are set up. An embedded emulator runs until
    the stack is closed.

    Raises:
        UsageError: It is not configured.
    """
    if not isinstance(target, str):
        return [target]
    if target != EMULATOR:
        return servers(target, os.environ if config is None else config)
    from comfygraph.emulator.server import Emulator

    emulator = stack.enter_context(Emulator(catalog=catalog))
    return [get_target(EMULATOR, {"COMFYUI_URL": emulator.url("comfyui")})]


def quote(target: Target, sample: Sample, settings: Settings | None = None) -> Quote:
    """
    Ask a service what a batch would cost, and wait for the answer.

    Raises:
        TargetError: The service is out of reach, or would refuse a variant.
    """

    async def ask() -> Quote:
        async with Clients() as clients:
            return await ask_quote(
                target, sample, trial_of, settings=settings or Settings(), clients=clients
            )

    return _blocking(lambda: asyncio.run(ask()))


def priced(plan: BatchPlan, price: Quote) -> BatchPlan:
    """
    Give the plan with what a job was quoted at.

    Raises:
        UsageError: It is more than the plan may cost, or the account cannot pay.
    """
    check_budget(price, plan.max_cost)
    if price.total is None or not price.jobs:
        return plan
    return replace(plan, expected=price.total / price.jobs)


def most_retries(jobs: int) -> int:
    """
    Give how many further tries a batch has in all where nobody says: a fifth of its jobs, and some.
    """
    return max(20, jobs // 5)


def refuse_invalid(found: Survey, *, skip: bool) -> None:
    """
    Refuse a batch with variants that have errors.

    Raises:
        LintError: There are some, and they are not to be left out.
    """
    if not found.checked.invalid or skip:
        return
    first = found.checked.examples[0]
    said = next(
        (item for item in first.report.diagnostics if item.severity.name == "ERROR"),
        first.report.diagnostics[0],
    )
    count = found.checked.invalid
    raise LintError(
        f"variant {first.variant.index} ({parameters_text(first.variant.parameters)}) has an error"
        f": {said.rule_id} {said.message}; {count:,} of {found.checked.seen:,} variants have errors"
        ", nothing was sent"
    )


def _bases(
    prompts: Prompt | Mapping[str, JsonValue] | Iterable[Prompt | Mapping[str, JsonValue]],
) -> list[Base]:
    from comfygraph.documents import recognise

    several = [prompts] if isinstance(prompts, Mapping) else list(prompts)
    out: list[Base] = []
    for number, item in enumerate(several, 1):
        label = f"graph {number}"
        prompt = item if isinstance(item, Prompt) else recognise(dict(item), path=label).to_prompt()
        out.append(Base(prompt, label))
    return out


def _blocking(call: Callable[[], T]) -> T:
    """
    Make a call that starts an event loop of its own, also where one runs already.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return call()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result()
