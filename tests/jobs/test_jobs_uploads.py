"""
Local files that a graph names: found, read where that is allowed, uploaded once, put into the graph.
"""  # noqa: E501

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jobs_world import BASE, FakeTarget, World, answer

from comfygraph.core.values import Prompt
from comfygraph.errors import InputError, Rejected, ServiceUnavailable, UsageError
from comfygraph.jobs.conversation import Conversation
from comfygraph.jobs.effects import Stage
from comfygraph.jobs.local_files import (
    LocalInput,
    Sources,
    find_local_inputs,
    read_local_file,
)
from comfygraph.jobs.upload_cache import UploadCache
from comfygraph.jobs.uploads import Uploads, collect_uploads
from comfygraph.targets.base import (
    CheckAnswer,
    Exchange,
    LocalFile,
    NodeComplaint,
    Policy,
    Submission,
    Submitted,
)
from comfygraph.targets.events import Notice
from comfygraph.targets.failures import GraphRejected
from comfygraph.targets.http import HttpRequest, HttpResponse

DONE = {"claims": [["end", "succeeded"]]}


class TakingTarget(FakeTarget):
    """
    A service that takes pictures: `POST /files` gives a name for each.
    """

    def __init__(self, *, check: CheckAnswer | None = None, **others: Any) -> None:
        super().__init__(**others)
        self.submitted: list[Prompt] = []
        self._answer = check
        self.checks = 0

    def upload(self, file: LocalFile) -> Exchange[str] | None:
        return self._bring(file) if file.kind == "image" else None

    def _bring(self, file: LocalFile) -> Exchange[str]:
        response = yield HttpRequest("POST", f"{BASE}/files", {}, file.data)
        if response.status == 503:
            raise ServiceUnavailable("in trouble", status=503)
        if not response.ok:
            raise Rejected("not this file", status=response.status)
        return str(response.json()["name"])

    def submit(self, submission: Submission) -> Exchange[Submitted]:
        self.submitted.append(submission.prompt)
        return super().submit(submission)

    def check(self, submission: Submission) -> Exchange[CheckAnswer] | None:  # type: ignore[override]  # the other has none
        return None if self._answer is None else self._check(self._answer)

    def _check(self, said: CheckAnswer) -> Exchange[CheckAnswer]:
        self.checks += 1
        yield HttpRequest("POST", f"{BASE}/check")
        return said if self.checks == 1 else CheckAnswer(valid=True)


def loading(*values: str, class_type: str = "LoadImage", name: str = "image") -> Prompt:
    """
    Give a graph with a loader for each value.
    """
    return Prompt.from_json(
        {
            str(index): {"class_type": class_type, "inputs": {name: value}}
            for index, value in enumerate(values, 1)
        }
    )


def service(request: HttpRequest, seconds: float) -> HttpResponse:
    """
    Take files under the first letter of their content, and any graph.
    """
    if request.url.endswith("/files"):
        return answer({"name": f"id-{request.body[:1].decode()}"})
    return answer({"id": "1"} if request.url.endswith("/jobs") else DONE)


