"""
`--format sarif`: SARIF 2.1.0 (OASIS), as GitHub's code scanning and other dashboards read it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from comfygraph.lint.builtin import internal_error
from comfygraph.lint.diagnostic import Diagnostic, Report, Severity
from comfygraph.lint.registry import rules_by_name
from comfygraph.lint.render.fingerprints import fingerprints_of
from comfygraph.lint.render.json_format import dump_json
from comfygraph.lint.render.places import Place, place_of, places_of
from comfygraph.lint.render.text import label_of
from comfygraph.lint.rule import Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(reports: Sequence[Report]) -> str:
    """
    Give reports as a SARIF log with one run.
    """
    return dump_json(sarif_of(reports))


def sarif_of(reports: Sequence[Report]) -> dict[str, Any]:
    """
    Give the SARIF log of reports.
    """
    from comfygraph import __version__

    ids = sorted({found.rule_id for report in reports for found in report})
    index = {rule_id: place for place, rule_id in enumerate(ids)}
    rules = [_descriptor(rule_id) for rule_id in ids]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "comfygraph",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "rules": rules,
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": internal_error.id not in index}],
                "results": [item for report in reports for item in _results(report, index)],
            }
        ],
    }


def _descriptor(rule_id: str) -> dict[str, Any]:
    rule = rules_by_name().get(rule_id)
    if rule is None:  # what a service has against a graph stands under the service's name
        return {"id": rule_id, "shortDescription": {"text": f"what {rule_id} finds"}}
    return _rule(rule)


def _rule(rule: Rule) -> dict[str, Any]:
    documentation = rule.documentation
    return {
        "id": rule.id,
        "name": _pascal(rule.name),
        "shortDescription": {"text": rule.name},
        "fullDescription": {"text": _first_paragraph(documentation)},
        "help": {"text": documentation, "markdown": documentation},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": ["comfyui", rule.family]},
    }


def _results(report: Report, index: dict[str, int]) -> list[dict[str, Any]]:
    if not report.diagnostics:
        return []
    places = places_of(report, related=True)
    uri = uri_of(report.file)
    return [
        {
            "ruleId": found.rule_id,
            "ruleIndex": index[found.rule_id],
            "level": _LEVELS[found.severity],
            "message": {"text": _message(found)},
            "locations": [_location(uri, place_of(found, places, report), _logical(found))],
            **_related(found, uri, places),
            "partialFingerprints": {"comfygraphFinding/v1": fingerprint},
        }
        for found, fingerprint in zip(report, fingerprints_of(report), strict=True)
    ]


def _message(found: Diagnostic) -> str:
    label = label_of(found)
    text = f"{label}: {found.message}" if label else found.message
    return f"{text}\n{found.help}" if found.help else text


def _logical(found: Diagnostic) -> list[dict[str, Any]]:
    if found.node_id is None:
        return []
    name = found.node_id if found.input is None else f"{found.node_id}.{found.input}"
    kind = "object" if found.input is None else "property"
    return [{"fullyQualifiedName": name, "kind": kind}]


def _location(uri: str, place: Place, logical: list[dict[str, Any]]) -> dict[str, Any]:
    uri = uri_of(place.file) if place.file is not None else uri
    out: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endLine": place.line,
                "endColumn": place.end_column,
            },
        }
    }
    if logical:
        out["logicalLocations"] = logical
    return out


def _related(found: Diagnostic, uri: str, places: dict[str, Place]) -> dict[str, Any]:
    if not found.related:
        return {}
    return {
        "relatedLocations": [
            {
                "id": number,
                "message": {"text": item.message},
                **_location(uri, places[item.pointer], []),
            }
            for number, item in enumerate(found.related)
        ]
    }


def uri_of(file: str) -> str:
    """
    Give a file's URI: relative to the current folder where it lies within, as GitHub wants it.
    """
    if file.startswith("<"):
        return quote(os.fsencode(file.strip("<>")))
    if os.path.isabs(file):
        here = os.path.relpath(file)
        if here.startswith(".."):
            return "file://" + quote(os.fsencode(file.replace(os.sep, "/")))
        file = here
    return quote(os.fsencode(os.path.normpath(file).replace(os.sep, "/")))


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def _first_paragraph(documentation: str) -> str:
    """The text below the first heading."""
    body = documentation.partition("\n")[2] if documentation.startswith("#") else documentation
    return " ".join(body.strip().partition("\n\n")[0].split())
