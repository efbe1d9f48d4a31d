"""
From the arguments of a person to a conversation: target, key, folder, and an emulator where asked.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from comfygraph.catalog import NodeCatalog
from comfygraph.core.graph import GraphView
from comfygraph.core.values import JsonValue, Prompt
from comfygraph.errors import UsageError
from comfygraph.jobs.conversation import Conversation
from comfygraph.jobs.files import Folder
from comfygraph.jobs.local_files import Sources, find_local_inputs, working_folder
from comfygraph.jobs.recorder import Recorder
from comfygraph.jobs.recovery import Doubt, submission_of
from comfygraph.jobs.settings import Settings
from comfygraph.jobs.upload_cache import UploadCache
from comfygraph.jobs.uploads import Uploads, collect_uploads
from comfygraph.targets import get_target
from comfygraph.targets.base import JobRef, Policy, Submission, Target

EMULATOR = "emulator"
_LIVE_PICTURES = ("comfyui", EMULATOR)


@dataclass(frozen=True, slots=True)
class Plan:
    """
    Everything about a job before anything happens.

    Args:
        target: A service, or the name of one; `"emulator"` starts one for the job.
        job: The graph to hand in, one that may have been handed in before, or the reference of a
            job that is there already.
        config: Settings of the target, where it is given by name; `None` for the environment.
        folder: Where the files go; `None` fetches none.
        deadline: Seconds until patience is over; `None` for the policy's.
        previews: Whether pictures of nodes at work are asked for.
        policy: How to treat the service, where not as the target says.
        settings: Clock, chance, limits, patience.
        catalog: The classes that an embedded emulator has; default is the bundled core.
        sources: Where local files that the graph names may be read.
        recorder: Is told all that happens before anybody else is; a ledger writes it down.
        live: Whether a live stream is listened to, where there is one; else polls tell all.
        graph: The graph that is saved beside the files, or `None`.
        have: Files that were saved before: a key of `targets.tracker.file_keys` → path.
        weights: What each node costs, in any unit, for progress; default is a rough guess.
    """

    target: Target | str
    job: Submission | Doubt | JobRef
    config: Mapping[str, str] | None = field(default=None, repr=False)
    folder: Folder | None = None
    deadline: float | None = None
    previews: bool = False
    policy: Policy | None = None
    settings: Settings = field(default_factory=Settings)
    catalog: NodeCatalog | None = field(default=None, repr=False)
    sources: Sources = field(default_factory=working_folder)
    recorder: Recorder | None = field(default=None, repr=False)
    live: bool = True
    graph: Prompt | None = field(default=None, repr=False)
    have: Mapping[str, str] | None = field(default=None, repr=False)
    weights: Mapping[str, float] | None = field(default=None, repr=False)

    @property
    def at_once(self) -> bool:
        """
        Whether `open` starts no server, asks none and reads no file: it takes no time then.
        """
        if isinstance(self.target, str):
            return False
        if isinstance(self.job, JobRef):
            return True
        prompt = submission_of(self.job).prompt
        return not find_local_inputs(prompt, self.sources, self.catalog)

    def open(self) -> tuple[Conversation, Callable[[], None] | None]:
        """
        Make the target ready; give the conversation, and what is to be called when it is over, if
        anything.

        Raises:
            UsageError: The target is not configured or takes no uploads, or no emulator can be
                started.
            InputError: A local file that the graph names is missing or cannot be read.
        """
        with ExitStack() as stack:
            target = self._open_target(stack)
            conversation = Conversation(
                target,
                self._job_for(target),
                settings=self._settings(),
                policy=self.policy,
                folder=self.folder,
                deadline=self.deadline,
                previews=self.previews,
                order=_run_order(self.job),
                uploads=self.uploads(target),
                live=self.live,
                have=self.have,
            )
            return conversation, stack.pop_all().close if self.target == EMULATOR else None

    def uploads(self, target: Target) -> Uploads:
        """
        Read the local files that are to be uploaded.

        Raises:
            UsageError: The target takes no uploads.
            InputError: A file is missing, may not be read, or cannot be read.
        """
        if isinstance(self.job, JobRef):
            return Uploads()
        return collect_uploads(submission_of(self.job).prompt, target, self.sources, self.catalog)

    def _settings(self) -> Settings:
        if self.target != EMULATOR:
            return self.settings
        # the next emulator may get the same port, and knows nothing of the files of this one
        return replace(self.settings, uploads=UploadCache())

    def _open_target(self, stack: ExitStack) -> Target:
        if not isinstance(self.target, str):
            return self.target
        config = os.environ if self.config is None else self.config
        if self.target != EMULATOR:
            from comfygraph.jobs.pool import open_target

            return open_target(self.target, config, self.job, self.settings)
        if not isinstance(self.job, Submission):
            raise UsageError("the job of an embedded emulator ends with it")
        from comfygraph.emulator.server import Emulator

        emulator = stack.enter_context(Emulator(catalog=self.catalog))
        return get_target(EMULATOR, {"COMFYUI_URL": emulator.url("comfyui")})

    def _job_for(self, target: Target) -> Submission | Doubt | JobRef:
        if self.previews and isinstance(self.job, Submission) and target.name in _LIVE_PICTURES:
            return replace(self.job, options={"previews": True, **self.job.options})
        return self.job


def _run_order(job: Submission | Doubt | JobRef) -> tuple[str, ...]:
    return () if isinstance(job, JobRef) else GraphView(submission_of(job).prompt).order()


def make_submission(
    prompt: Prompt | Mapping[str, JsonValue],
    *,
    key: str | None = None,
    options: Mapping[str, JsonValue] | None = None,
    partial_targets: tuple[str, ...] = (),
) -> Submission:
    """
    Make a submission of a graph, with a fresh key where none is given.

    Raises:
        PromptError: The JSON holds no prompt.
    """
    if not isinstance(prompt, Prompt):
        from comfygraph.documents import recognise

        prompt = recognise(dict(prompt), path="the graph").to_prompt()
    return Submission(prompt, key or str(uuid.uuid4()), options or {}, partial_targets)