def has(
    world: World,
    target: FakeTarget,
    job: Submission,
    uploads: Uploads,
    cache: UploadCache | None = None,
) -> Conversation:
    """
    Have a conversation with files that go along.
    """
    settings = world.settings(uploads=cache or UploadCache())
    conversation = Conversation(target, job, settings=settings, uploads=uploads)
    for _ in world.steps(conversation):
        pass
    return conversation


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    Give the folder of a graph, with pictures in it; the working folder is next to it.
    """
    graphs = tmp_path / "graphs"
    for place in (graphs, graphs / "sub", graphs / ".hidden", tmp_path / "cwd", tmp_path / "home"):
        place.mkdir()
    for name in ("a.png", "sub/b.jpg", ".hidden/c.png", "../home/secret.png", "key.pem"):
        (graphs / name).write_bytes(name.encode())
    (graphs / "link.png").symlink_to(tmp_path / "home" / "secret.png")
    (tmp_path / "cwd" / "d.webp").write_bytes(b"d")
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return graphs


def found(value: str, sources: Sources, **others: str) -> LocalInput | None:
    """
    Give what is found out about one value.
    """
    items = find_local_inputs(loading(value, **others), sources)
    return items[0] if items else None


@pytest.mark.parametrize(
    ("value", "file"),
    [
        ("a.png", "graphs/a.png"),
        ("sub/b.jpg", "graphs/sub/b.jpg"),
        ("./sub/../a.png", "graphs/a.png"),
        ("d.webp", "cwd/d.webp"),
        ("../graphs/a.png", "graphs/a.png"),
        ("~/../graphs/a.png", "graphs/a.png"),
    ],
)
def test_files_below_the_folders_are_found(value: str, file: str, folder: Path) -> None:
    """
    Relative to the graph's folder, then to the working folder, and from home.
    """
    item = found(value, Sources((folder, Path())))

    assert item is not None
    assert (folder.parent / file, "") == (item.path, item.problem)


@pytest.mark.parametrize(
    "value",
    ["~/secret.png", "../home/secret.png", "link.png", ".hidden/c.png", "./key.pem",
     "{root}/key.pem", "{root}/../home/secret.png", "sub/../../home/secret.png"],
)  # fmt: skip
def test_files_elsewhere_are_not_read(value: str, folder: Path) -> None:
    """
    A graph cannot have files read that are outside of its folder, hidden, or no media, whichever
    way it names them; that they are there is reason enough to refuse.
    """
    item = found(value.format(root=folder), Sources((folder, Path())))

    assert item is not None
    assert (None, True) == (item.path, item.explicit)


@pytest.mark.parametrize("value", ["~/secret.png", "../graphs/key.pem", "{root}/.hidden/c.png"])
def test_a_value_that_the_person_gave_may_be_any_file(value: str, folder: Path) -> None:
    """
    What was set for this job is read wherever it is.
    """
    trusted = frozenset({("1", "image")})
    item = found(value.format(root=folder), Sources((), trusted))

    assert item is not None
    assert item.path is not None
    assert item.path.is_file()


def test_a_graph_that_came_on_its_own_names_no_files(folder: Path) -> None:
    """
    Without folders nothing is followed, and nothing is refused that may be the service's own.
    """
    item = found("a.png", Sources())

    assert item is not None
    assert (None, False) == (item.path, item.explicit)


@pytest.mark.parametrize(
    "value",
    ["https://example.org/a.png", "urn:air:sd1:image:civitai:1@2", "a.png [output]", "",
     "9f0c1d2e-3b4a-4c5d-8e6f-7a8b9c0d1e2f", "data:image/png;base64,AAAA"],
)  # fmt: skip
def test_ids_and_addresses_are_no_files(value: str, folder: Path) -> None:
    """
    What a service reads itself is left alone.
    """
    assert None is found(value, Sources((folder,)))


@pytest.mark.parametrize(
    ("class_type", "name", "expected"),
    [
        ("LoadImageMask", "image", True),
        ("LoadAudio", "audio", True),
        ("LoadVideo", "file", True),
        ("LoadImageOutput", "image", False),
        ("SaveImage", "filename_prefix", False),
        ("CLIPTextEncode", "text", False),
        ("UnknownLoader", "image", True),
        ("UnknownLoader", "path", False),
    ],
)
def test_which_inputs_name_files(class_type: str, name: str, expected: bool, folder: Path) -> None:
    """
    The catalog says which inputs list input files; of unknown classes a few names count.
    """
    item = found("a.png", Sources((folder,)), class_type=class_type, name=name)

    assert expected == (item is not None)


@given(value=st.text(max_size=80), trusted=st.booleans())
def test_any_text_is_looked_at_without_harm(value: str, trusted: bool) -> None:
    """
    No value of a graph brings the search down, and nothing outside of the folder is found.
    """
    marks = frozenset({("1", "image")} if trusted else set())
    items = find_local_inputs(loading(value), Sources((Path("/nowhere"),), marks))

    assert not any(item.path for item in items if not trusted)


def test_no_special_file_is_opened(folder: Path) -> None:
    """
    A pipe or a device is no file, though the person names it.
    """
    os.mkfifo(folder / "pipe.png")
    items = [
        found(str(path), Sources((folder,), frozenset({("1", "image")})))
        for path in (folder / "pipe.png", "/dev/zero", folder)
    ]

    assert [None, None, None] == [item and item.path for item in items]


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    """
    Too large and empty files are told with the input that names them.
    """
    (folder / "empty.png").touch()
    messages = []
    os.mkfifo(folder / "pipe.png")
    for name, limit in (("a.png", 2), ("empty.png", 2), ("gone.png", 2), ("pipe.png", 2)):
        with pytest.raises(InputError) as caught:
            read_local_file(Path(name) if name == "gone.png" else folder / name, "`image`", limit)
        messages.append(caught.value.message)

    assert [
        f"`image`: `{folder}/a.png` is too large to upload",
        f"`image`: `{folder}/empty.png` is empty",
        "`image`: cannot read `gone.png`: No such file or directory",
        f"`image`: `{folder}/pipe.png` is no file",
    ] == messages


def test_a_missing_path_stops_the_submit(folder: Path) -> None:
    """
    A path without a file is an error with node and input, before anything is sent.
    """
    with pytest.raises(InputError) as caught:
        collect_uploads(loading("./gone.png"), TakingTarget(), Sources((folder,)))

    assert "`image` of LoadImage (1) is `./gone.png`: there is no such file" == str(caught.value)
    assert "--set 1.image=FILE" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("value", "own", "expected"),
    [("gone.png", False, 1), ("gone.png", True, 0), ("/srv/gone.png", True, 1)],
)
def test_a_name_that_may_be_the_services_own_stays(
    value: str, own: bool, expected: int, folder: Path
) -> None:
    """
    A plain name may be known to the service: it is sent as it is, with a notice where that is
    unlikely.
    """
    target = TakingTarget(policy=Policy(own_inputs=own))
    uploads = collect_uploads(loading(value), target, Sources((folder,)))

    assert ((), expected) == (uploads.files, len(uploads.notices))


def test_a_target_without_uploads_says_so(folder: Path) -> None:
    """
    A local file for a service that takes none is an error; where the service has files of its
    own, the name is one of these.
    """
    with pytest.raises(UsageError) as caught:
        collect_uploads(loading("a.png"), FakeTarget(), Sources((folder,)))
    own = FakeTarget(policy=Policy(own_inputs=True))

    assert "`image` of LoadImage (1) names the local file `a.png`" in caught.value.message
    assert Uploads() == collect_uploads(loading("a.png"), own, Sources((folder,)))


def test_each_file_is_uploaded_once(folder: Path) -> None:
    """
    Two inputs with the same content share an upload, another job uses it again, and the graph
    that is handed in holds the service's names.
    """
    (folder / "copy.png").write_bytes((folder / "a.png").read_bytes())
    world, target = World(service), TakingTarget()
    prompt = loading("a.png", "copy.png", "d.webp", "9f0c1d2e-3b4a-4c5d-8e6f-7a8b9c0d1e2f")
    uploads = collect_uploads(prompt, target, Sources((folder, Path())))
    cache = UploadCache()
    has(world, target, Submission(prompt, "k1"), uploads, cache)
    has(world, target, Submission(prompt, "k2"), uploads, cache)
    values = [[node.inputs["image"] for node in sent.nodes()] for sent in target.submitted]

    assert 2 == world.paths().count("POST /files")
    assert 2 * [["id-a", "id-a", "id-d", "9f0c1d2e-3b4a-4c5d-8e6f-7a8b9c0d1e2f"]] == values
    assert Notice("uploading a.png (5 bytes) for `image`", "1") == world.events[0]


def test_a_refused_file_ends_the_submit(folder: Path) -> None:
    """
    Nothing is handed in when a file is refused, and nothing is in doubt.
    """
    world, target = World(lambda request, now: answer({}, 400)), TakingTarget()
    uploads = collect_uploads(loading("a.png"), target, Sources((folder,)))
    with pytest.raises(Rejected):
        has(world, target, Submission(loading("a.png"), "k"), uploads)

    assert ([], ["POST /files"]) == (world.marks, world.paths())


def test_a_cancel_during_an_upload_buys_nothing(folder: Path) -> None:
    """
    Whoever cancels before the graph is sent gets a cancelled job that never was.
    """
    world = World(lambda request, now: (5.0, service(request, now)), cancel_at=[1.0])
    target = TakingTarget()
    uploads = collect_uploads(loading("a.png"), target, Sources((folder,)))
    has(world, target, Submission(loading("a.png"), "k"), uploads)

    assert (["POST /files"], [Stage.REFUSED]) == (world.paths(), world.marks)
    assert ["Notice", "JobCancelled"] == world.names()


def test_the_check_comes_first_and_is_told(folder: Path) -> None:
    """
    Where the policy says so the graph is checked before it is handed in, and the price is told.
    """
    check = CheckAnswer(True, 2.4, "credits")
    world, target = World(service), TakingTarget(policy=Policy(check_first=True), check=check)
    has(world, target, Submission(loading("x"), "k"), Uploads())

    assert ["POST /check", "POST /jobs", "GET /jobs/1"] == world.paths()
    assert Notice("the job costs 2.4 credits") == world.events[0]


def test_a_graph_that_the_check_refuses_is_not_handed_in(folder: Path) -> None:
    """
    The complaints are in the exception, and files that were uploaded before are sent again the
    next time.
    """
    found = (NodeComplaint("1", "no", "image"),)
    check = CheckAnswer(False, complaints=found)
    policy = Policy(check_first=True)
    world, target = World(service), TakingTarget(policy=policy, check=check)
    uploads = collect_uploads(loading("a.png"), target, Sources((folder,)))
    cache = UploadCache()
    with pytest.raises(GraphRejected) as caught:
        has(world, target, Submission(loading("a.png"), "k"), uploads, cache)
    has(world, target, Submission(loading("a.png"), "k"), uploads, cache)

    assert found == caught.value.complaints
    assert ["POST /files", "POST /check", "POST /files", "POST /check", "POST /jobs"] == [
        path for path in world.paths() if path.startswith("POST")
    ]


def test_a_check_that_may_change_its_mind_is_asked_once_more(folder: Path) -> None:
    """
    What was uploaded a moment ago may not be known yet: the check says when to ask again.
    """
    found = (NodeComplaint("1", "image not found", "image"),)
    check = CheckAnswer(False, complaints=found, retry_in=10.0)
    policy = Policy(check_first=True)
    world, target = World(service), TakingTarget(policy=policy, check=check)
    uploads = collect_uploads(loading("a.png"), target, Sources((folder,)))
    has(world, target, Submission(loading("a.png"), "k"), uploads)

    assert [0.0, 10.0] == world.times("POST /check")
    assert [10.0] == world.times("POST /jobs")


def test_a_service_without_a_check_is_used_all_the_same() -> None:
    """
    Where the route of the check is missing, a notice says so and the graph goes out.
    """

    def missing(request: HttpRequest, now: float) -> HttpResponse:
        return answer({}, 404) if request.url.endswith("/check") else service(request, now)

    class NoCheck(TakingTarget):
        def _check(self, said: CheckAnswer) -> Exchange[CheckAnswer]:
            response = yield HttpRequest("POST", f"{BASE}/check")
            raise Rejected(json.dumps(response.json()), status=response.status)

    world = World(missing)
    target = NoCheck(policy=Policy(check_first=True), check=CheckAnswer(True))
    has(world, target, Submission(loading("x"), "k"), Uploads())

    assert Notice("the graph could not be checked beforehand: {}") == world.events[0]
    assert "JobSucceeded" == world.names()[-1]


def test_a_graph_that_is_refused_has_its_files_sent_again(folder: Path) -> None:
    """
    A server that has lost a file refuses the graph; the next submit brings the file again.
    """
    answers = iter([answer({}, 400), answer({"id": "1"})])

    def forgetful(request: HttpRequest, now: float) -> HttpResponse:
        return next(answers) if request.url.endswith("/jobs") else service(request, now)

    class Refusing(TakingTarget):
        def submit(self, submission: Submission) -> Exchange[Submitted]:
            response = yield HttpRequest("POST", f"{BASE}/jobs")
            if not response.ok:
                raise Rejected("no", status=response.status)
            return Submitted(self.reference(submission).with_job_id("1"))

    world, target, cache = World(forgetful), Refusing(), UploadCache()
    uploads = collect_uploads(loading("a.png"), target, Sources((folder,)))
    with pytest.raises(Rejected):
        has(world, target, Submission(loading("a.png"), "k"), uploads, cache)
    has(world, target, Submission(loading("a.png"), "k"), uploads, cache)

    assert ["POST /files", "POST /jobs", "POST /files", "POST /jobs", "GET /jobs/1"] == (
        world.paths()
    )
