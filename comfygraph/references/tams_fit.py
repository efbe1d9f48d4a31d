"""
Whether the models that a graph names by their ids on TensorArt are what its inputs want.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from comfygraph.analysis.families import family_of_name, fits
from comfygraph.lint.diagnostic import Diagnostic, Severity
from comfygraph.references.forms import TamsId
from comfygraph.references.kinds import kind_fits
from comfygraph.references.retarget import Graph
from comfygraph.references.tams import TamsModel
from comfygraph.references.uses import ModelUse

SERVICE = "TAMS"


def tams_ids(graph: Graph) -> list[TamsId]:
    """
    Give the distinct ids of models in a graph, in its order.
    """
    found = [use.reference for use in graph.uses if isinstance(use.reference, TamsId)]
    return list(dict.fromkeys(found))


def model_diagnostics(
    graph: Graph, known: Mapping[str, TamsModel | None]
) -> tuple[Diagnostic, ...]:
    """
    Find ids of no model, models of the wrong kind, and LoRAs for another base than the checkpoint.

    Args:
        graph: The graph with its models.
        known: Id → what the service says of it, `None` where it knows no such model; ids that
            are absent were not asked about.
    """
    return (*_kinds(graph, known), *_bases(graph, known))


def _kinds(graph: Graph, known: Mapping[str, TamsModel | None]) -> Iterator[Diagnostic]:
    for use in graph.uses:
        if not isinstance(use.reference, TamsId) or use.reference.id not in known:
            continue
        model = known[use.reference.id]
        if model is None:
            text = f"`{use.input}` is `{use.value}`: TAMS knows no such model"
            help = "a private model is known only with its access key: see TAMS_ACCESS_KEYS"
            # perhaps it is private, and the account may use it all the same
            yield _found(graph, use, "unknown-model", Severity.WARNING, text, help)
        elif model.kind and use.folder is not None and not kind_fits(model.kind, use.folder):
            text = (
                f"`{use.input}` is `{use.value}`, a {model.kind} "
                f"({model.name or 'without a name'}), where {use.folder} belong"
            )
            yield _found(graph, use, "wrong-model-kind", Severity.ERROR, text, None)


def _bases(graph: Graph, known: Mapping[str, TamsModel | None]) -> Iterator[Diagnostic]:
    placed = [
        (use, model)
        for use in graph.uses
        if isinstance(use.reference, TamsId) and (model := known.get(use.reference.id)) is not None
    ]
    bases = {
        family: model.base_model
        for use, model in placed
        if use.folder == "checkpoints"
        and kind_fits(model.kind, use.folder)
        and (family := family_of_name(model.base_model)) is not None
    }
    if len(bases) != 1:  # with several, each LoRA may belong to another
        return
    [(family, base)] = bases.items()
    for use, model in placed:
        own = family_of_name(model.base_model)
        if use.folder == "loras" and own is not None and fits(own, family) is False:
            text = (
                f"`{use.input}` is `{use.value}`, made for {model.base_model}, "
                f"and the checkpoint is {base}"
            )
            yield _found(graph, use, "other-base-model", Severity.WARNING, text, None)


def _found(
    graph: Graph, use: ModelUse, name: str, severity: Severity, text: str, help: str | None
) -> Diagnostic:
    return Diagnostic(
        SERVICE,
        name,
        severity,
        text,
        graph.pointer(use),
        node_id=use.node_id,
        input=use.input,
        help=help,
        title=use.title if use.title != use.class_type else None,
        class_type=use.class_type,
        file=graph.document.path,
    )
