"""
Bringing local files to a service before the graph: what goes along, and what the graph then says.
"""

from __future__ import annotations

from dataclasses import dataclass

from comfygraph.catalog import NodeCatalog
from comfygraph.core.edit import set_input
from comfygraph.core.values import Prompt
from comfygraph.errors import InputError, UsageError
from comfygraph.jobs.courier import Courier
from comfygraph.jobs.effects import Talk, Tell
from comfygraph.jobs.local_files import (
    LocalInput,
    Sources,
    find_local_inputs,
    read_local_files,
)
from comfygraph.jobs.upload_cache import UploadCache
from comfygraph.targets.base import Target
from comfygraph.targets.events import Notice
from comfygraph.targets.local_file import LocalFile


@dataclass(frozen=True, slots=True)
class Uploads:
    """
    The files that go along with a graph.

    Args:
        files: Input and file; an equal file stands behind each input that names it.
        notices: What a person should know of names that are left as they are.
    """

    files: tuple[tuple[LocalInput, LocalFile], ...] = ()
    notices: tuple[Notice, ...] = ()


def collect_uploads(
    prompt: Prompt, target: Target, sources: Sources, catalog: NodeCatalog | None = None
) -> Uploads:
    """
    Read the local files that a graph names; nothing is sent.

    A plain name without such a file may be one that the service knows: it stays as it is. So does
    a path, where the service has files of its own (`Policy.own_inputs`).

    Args:
        prompt: The graph.
        target: Where it is to run.
        sources: Where files may be read.
        catalog: Knows which inputs list files.

    Raises:
        InputError: A file is missing, may not be read, cannot be read, or is too large.
        UsageError: The target takes no uploads.
    """
    notices: list[Notice] = []
    wanted: list[LocalInput] = []
    own = target.policy.own_inputs
    for item in find_local_inputs(prompt, sources, catalog):
        if item.path is not None:
            wanted.append(item)
        elif item.explicit and not own:
            raise InputError(
                f"{item.label} is `{item.value}`: {item.problem}",
                hint="check the path"
                if item.place in sources.trusted
                else f"give it yourself: --set {item.node_id}.{item.input}=FILE, "
                "or allow a folder: --upload-from DIR",
            )
        elif item.explicit or not own:
            text = f"`{item.input}` is `{item.value}`: {item.problem}; it is sent as it stands"
            notices.append(Notice(text, item.node_id))
    files: list[tuple[LocalInput, LocalFile]] = []
    for item, file in read_local_files(wanted):
        exchange = target.upload(file)
        if exchange is not None:
            exchange.close()
            files.append((item, file))
        elif not own:
            raise UsageError(
                f"{item.label} names the local file `{item.value}`, and {target.name} takes "
                f"no {'such files' if file.kind == 'file' else f'{file.kind} files'} from us",
                hint="give an address or an id that the service knows",
            )
    return Uploads(tuple(files), tuple(notices))


def send_uploads(
    prompt: Prompt,
    uploads: Uploads,
    target: Target,
    courier: Courier,
    cache: UploadCache,
    key: str,
) -> Talk[Prompt]:
    """
    Upload each distinct file that is not there yet; give the graph with the service's names.

    Args:
        prompt: The graph.
        uploads: What goes along.
        target: The service.
        courier: Carries the requests.
        cache: What was uploaded before.
        key: The service and the account, for the cache.

    Raises:
        TargetError: The service refused a file or was out of reach.
        CancelWanted: A cancel was asked for.
    """
    names: dict[str, str] = {}
    for item, file in uploads.files:
        if file.digest not in names:
            known = cache.get(key, file.digest, courier.now())
            if known is None:
                text = f"uploading {file_text(file)} for `{item.input}`"
                yield Tell((Notice(text, item.node_id),))
                exchange = target.upload(file)
                assert exchange is not None
                known = yield from courier.run(exchange)
                cache.put(key, file.digest, known, courier.now())
            names[file.digest] = known
        prompt = set_input(prompt, item.node_id, item.input, names[file.digest])
    return prompt


def file_text(file: LocalFile) -> str:
    """
    Name a file with its size: `photo.png (12 kB)`.
    """
    return f"{file.name} ({_size(len(file.data))})"


def _size(count: int) -> str:
    if count >= 1 << 20:
        return f"{count / (1 << 20):.1f} MB"
    return f"{count / 1024:.0f} kB" if count >= 1024 else f"{count} bytes"
