"""
Build, check and run ComfyUI prompt graphs.

Every name is loaded when it is first used, so that `import comfygraph` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module

# Type checkers know the name; `typing` would be half of what this import costs.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from comfygraph.analysis.estimates import SweepCost as SweepCost
    from comfygraph.analysis.estimates import estimate as estimate
    from comfygraph.analysis.estimates import sweep_cost as sweep_cost
    from comfygraph.analysis.explain import Explanation as Explanation
    from comfygraph.analysis.explain import explain as explain
    from comfygraph.api import drawing as drawing
    from comfygraph.api import load_catalog as load_catalog
    from comfygraph.api import prompt_schema as prompt_schema
    from comfygraph.catalog import InputSpec as InputSpec
    from comfygraph.catalog import NodeCatalog as NodeCatalog
    from comfygraph.catalog import NodeDef as NodeDef
    from comfygraph.catalog import OutputSpec as OutputSpec
    from comfygraph.compare import Difference as Difference
    from comfygraph.compare import compare as compare
    from comfygraph.core.edit import add_node as add_node
    from comfygraph.core.edit import remove_node as remove_node
    from comfygraph.core.edit import rename_node as rename_node
    from comfygraph.core.edit import replace_node as replace_node
    from comfygraph.core.edit import set_input as set_input
    from comfygraph.core.edit import set_title as set_title
    from comfygraph.core.graph import GraphView as GraphView
    from comfygraph.core.rewire import merge as merge
    from comfygraph.core.rewire import relink as relink
    from comfygraph.core.rewire import splice as splice
    from comfygraph.core.values import Link as Link
    from comfygraph.core.values import Node as Node
    from comfygraph.core.values import Prompt as Prompt
    from comfygraph.documents import Document as Document
    from comfygraph.documents import open_document as open_document
    from comfygraph.dsl import Template as Template
    from comfygraph.dsl import build as build
    from comfygraph.dsl import group as group
    from comfygraph.dsl import named as named
    from comfygraph.dsl import param as param
    from comfygraph.dsl import raw_node as raw_node
    from comfygraph.dsl.edits import insert_loras as insert_loras
    from comfygraph.dsl.edits import set_inputs as set_inputs
    from comfygraph.dsl.edits import swap_class as swap_class
    from comfygraph.errors import BuildError as BuildError
    from comfygraph.errors import ComfyGraphError as ComfyGraphError
    from comfygraph.errors import EditError as EditError
    from comfygraph.errors import ExitCode as ExitCode
    from comfygraph.jobs import AsyncJob as AsyncJob
    from comfygraph.jobs import Batch as Batch
    from comfygraph.jobs import Job as Job
    from comfygraph.jobs import asubmit as asubmit
    from comfygraph.jobs import attach as attach
    from comfygraph.jobs import resume_batch as resume_batch
    from comfygraph.jobs import submit as submit
    from comfygraph.jobs import submit_batch as submit_batch
    from comfygraph.jobs.ledger import JobRecord as JobRecord
    from comfygraph.jobs.ledger import Ledger as Ledger
    from comfygraph.jobs.ledger import open_ledger as open_ledger
    from comfygraph.jobs.submit_options import SubmitOptions as SubmitOptions
    from comfygraph.lint import Diagnostic as Diagnostic
    from comfygraph.lint import LintOptions as LintOptions
    from comfygraph.lint import PredictedResponse as PredictedResponse
    from comfygraph.lint import Report as Report
    from comfygraph.lint import Severity as Severity
    from comfygraph.lint import lint as lint
    from comfygraph.lint import predict_response as predict_response
    from comfygraph.references.air import Air as Air
    from comfygraph.references.uses import ModelUse as ModelUse
    from comfygraph.references.uses import models_of as models_of
    from comfygraph.workflow import ConversionResult as ConversionResult
    from comfygraph.workflow.convert import convert as convert

__version__ = "0.1.0"

_NAMES = {
    "comfygraph.analysis.estimates": (
        "SweepCost",
        "estimate",
        "sweep_cost",
    ),
    "comfygraph.analysis.explain": (
        "Explanation",
        "explain",
    ),
    "comfygraph.api": (
        "drawing",
        "load_catalog",
        "prompt_schema",
    ),
    "comfygraph.catalog": (
        "InputSpec",
        "NodeCatalog",
        "NodeDef",
        "OutputSpec",
    ),
    "comfygraph.compare": (
        "Difference",
        "compare",
    ),
    "comfygraph.core.edit": (
        "add_node",
        "remove_node",
        "rename_node",
        "replace_node",
        "set_input",
        "set_title",
    ),
    "comfygraph.core.graph": ("GraphView",),
    "comfygraph.core.rewire": (
        "merge",
        "relink",
        "splice",
    ),
    "comfygraph.core.values": (
        "Link",
        "Node",
        "Prompt",
    ),
    "comfygraph.documents": (
        "Document",
        "open_document",
    ),
    "comfygraph.dsl": (
        "Template",
        "build",
        "group",
        "named",
        "param",
        "raw_node",
    ),
    "comfygraph.dsl.edits": (
        "insert_loras",
        "set_inputs",
        "swap_class",
    ),
    "comfygraph.errors": (
        "BuildError",
        "ComfyGraphError",
        "EditError",
        "ExitCode",
    ),
    "comfygraph.jobs": (
        "AsyncJob",
        "Batch",
        "Job",
        "asubmit",
        "attach",
        "resume_batch",
        "submit",
        "submit_batch",
    ),
    "comfygraph.jobs.ledger": (
        "JobRecord",
        "Ledger",
        "open_ledger",
    ),
    "comfygraph.jobs.submit_options": ("SubmitOptions",),
    "comfygraph.lint": (
        "Diagnostic",
        "LintOptions",
        "PredictedResponse",
        "Report",
        "Severity",
        "lint",
        "predict_response",
    ),
    "comfygraph.references.air": ("Air",),
    "comfygraph.references.uses": (
        "ModelUse",
        "models_of",
    ),
    "comfygraph.workflow": ("ConversionResult",),
    "comfygraph.workflow.convert": ("convert",),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names}

__all__ = [
    "Air",
    "AsyncJob",
    "Batch",
    "BuildError",
    "ComfyGraphError",
    "ConversionResult",
    "Diagnostic",
    "Difference",
    "Document",
    "EditError",
    "ExitCode",
    "Explanation",
    "GraphView",
    "InputSpec",
    "Job",
    "JobRecord",
    "Ledger",
    "Link",
    "LintOptions",
    "ModelUse",
    "Node",
    "NodeCatalog",
    "NodeDef",
    "OutputSpec",
    "PredictedResponse",
    "Prompt",
    "Report",
    "Severity",
    "SubmitOptions",
    "SweepCost",
    "Template",
    "add_node",
    "asubmit",
    "attach",
    "build",
    "compare",
    "convert",
    "drawing",
    "estimate",
    "explain",
    "group",
    "insert_loras",
    "lint",
    "load_catalog",
    "merge",
    "models_of",
    "named",
    "open_document",
    "open_ledger",
    "param",
    "predict_response",
    "prompt_schema",
    "raw_node",
    "relink",
    "remove_node",
    "rename_node",
    "replace_node",
    "resume_batch",
    "set_input",
    "set_inputs",
    "set_title",
    "splice",
    "submit",
    "submit_batch",
    "swap_class",
    "sweep_cost",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'comfygraph' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
