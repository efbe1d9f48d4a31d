"""
The variants of a batch as the command line names them: expanded, linted, and what is wrong told.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from comfygraph.cli.assignments import read_assignment
from comfygraph.cli.progress import clean
from comfygraph.cli.submit_target import target_name
from comfygraph.cli.target_options import target_options
from comfygraph.documents import Document
from comfygraph.errors import LintError, UsageError
from comfygraph.jobs.batch.file_names import DEFAULT_TEMPLATE, FileNames
from comfygraph.jobs.batch.graphs import Base, Bases, base_of, open_bases
from comfygraph.jobs.batch.placing import check_overwriting
from comfygraph.jobs.batch.scripts import base_of_template
from comfygraph.jobs.batch.space import Axis, Space, read_combine
from comfygraph.jobs.batch.survey import Survey, survey
from comfygraph.jobs.batch.tables import Text, read_table
from comfygraph.jobs.batch.variants import MAX_JOBS, Variants, parameters_text, read_sweep
from comfygraph.lint.diagnostic import Severity
from comfygraph.targets.base import graph_digest

if TYPE_CHECKING:
    from comfygraph.catalog import NodeCatalog
    from comfygraph.cli.submit_batch_options import BatchWishes
    from comfygraph.cli.submit_run import Request
    from comfygraph.jobs.batch.checking import Checked

_SHOWN = 3
_SEEN_EVERY = 1000


class Expansion:
    """
    The graphs of a batch and what is set in them.

    Args:
        request: What is asked of every job.
        wishes: What is asked of the batch.
        catalog: Knows the inputs of the classes.
        stderr: Takes what is wrong with variants.
    """

    def __init__(
        self, request: Request, wishes: BatchWishes, catalog: NodeCatalog, stderr: TextIO
    ) -> None:
        self._request = request
        self._wishes = wishes
        self._catalog = catalog
        self._stderr = stderr
        self._bases: Bases | list[Base] | None = None
        self.template = wishes.name or DEFAULT_TEMPLATE
        """How files are named."""

    def piped(self) -> str:
        """
        Give a digest of the graph where it came from stdin, else `""`.

        Raises:
            InputError: It cannot be read.
        """
        if self._wishes.batch or self._request.graph != "-":
            return ""
        return graph_digest(next(iter(self._opened())).prompt)

    def variants(self, chance: int) -> tuple[Variants, tuple[str, ...]]:
        """
        Give the variants, and the names of what varies; sweeps come after parameter files, and
        change fastest.

        Args:
            chance: Where random values start.

        Raises:
            UsageError: A name fits no input, there are too many variants, or the names of files
                could not be made.
            InputError: A file cannot be read.
        """
        request, wishes = self._request, self._wishes
        most = wishes.max_jobs or MAX_JOBS
        bases = self._opened()
        first = next(iter(bases))
        axes = [read_table(Path(name), most=most) for name in wishes.params]
        axes += [
            read_sweep(source, first, self._catalog, chance=chance + number)
            for number, source in enumerate(wishes.sweeps)
        ]
        names = tuple(name for axis in axes for name in axis.names)
        self.check_template(names)
        fixed = [read_assignment(source) for source in request.assignments]
        constants = [
            Axis((item.name.text,), (Text(item.value),), f"--set {item.source}") for item in fixed
        ]
        space = Space([*constants, *axes], read_combine(wishes.combine, chance=chance))
        nothing = Document("", None, None, "prompt", {})
        options = target_options(target_name(request), nothing, request.options)
        return Variants(bases, space, self._catalog, most=most, options=options), names

    def check_template(self, names: tuple[str, ...]) -> None:
        """
        Refuse a template that makes no names, or the same ones.

        Raises:
            UsageError: It does.
        """
        template = FileNames(self.template, names)
        if self._request.overwrite:
            check_overwriting(template, self.template)

    def survey(self, variants: Variants, paces: Mapping[str, float]) -> Survey:
        """
        Look at all variants, and say what is wrong with some and which are left out.

        Raises:
            LintError: Some have errors, and are not to be left out.
            UsageError: A variant cannot be made, or none is left.
            InputError: A graph cannot be read.
        """
        show = _Seen(variants.size, self._stderr)
        try:
            found = survey(
                variants, self._catalog, lint=self._request.lint, paces=paces, on_seen=show
            )
        finally:
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

    def folders(self, variants: Variants) -> tuple[str, ...]:
        """
        Give the folders where local files that graphs name may be read: none but those that the
        person names for graphs that came on their own.
        """
        source = Path(self._wishes.batch or self._request.graph)
        home = source if source.is_dir() else source.parent
        alone = self._request.graph == "-" or variants.alone
        folders = () if alone else (home, Path())
        named = map(Path, self._request.upload_from)
        return tuple(str(folder.absolute()) for folder in (*folders, *named))

    def _opened(self) -> Bases | list[Base]:
        if self._bases is None:
            self._bases = self._open()
        return self._bases

    def _open(self) -> Bases | list[Base]:
        from comfygraph.cli.graphs import open_graph, open_script

        name = self._request.graph
        if self._wishes.batch:
            return open_bases(Path(self._wishes.batch), self._catalog)
        script = open_script(name)
        if script is not None and script.template is not None:
            return [base_of_template(script.template, name, script.prompt)]
        label = "<stdin>" if name == "-" else Path(name).name
        return [base_of(open_graph(name), self._catalog, label)]

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
