"""
Which service `comfygraph submit` talks to, by its options and the configuration.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING, TextIO

from comfygraph.errors import UsageError
from comfygraph.targets import URL_SETTINGS, get_target, target_names

if TYPE_CHECKING:
    from comfygraph.cli.submit_run import Request
    from comfygraph.targets.base import Submission, Target

EMULATOR = "emulator"
_ON_EMULATOR = (
    "no target configured: running on the embedded emulator, pictures are placeholders "
    "(see `comfygraph submit --help`)"
)


def target_name(request: Request) -> str:
    """
    Give the name of the target.

    Raises:
        UsageError: There is no such target.
    """
    name = request.target or ("comfyui" if request.url else EMULATOR)
    if name not in target_names():
        raise UsageError(
            f"there is no target `{name}`", hint=f"choose one of {', '.join(target_names())}"
        )
    return name


def is_embedded(request: Request) -> bool:
    """
    Whether the job runs on an emulator that ends with the command.
    """
    return target_name(request) == EMULATOR and not request.url


def is_comfyui(target: str) -> bool:
    """
    Whether a target is a ComfyUI server, or an emulator of one.
    """
    return URL_SETTINGS[target] == "COMFYUI_URL"


def announce_emulator(request: Request, stderr: TextIO) -> None:
    """
    Say that the embedded emulator is used, where nobody asked for it by name.
    """
    if is_embedded(request) and request.target is None:
        print(_wrapped(_ON_EMULATOR, stderr), file=stderr)


def open_service(request: Request, submission: Submission) -> Target:
    """
    Give the target; of several ComfyUI servers, the one with the shortest queue.

    Args:
        request: Says which.
        submission: What is to be handed in.

    Raises:
        UsageError: It is not configured.
        TargetError: None of several servers can be reached.
    """
    name, config = _configured(request)
    if request.dry_run or not is_comfyui(name):
        return get_target(name, config)
    from comfygraph.jobs.pool import open_target

    return open_target(name, config, submission)


def open_servers(request: Request) -> list[Target]:
    """
    Give all servers that the request names, the first one first; none is asked for anything.

    Raises:
        UsageError: It is not configured.
    """
    from comfygraph.jobs.pool import servers

    return servers(*_configured(request))


def _configured(request: Request) -> tuple[str, dict[str, str]]:
    """The name of the target and its settings."""
    name = target_name(request)
    config = dict(request.config)
    if name == EMULATOR:
        config.pop("COMFYUI_URL", None)
    if request.url:
        if is_comfyui(name):
            _part_from_credentials(config, request.url)
        elif request.url_of_file:
            _refuse_strange_place(name, config, request.url)
        config[URL_SETTINGS[name]] = request.url
    return name, config


def _part_from_credentials(config: dict[str, str], url: str) -> None:
    """
    Take away the credentials of the servers in `COMFYUI_URL` where `url` names another one: it may
    stand in a configuration that came with a repository.
    """
    from comfygraph.targets.comfyui import COMFY_ORG_KEY, CREDENTIALS, server_urls
    from comfygraph.targets.http import same_origin

    homes = server_urls(config)
    others = server_urls({"COMFYUI_URL": url})
    if all(any(same_origin(other, home) for home in homes) for other in others):
        return
    for name in (*CREDENTIALS, COMFY_ORG_KEY):
        if config.pop(name, None):
            said = f"{name} is not sent: it belongs to the servers in COMFYUI_URL"
            print(said, file=sys.stderr)


def _refuse_strange_place(name: str, config: dict[str, str], url: str) -> None:
    """
    Refuse an address from a file that the credentials of a service do not belong to.
    """
    from comfygraph.targets.http import same_origin

    setting = URL_SETTINGS[name]
    if same_origin(url, get_target(name, config).base_url):
        return
    raise UsageError(
        f"the configuration file sends `{name}` to {url}, and your credentials with it",
        hint=f"if you trust that address, give it yourself: --url, or {setting}",
    )


def _wrapped(text: str, stream: TextIO) -> str:
    if not stream.isatty():
        return text
    return textwrap.fill(text, max(shutil.get_terminal_size().columns, 20))
