"""
Graphs in Python scripts: `script.py:graph` is run, and gives what `graph` is.

Nothing is run but for that explicit form. What the script prints goes to the standard error,
so that it does not get between results.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import CoroutineType, ModuleType, TracebackType
from typing import Any, NamedTuple

from comfygraph.core.nearest import did_you_mean, shorten
from comfygraph.core.values import Prompt
from comfygraph.documents import Document
from comfygraph.errors import BuildError, ComfyGraphError, InputError, ScriptError

SPEC = re.compile(r"(.+\.py):([^\W\d]\w*(?:\.[^\W\d]\w*)*)", re.DOTALL)
FOREIGN = ("site-packages", "dist-packages")
LONGEST = 300


class ScriptSpec(NamedTuple):
    """
    The parts of `script.py:name`; the name may be dotted.
    """

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class ScriptGraph:
    """
    What a script gave.

    Args:
        path: The script, as it was named.
        prompt: The graph, parameters at their defaults.
        template: The graph before that, where it has parameters or could have.
        line: The line that gives the graph its name.
    """

    path: str
    prompt: Prompt
    template: Any
    line: int

    def document(self, prompt: Prompt | None = None) -> Document:
        """
        Give the graph as a document, whose places are in the script.

        Args:
            prompt: Another prompt that the script gave; default is the one at hand.
        """
        from comfygraph.dsl.builder import nearby

        prompt = self.prompt if prompt is None else prompt
        written = {"": (self.path, self.line)}
        for node_id, node in prompt.items():
            file, line = node.where or written[""]
            written[node_id] = (file if file == self.path else nearby(file) or file, line)
        return Document(self.path, None, None, "prompt", prompt.to_json(), written=written)


def script_spec(text: str) -> ScriptSpec | None:
    """
    Take `script.py:name` apart; `None` for anything else, such as a file that is called so.
    """
    match = SPEC.fullmatch(text) if ".py:" in text else None
    # Hooks name all files of a repository: none of them may run another by its name.
    return ScriptSpec(match[1], match[2]) if match and not os.path.lexists(text) else None


def nameless(path: str) -> InputError:
    """
    Give the error for a script that was named without the graph in it: nothing is run on a guess.
    """
    return InputError(
        f"{path}: a Python script, of which nobody said which graph is meant",
        hint=f"name it, as in {path}:graph",
    )


def run_script(spec: ScriptSpec) -> ScriptGraph:
    """
    Run a script and give the graph that it defines under a name.

    The graph is a `Prompt`, a `Template`, a node or an output, a list of them, a prompt as JSON,
    or a function that gives one of these and can be called without arguments.

    The script sees its own folder first on `sys.path`, a `__name__` that is not `__main__`, and
    no arguments; the working folder stays. It is run anew each time, and so are the modules in
    its folder that it imports.

    Raises:
        BuildError: The graph has mistakes.
        InputError: The script cannot be read.
        ScriptError: The script ends in an error, or holds no such graph.
    """
    path = Path(spec.path)
    try:
        source = path.read_bytes()
    except (OSError, ValueError) as exc:
        missing = isinstance(exc, FileNotFoundError)
        reason = "no such file" if missing else getattr(exc, "strerror", None) or str(exc)
        raise InputError(f"{spec.path}: {reason}") from exc
    with _at_home(path) as module, redirect_stdout(sys.stderr):
        with _told(spec, 1):
            # Else it would be compiled with the `__future__` imports of this file.
            code = compile(source, spec.path, "exec", dont_inherit=True)
            exec(code, module.__dict__)
            line = _line_of(spec, source)
        with _told(spec, line):
            prompt, template = _graph(spec, _named(spec, module, line), line)
    return ScriptGraph(spec.path, prompt, template, line)


def _graph(spec: ScriptSpec, value: Any, line: int, called: bool = False) -> tuple[Prompt, Any]:
    from comfygraph.dsl.expression import Node, Source
    from comfygraph.dsl.template import FunctionTemplate, Template, required_arguments

    if isinstance(value, Prompt):
        return value, None
    if isinstance(value, Template):
        return value(), value
    if isinstance(value, Source):
        template = Template(value)
        return template(), template
    if isinstance(value, Mapping):
        return Prompt.from_json(value), None
    if isinstance(value, list | tuple) or hasattr(value, "__next__"):
        template = Template(*value)
        return template(), template
    if callable(value) and not called and not (isinstance(value, type) and issubclass(value, Node)):
        wants = required_arguments(value)
        if wants:
            raise ScriptError(
                f"`{spec.name}` cannot be called without {', '.join(f'`{n}`' for n in wants)}",
                file=spec.path,
                line=line,
                hint="give the arguments defaults",
            )
        made, inner = _graph(spec, value(), line, called=True)
        function = FunctionTemplate(value, lambda made: _graph(spec, made, line, called=True)[0])
        return made, function if function.parameters else inner
    if isinstance(value, CoroutineType):
        value.close()  # Else Python complains that nobody waited for it.
    what = f"`{spec.name}()` gives" if called else f"`{spec.name}` is"
    raise ScriptError(
        f"{what} {_kind(value)}, no graph",
        file=spec.path,
        line=line,
        hint="a graph is a Prompt, a node, a list of nodes, a Template, or a function for one",
    )


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


def _named(spec: ScriptSpec, module: ModuleType, line: int) -> Any:
    value: Any = module
    for part in spec.name.split("."):
        try:
            value = getattr(value, part)
        except AttributeError:
            names = _graph_names(module)
            known = f"it has {', '.join(names)}" if names else "it defines no graph"
            raise ScriptError(
                f"there is no `{shorten(spec.name)}` in the script",
                file=spec.path,
                line=line,
                hint=did_you_mean(part, names) or known,
            ) from None
    return value


def _graph_names(module: ModuleType) -> list[str]:
    from comfygraph.dsl.expression import Source
    from comfygraph.dsl.template import Template

    kinds = (Prompt, Template, Source)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (
            isinstance(value, kinds)
            or (callable(value) and getattr(value, "__module__", "") == module.__name__)
        )
    ]


def _line_of(spec: ScriptSpec, source: bytes) -> int:
    """
    Find the last line at the top of a script that binds a name; 1 where none does.
    """
    import ast

    name = spec.name.partition(".")[0]
    found = 1
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound = {node.name}
        else:
            names = (item for item in ast.walk(node) if isinstance(item, ast.Name))
            bound = {item.id for item in names if isinstance(item.ctx, ast.Store)}
        if name in bound:
            found = node.lineno
    return found


@contextmanager
def _at_home(path: Path) -> Iterator[ModuleType]:
    """
    Give the module that a script is run in, with the interpreter as a script finds it.
    """
    import importlib

    folder = str(path.resolve().parent)
    name = path.stem if path.stem.isidentifier() else "script"
    if name in sys.modules:  # A script that is called like a module must not take its place.
        name = f"script_{name}"
    module = ModuleType(name)
    module.__file__ = str(path.resolve())
    argv, search, before = sys.argv, sys.path[:], sys.modules.copy()
    sys.argv = [str(path)]
    sys.path.insert(0, folder)
    sys.modules[name] = module
    importlib.invalidate_caches()
    try:
        yield module
    finally:
        sys.argv = argv
        sys.path[:] = search
        # Modules beside the script may be others by the next run, or for the next script.
        for other, loaded in list(sys.modules.items()):
            if before.get(other) is not loaded and (other == name or _is_beside(loaded, folder)):
                if other in before:
                    sys.modules[other] = before[other]
                else:
                    del sys.modules[other]


def _is_beside(module: Any, folder: str) -> bool:
    file = getattr(module, "__file__", None)
    root = getattr(module, "__name__", "").partition(".")[0]
    return isinstance(file, str) and root != "comfygraph" and _is_own(file, folder)


def _is_own(file: str, folder: str) -> bool:
    try:
        inside = Path(file).resolve().relative_to(folder)
    except (ValueError, OSError):
        return False
    return inside.suffix == ".py" and not any(part in FOREIGN for part in inside.parts)


@contextmanager
def _told(spec: ScriptSpec, line: int) -> Iterator[None]:
    """
    Make whatever a script raises an error of ours that names the line of the script.

    Args:
        spec: The script.
        line: The line to name where none of the script had a part in it.
    """
    try:
        yield
    except ScriptError:
        raise
    except SyntaxError as exc:
        file = exc.filename or spec.path
        text = f"{type(exc).__name__}: {exc.msg}"
        raise ScriptError(text, file=_shown(file, spec), line=exc.lineno or 1) from exc
    except SystemExit as exc:
        file, line = _place(spec, exc.__traceback__, line)
        raise ScriptError(
            "the script ended itself",
            file=file,
            line=line,
            hint='what shall only happen when it is run goes below `if __name__ == "__main__":`',
        ) from exc
    except ComfyGraphError as exc:
        if isinstance(exc, BuildError) and exc.problems:
            raise  # Each of its mistakes has a place.
        file, line = _place(spec, exc.__traceback__, line)
        raise ScriptError(exc.message, file=file, line=line, hint=exc.hint) from exc
    except KeyboardInterrupt:
        raise
    except BaseException as exc:  # A script may raise whatever there is.
        file, line = _place(spec, exc.__traceback__, line)
        text = " ".join(str(exc).split())
        text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
        raise ScriptError(
            f"{type(exc).__name__}: {text}" if text else type(exc).__name__,
            file=file,
            line=line,
            hint=_hint(exc),
        ) from exc


def _place(spec: ScriptSpec, traceback: TracebackType | None, line: int) -> tuple[str, int]:
    """
    Give the innermost place that is the script's own, or of a module beside it, or that line.
    """
    folder = str(Path(spec.path).resolve().parent)
    found = (spec.path, line)
    while traceback is not None:
        code = traceback.tb_frame.f_code
        own = code.co_filename == spec.path or (
            not _is_ours(code.co_filename) and _is_own(code.co_filename, folder)
        )
        if own:
            found = (_shown(code.co_filename, spec), traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


def _is_ours(file: str) -> bool:
    return Path(file).is_relative_to(Path(__file__).parent.parent)


def _shown(file: str, spec: ScriptSpec) -> str:
    from comfygraph.dsl.builder import nearby

    return spec.path if file == spec.path else nearby(file) or file


def _hint(exc: BaseException) -> str | None:
    if isinstance(exc, ModuleNotFoundError) and exc.name:
        return f"`{exc.name}` is neither beside the script nor installed where comfygraph is"
    if isinstance(exc, AttributeError) and exc.name:
        return did_you_mean(exc.name, dir(exc.obj))
    wanted = getattr(exc, "name_from", None)  # Python 3.12
    if isinstance(exc, ImportError) and exc.name and isinstance(wanted, str):
        return did_you_mean(wanted, dir(sys.modules.get(exc.name)))
    return None
