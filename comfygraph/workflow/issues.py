"""
What a conversion can find: the 5xx family of codes, one table.

A finding about the workflow is a `ConversionIssue` and never an exception; lint turns
them into its diagnostics. Each code's docstring is its documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class IssueKind:
    """
    One kind of finding.

    Args:
        code: `CG5nn`, permanent.
        name: Reads well after "allow".
        severity: How bad it is unless a person says otherwise.
        doc: What it is, and why it is bad.
        help: What to do, where there is one answer for all.
    """

    code: str
    name: str
    severity: Severity
    doc: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class ConversionIssue:
    """
    One finding about a workflow.

    Args:
        code: `CG5nn`.
        name: The name of the kind, `unknown-node-class`.
        severity: `"error"`: the prompt cannot be what the author meant, or the editor
            refuses to queue it; `"warning"`: it probably is not; `"info"`: good to know.
        message: One line.
        pointer: JSON pointer into the workflow file.
        node_id: Id of the node in the prompt (`"12:34"`), or `None`.
        title: Title of that node, or `None`.
        help: What to do, or `""`.
    """

    code: str
    name: str
    severity: Severity
    message: str
    pointer: str
    node_id: str | None = None
    title: str | None = None
    help: str = ""


UNKNOWN_CLASS = IssueKind(
    "CG501",
    "unknown-node-class",
    "error",
    "The node's type is neither in the catalog, nor a subgraph of the file, nor a node that "
    "lives in the editor only. The editor shows it red and sends it without `class_type`, so "
    "every server refuses the prompt. Without the class nobody can tell what its widget "
    "values mean: they come out as `UNKNOWN`, `UNKNOWN_1`, ...",
    "convert with a catalog (`/object_info`) of a server that has the node's pack installed",
)
WIDGETS_DO_NOT_FIT = IssueKind(
    "CG502",
    "widget-values-do-not-fit",
    "warning",
    "The stored widget values, taken in order, do not fit the inputs of the class: a word "
    "where a number belongs, a choice that is not on the list and is on its neighbour's. This "
    "is what a workflow looks like after a node pack added, removed or reordered inputs: "
    "every later value moves to the wrong place, in silence.",
    "open the workflow in the editor, set the node's values again and save it",
)
WIDGET_COUNT = IssueKind(
    "CG503",
    "widget-count-mismatch",
    "info",
    "The file stores more widget values than the class has widgets; the rest is ignored, as "
    "the editor does. Usually harmless, sometimes the trace of an input that is gone.",
)
WIDGETS_NOT_A_LIST = IssueKind(
    "CG504",
    "widget-values-not-a-list",
    "error",
    "`widgets_values` of a core node is an object. The editor reads a list there and finds "
    "nothing: the node's values vanish from the prompt.",
    "store the values as a list in the order of the widgets",
)
MISSING_LINK = IssueKind(
    "CG505",
    "link-to-nothing",
    "error",
    "An input names a link that is not in the graph's list of links, or whose origin is not "
    "in the graph. The editor throws `InvalidLinkError` and queues nothing. Here the input "
    "is treated as not connected, or the conversion refuses if asked to be strict.",
    "connect the input again in the editor, or set its `link` to null",
)
MISSING_SUBGRAPH = IssueKind(
    "CG506",
    "missing-subgraph-definition",
    "error",
    "The node is an instance of a subgraph whose definition is not in the file. The editor "
    "sends it as a node without `class_type`, which every server refuses.",
    "export the workflow again from an editor where the subgraph still opens",
)
RECURSIVE_SUBGRAPH = IssueKind(
    "CG507",
    "recursive-subgraph",
    "error",
    "A subgraph contains itself, directly or through others. The editor throws `RecursionError`.",
)
VIRTUAL_CYCLE = IssueKind(
    "CG508",
    "circular-reroute",
    "error",
    "A connection runs in a circle through reroutes, bypassed nodes or subgraph boundaries "
    "and never reaches a node. The editor throws `RecursionError`.",
)
PASS_THROUGH = IssueKind(
    "CG509",
    "subgraph-pass-through",
    "error",
    "A subgraph leads an input straight to an output. The editor throws `No output node "
    "found`; here the connection is led to what the input is connected to.",
)
DUPLICATE_ID = IssueKind(
    "CG510",
    "duplicate-node-id",
    "error",
    "Two nodes of one graph have the same id. The prompt can hold one of them: the later.",
    "give one of the nodes another id",
)
BAD_ELEMENT = IssueKind(
    "CG511",
    "malformed-element",
    "warning",
    "A node, link or slot of the file does not have the shape that the format asks for, and "
    "is left out.",
)
BYPASS_WITHOUT_MATCH = IssueKind(
    "CG512",
    "bypass-without-match",
    "info",
    "A bypassed node has no input of the type that its output gives, so whatever hangs on "
    "that output is not connected. A loader is often bypassed for just that.",
)
LOST_PRIMITIVE = IssueKind(
    "CG513",
    "primitive-not-applied",
    "warning",
    "A primitive is connected through a reroute, or to an input without a widget. The editor "
    "does not bring its value there: the widget keeps the value that is stored with it.",
    "connect the primitive directly, or use a node such as `PrimitiveInt`",
)
UNRESOLVED_PROXY = IssueKind(
    "CG514",
    "unresolved-promoted-widget",
    "warning",
    "A subgraph instance shows a widget of an inner node that is not there. Its value has no "
    "effect.",
)
DYNAMIC_PROMPT = IssueKind(
    "CG515",
    "dynamic-prompt",
    "info",
    "The text holds `{a|b}`, from which the editor chooses at random each time it queues. It "
    "is kept as it stands unless another way is asked for.",
    "choose with `--dynamic-prompts first` or `--dynamic-prompts seed=N`",
)
TIME_IN_PREFIX = IssueKind(
    "CG516",
    "date-in-file-prefix",
    "info",
    "The file prefix holds `%date:...%`, which the editor replaces by the current time when "
    "it queues. It is kept, so that the same workflow always gives the same prompt; the "
    "server does not replace it.",
)
UNPROVEN_VIRTUAL = IssueKind(
    "CG517",
    "unproven-editor-node",
    "info",
    "The node belongs to an extension that changes the prompt inside the editor (Set and Get "
    "nodes, Use Everywhere, legacy group nodes). Its effect is modelled here, and not checked "
    "against the extension itself.",
)
UNMATCHED_GET = IssueKind(
    "CG518",
    "get-without-set",
    "error",
    "A Get node names a variable that no Set node of its graph or of an enclosing one sets.",
)
RUNTIME_VALUE = IssueKind(
    "CG519",
    "value-made-by-the-editor",
    "warning",
    "The value of this input is made by the editor's own widget at the moment of queueing "
    "(a rendered 3D view, a recording, a webcam picture). A file does not hold it.",
    "run this workflow from the editor, or replace the node by one that loads a file",
)
TEXT_TOO_DEEP = IssueKind(
    "CG520",
    "dynamic-prompt-too-deep",
    "warning",
    "The choices of a dynamic prompt are nested deeper than any person writes; the text is "
    "kept as it stands.",
)

FORM_OF_LINKS = IssueKind(
    "CG521",
    "links-of-another-version",
    "error",
    'The editor reads links as arrays when the file says `"version": 0.4`, and as objects '
    "otherwise. This file's links have the other form: the editor loses them, and does not "
    "queue. They are read here all the same.",
    "set `version` to 0.4 if links are arrays, or save the workflow from the editor",
)
RENAMED_CLASS = IssueKind(
    "CG522",
    "renamed-class",
    "info",
    "The class has another name by now; the new one goes into the prompt.",
)

ISSUE_KINDS = (
    UNKNOWN_CLASS,
    WIDGETS_DO_NOT_FIT,
    WIDGET_COUNT,
    WIDGETS_NOT_A_LIST,
    MISSING_LINK,
    MISSING_SUBGRAPH,
    RECURSIVE_SUBGRAPH,
    VIRTUAL_CYCLE,
    PASS_THROUGH,
    DUPLICATE_ID,
    BAD_ELEMENT,
    BYPASS_WITHOUT_MATCH,
    LOST_PRIMITIVE,
    UNRESOLVED_PROXY,
    DYNAMIC_PROMPT,
    TIME_IN_PREFIX,
    UNPROVEN_VIRTUAL,
    UNMATCHED_GET,
    RUNTIME_VALUE,
    TEXT_TOO_DEEP,
    FORM_OF_LINKS,
    RENAMED_CLASS,
)
"""Every kind, in the order of the codes."""

ISSUES_BY_CODE = MappingProxyType({kind.code: kind for kind in ISSUE_KINDS})
