"""
The tree of exceptions.

A finding about a graph is a `Diagnostic`, never an exception: an exception says
that the work could not be done.

    ComfyGraphError
    ├── UsageError                wrong arguments or configuration        exit 2
    ├── InputError                a file that cannot be read or is not JSON   exit 3
    │   ├── PromptError           JSON that is not a prompt
    │   ├── CatalogError          JSON that is not a node catalog
    │   ├── WorkflowError         JSON that is not a workflow
    │   └── ScriptError           a Python script that gives no graph
    ├── BuildError                a graph in Python that cannot be built  exit 1
    ├── EditError                 an edit that does not fit the prompt    exit 2
    ├── LintError                 the prompt has errors, nothing was sent  exit 1
    ├── TargetError               a service refused or was out of reach   exit 4
    │   ├── AuthenticationError   wrong or missing credentials
    │   ├── RateLimited           429 until the patience was over
    │   ├── Rejected              the service refused the graph
    │   ├── NotFound              no such job, model or file
    │   ├── ServiceUnavailable    no connection, 5xx, a page instead of an answer
    │   ├── ProtocolError         an answer that does not fit the contract
    │   └── SubmissionUncertain   sent, and nobody knows whether it arrived
    ├── JobError                  the job ended badly                     exit 5
    └── DeadlinePassed            the deadline passed, the job may run    exit 6
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple


class ExitCode(IntEnum):
    """
    What the process says when it ends; stable.
    """

    OK = 0
    FINDINGS = 1
    USAGE = 2
    INTERNAL = 3
    TARGET = 4
    JOB_FAILED = 5
    DEADLINE = 6
    INTERRUPTED = 130


_JOINERS = "\u200c\u200d"
"""Of Persian and Indic words and of emoji: not printable by themselves, and harmless."""


def clean(text: str) -> str:
    """
    Keep control characters of strangers away from the terminal: one line, nothing that moves the
    cursor, changes colours or turns the direction of the text.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in _JOINERS else " " if char.isspace() else "·"
        for char in text
    )


class ComfyGraphError(Exception):
    """
    Base of everything that comfygraph raises on purpose.

    Args:
        message: One line, lower case start, no full stop. May quote strangers: what no terminal
            should get is taken out.
        hint: One next action for the reader, or `None`.
    """

    exit_code: ExitCode = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        message = clean(message)
        super().__init__(message)
        self.message = message
        self.hint = clean(hint) if hint is not None else None


class UsageError(ComfyGraphError):
    """Wrong arguments or configuration."""

    exit_code = ExitCode.USAGE


class InputError(ComfyGraphError):
    """A document that cannot be read, or does not hold what it should."""

    exit_code = ExitCode.INTERNAL


class PromptError(InputError):
    """
    JSON that is not a prompt; `pointer` says where it stops being one.
    """

    def __init__(self, message: str, *, pointer: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.pointer = pointer


class CatalogError(InputError):
    """JSON that is not a node catalog (`/object_info`)."""


class WorkflowError(InputError):
    """JSON that is not a workflow of the editor."""


class ScriptError(InputError):
    """
    A Python script that gives no graph.

    Args:
        message: What happened, in one line, without the place.
        file: The file in which it happened: the script, or a module beside it.
        line: The line in it, from 1.
        hint: One next action.
    """

    def __init__(self, message: str, *, file: str, line: int = 1, hint: str | None = None) -> None:
        super().__init__(f"{file}:{line}: {message}", hint=hint)
        self.reason = message
        self.file = file
        self.line = line


class BuildProblem(NamedTuple):
    """
    One mistake in a graph written in Python.

    A tuple and not a dataclass, as every command imports this module and few need that one.

    Args:
        message: What is wrong, in one line.
        file: The script, or `None` where the place is unknown.
        line: The line of the call that made the node, from 1.
        class_type: The node's class, or `None` where no node is concerned.
        input: The input's name, or `None`.
        help: What to do, or `None`.
    """

    message: str
    file: str | None = None
    line: int | None = None
    class_type: str | None = None
    input: str | None = None
    help: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file is not None else ""
        return clean(f"{place}{self.message}" + (f" ({self.help})" if self.help else ""))


class BuildError(ComfyGraphError):
    """
    A graph written in Python that cannot be built; `problems` holds all its mistakes.
    """

    exit_code = ExitCode.FINDINGS

    def __init__(
        self, message: str, *, problems: Sequence[BuildProblem] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n  ".join([self.message, *map(str, self.problems)])


class EditError(ComfyGraphError):
    """An edit that does not fit the prompt that it is applied to."""

    exit_code = ExitCode.USAGE


class LintError(ComfyGraphError):
    """Lint found errors, so nothing was sent."""

    exit_code = ExitCode.FINDINGS


class TargetError(ComfyGraphError):
    """
    A service refused or was out of reach.

    Args:
        message: What happened, in one line.
        hint: One next action.
        status: The HTTP status, where there was one.
        retry_after: Seconds that the service asks to wait, where it does.
    """

    exit_code = ExitCode.TARGET

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.retry_after = retry_after


class AuthenticationError(TargetError):
    """Wrong or missing credentials (HTTP 401, 403)."""


class RateLimited(TargetError):
    """HTTP 429 until our patience was over."""


class Rejected(TargetError):
    """The service refused the request: another try with the same graph is refused again."""


class NotFound(TargetError):
    """No such job, model or file (HTTP 404)."""


class ServiceUnavailable(TargetError):
    """No connection, a 5xx, or a page where an answer should be; worth another try."""


class ProtocolError(TargetError):
    """An answer that does not fit the contract of the service."""


class SubmissionUncertain(TargetError):
    """The request left, no answer came: the job may exist. Look it up; do not send it again."""


class JobError(ComfyGraphError):
    """The job ended badly; `node_id` says where, if the service told."""

    exit_code = ExitCode.JOB_FAILED

    def __init__(
        self, message: str, *, node_id: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.node_id = node_id


class DeadlinePassed(ComfyGraphError):
    """The deadline passed; the job may still run."""

    exit_code = ExitCode.DEADLINE
