"""
Fetching the files of a job: one after the other, addresses renewed once, each file told once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from comfygraph.errors import DeadlinePassed, TargetError
from comfygraph.jobs.courier import Courier
from comfygraph.jobs.effects import NotSaved, Saved, Talk, Tell
from comfygraph.jobs.files import Folder, Sink
from comfygraph.targets.base import JobRef, Target
from comfygraph.targets.events import JobEnd, Notice, OutputFile, OutputReady
from comfygraph.targets.observations import FileSeen
from comfygraph.targets.tracker import file_keys

_EXPIRED = (401, 403, 404, 410)


class Results:
    """
    The files of one job on their way to a folder.

    Files are fetched as they turn up; what fails then is tried again at the end. Files of nodes
    that only show, such as `PreviewImage`, are fetched only where there is nothing else.

    Args:
        target: The service.
        courier: Carries the requests.
        folder: Where the files go; `None` for nowhere.
        have: Files that were saved before and are not fetched again: a key of `file_keys` → path.
    """

    def __init__(
        self,
        target: Target,
        courier: Courier,
        folder: Folder | None,
        have: Mapping[str, str] | None = None,
    ) -> None:
        self._target = target
        self._courier = courier
        self._folder = folder
        self._queue: deque[OutputFile] = deque()
        self._failed: list[OutputFile] = []
        self._previews: list[OutputFile] = []
        self._paths: dict[str, str] = {}
        self._have = have or {}
        self._numbers: dict[str, int] = {}
        self._unsettled: list[Sink] = []

    @property
    def waiting(self) -> bool:
        """
        Whether there is a file to fetch.
        """
        return bool(self._queue)

    def takes(self, file: OutputFile) -> bool:
        """
        Take a file in, to be fetched and told later; false where files are not fetched.
        """
        if self._folder is None:
            return False
        self._numbers.setdefault(file_keys(file)[0], len(self._numbers) + 1)
        if file.preview:
            self._previews.append(file)
        else:
            self._queue.append(file)
        return True

    def fetch_next(self, ref: JobRef) -> Talk[None]:
        """
        Fetch the next file; where that fails, leave it for the end.

        Raises:
            CancelWanted: A cancel was asked for; the file stays.
        """
        file = self._queue[0]
        problem = yield from self._fetch(ref, file, firm=False)
        self._queue.popleft()
        if problem:
            self._failed.append(file)

    def fetch_rest(self, ref: JobRef) -> Talk[None]:
        """
        Fetch what is left, and tell what cannot be had.
        """
        rest = [*self._failed, *self._queue]
        if not rest and not self._paths:
            rest, self._previews = self._previews, []
        for file in rest:
            problem = yield from self._fetch(ref, file, firm=True)
            if problem:
                notice = Notice(f"`{file.name}` could not be fetched: {problem}", file.node_id)
                yield Tell((notice, OutputReady(file)))
        for file in self._previews:
            yield Tell((OutputReady(file),))

    def settle(self) -> None:
        """
        Take in that the places of all files that were told are known.
        """
        while self._unsettled:
            self._unsettled.pop().settle()

    def with_paths(self, end: JobEnd) -> JobEnd:
        """
        Give the end of the job with the paths of its files.
        """
        return replace(end, files=tuple(self._with_path(file) for file in end.files))

    def _with_path(self, file: OutputFile) -> OutputFile:
        path = next((self._paths[key] for key in file_keys(file) if key in self._paths), None)
        return file if path is None else replace(file, path=path)

    def _fetch(self, ref: JobRef, file: OutputFile, *, firm: bool) -> Talk[str]:
        """
        Fetch a file and tell it; give what went wrong, or `""`.
        """
        assert self._folder is not None
        path = next((self._have[key] for key in file_keys(file) if key in self._have), None)
        if path is not None:
            self._paths.update(dict.fromkeys(file_keys(file), path))
            yield Tell((OutputReady(replace(file, path=path)),))
            return ""
        folder, name = self._folder.place_for(file, self._numbers[file_keys(file)[0]])
        current = file
        renewed = damaged = False
        token = f"{ref.base_url} {ref.job_id} {file_keys(file)[0]}"
        while True:
            sink = Sink(folder, name, token=token, strict=not damaged)
            try:
                request = self._target.download(ref, current)
                answer = yield from self._courier.save(request, sink, firm=firm)
            except (TargetError, DeadlinePassed) as exc:
                return exc.message
            finally:
                sink.abandon()
            if isinstance(answer, Saved):
                if answer.damage:
                    said = f"`{file.name}` was kept as it came: {answer.damage}"
                    yield Tell((Notice(said, file.node_id),))
                for key in (*file_keys(file), *file_keys(current)):
                    self._paths[key] = answer.path
                self._unsettled.append(sink)
                yield Tell((OutputReady(replace(current, path=answer.path)),))
                return ""
            if isinstance(answer, NotSaved):
                if answer.damaged and not damaged:
                    damaged = True  # once more; what comes then is kept, since nothing better will
                    continue
                return answer.reason
            if renewed or not (answer.ok or answer.status in _EXPIRED):
                return _refused(answer.status)
            # an address that has expired is refused, or leads to a page that says so
            renewed = True
            try:
                fresh = yield from self._renew(ref, current, firm=firm)
            except (TargetError, DeadlinePassed) as exc:
                return (
                    f"{_refused(answer.status)}, and its address cannot be renewed: {exc.message}"
                )
            if fresh is None:
                return _refused(answer.status)
            current = fresh

    def _renew(self, ref: JobRef, file: OutputFile, *, firm: bool) -> Talk[OutputFile | None]:
        exchange = self._target.refresh(ref, file)
        if exchange is not None:
            return (yield from self._courier.run(exchange, firm=firm))
        answer = yield from self._courier.run(self._target.poll(ref), firm=firm)
        keys = set(file_keys(file))
        for seen in answer.observations:
            if isinstance(seen, FileSeen) and not keys.isdisjoint(file_keys(seen.file)):
                return replace(file, url=seen.file.url)
        return None


def _refused(status: int) -> str:
    if 200 <= status < 300:
        return "there is a web page in its place"
    return f"the service refuses it (HTTP {status})"
