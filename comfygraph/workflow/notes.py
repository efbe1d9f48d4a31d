"""
The notebook in which the passes write down what they find.
"""

from __future__ import annotations

from comfygraph.workflow.issues import ConversionIssue, IssueKind, Severity


class Notes:
    """
    Findings in the making, each kept once.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str | None], ConversionIssue] = {}

    def add(
        self,
        kind: IssueKind,
        message: str,
        pointer: str,
        node_id: str | None = None,
        title: str | None = None,
        *,
        severity: Severity | None = None,
    ) -> None:
        """
        Write a finding down, unless the same was found at the same place for the same node.
        """
        self._found.setdefault(
            (kind.code, pointer, node_id),
            ConversionIssue(
                code=kind.code,
                name=kind.name,
                severity=severity or kind.severity,
                message=message,
                pointer=pointer,
                node_id=node_id,
                title=title,
                help=kind.help,
            ),
        )

    def collected(self) -> tuple[ConversionIssue, ...]:
        """
        Give the findings in the order of the file.
        """
        return tuple(sorted(self._found.values(), key=_place))


def _place(issue: ConversionIssue) -> tuple[list[tuple[int, int, str]], str, str]:
    tokens = [
        # A list index is short; anything else that looks like a number is a name.
        (0, int(token), "") if token.isdecimal() and len(token) < 10 else (1, 0, token)
        for token in issue.pointer.split("/")[1:]
    ]
    return tokens, issue.code, issue.node_id or ""
