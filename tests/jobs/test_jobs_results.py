"""
Fetching the files of a job, in a world without I/O.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jobs_world import BASE, LOST, FakeTarget, World, answer
from test_jobs_conversation import DONE, RUNNING, script

from comfygraph.jobs.files import Folder
from comfygraph.targets.events import JobSucceeded, Notice, OutputFile, OutputReady
from comfygraph.targets.http import HttpRequest, HttpResponse

FOLDER = Folder(Path("out"))
PICTURE = HttpResponse(200, {}, b"picture")


def done(*files: tuple[str, str], outcome: str = "succeeded") -> HttpResponse:
    """
    Give the last poll of a job that made files, `(name, url)`.
    """
    claims: list[Any] = [["file", name, url] for name, url in files]
    return answer({"claims": [*claims, ["end", outcome]]})


def told(world: World) -> list[Any]:
    """
    Give what was told about files and the end.
    """
    return [
        event for event in world.events if isinstance(event, OutputReady | JobSucceeded | Notice)
    ]


def test_files_are_told_with_their_paths() -> None:
    """
    Files are fetched, told with their paths, and stand with their paths in the end, which is last.
    """
    first = OutputFile("/a.png?sig=1", "a.png", id="a.png", path="out/1")
    second = OutputFile("/b.png", "b.png", id="b.png", path="out/2")
    world = World(script(poll=done(("a.png", "/a.png?sig=1"), ("b.png", "/b.png")), file=PICTURE))
    world.run(folder=FOLDER)

    assert [
        OutputReady(first), OutputReady(second), JobSucceeded("1", (first, second))
    ] == told(world)  # fmt: skip


def test_without_a_folder_files_are_only_told() -> None:
    """
    Nothing is fetched where nobody says where to put it.
    """
    file = OutputFile("/a.png", "a.png", id="a.png")
    world = World(script(poll=done(("a.png", "/a.png"))))
    world.run()

    assert [OutputReady(file), JobSucceeded("1", (file,))] == told(world)
    assert ["POST /jobs", "GET /jobs/1"] == world.paths()


def test_early_files_are_fetched_while_the_job_runs() -> None:
    """
    A file that is there before the end is fetched before the end.
    """
    early = answer({"claims": [["job", "started"], ["file", "a.png", "/a.png"]]})
    world = World(script(poll=[early, RUNNING, DONE], file=PICTURE))
    world.run(folder=FOLDER)

    assert [1.0] == world.times("GET /a.png")
    assert [1.0, 2.0, 4.0] == world.times("GET /jobs/1")


def test_early_failure_is_made_good_at_the_end() -> None:
    """
    A file that cannot be had yet is asked for again at the end, and told once.
    """
    early = answer({"claims": [["job", "started"], ["file", "a.png", "/a.png"]]})
    missing = answer({}, 400)
    world = World(script(poll=[early, DONE], file=[missing, PICTURE]))
    world.run(folder=FOLDER)

    assert [OutputReady(OutputFile("/a.png", "a.png", id="a.png", path="out/1"))] == told(world)[:1]


@pytest.mark.parametrize("renews", [True, False])
def test_expired_address_is_renewed_once(renews: bool) -> None:
    """
    A refused address is asked for anew, by the target's own way or by a poll, and tried once more.
    """
    expired = answer({}, 403)
    world = World(
        script(
            poll=[done(("a.png", "/a.png?sig=old")), done(("a.png", "/a.png?sig=new"))],
            refresh=answer({"url": "/a.png?sig=new"}),
            file=[expired, PICTURE],
        )
    )
    world.run(FakeTarget(renews=renews), folder=FOLDER)
    asked = "POST /refresh" if renews else "GET /jobs/1"

    assert ["GET /a.png?sig=old", asked, "GET /a.png?sig=new"] == world.paths()[-3:]
    assert "out/1" == world.events[-1].files[0].path  # type: ignore[union-attr]  # the end


def test_file_that_is_gone() -> None:
    """
    A file that stays out of reach is told without a path, with what was wrong; the job succeeded.
    """
    file = OutputFile("/a.png", "a.png", id="a.png")
    world = World(script(poll=done(("a.png", "/a.png")), file=answer({}, 404)))
    world.run(folder=FOLDER)

    assert [
        Notice("`a.png` could not be fetched: the service refuses it (HTTP 404)"),
        OutputReady(file),
        JobSucceeded("1", (file,)),
    ] == told(world)
    # fetched, renewed by a poll, fetched again; nothing more
    assert 2 == world.paths().count("GET /a.png")


def test_broken_downloads_are_tried_again() -> None:
    """
    A download that breaks off begins again; 5xx and 429 are waited out.
    """
    world = World(
        script(
            poll=done(("a.png", "/a.png")),
            file=[LOST, answer({}, 503), answer({}, 429, Retry_After="2"), PICTURE],
        )
    )
    world.run(folder=FOLDER)

    assert ["/a.png"] == world.saved
    assert 4 == world.paths().count("GET /a.png")


def test_failed_jobs_give_their_files_too() -> None:
    """
    What a job made before it failed is saved.
    """
    world = World(script(poll=done(("a.png", "/a.png"), outcome="failed"), file=PICTURE))
    world.run(folder=FOLDER)

    assert ["/a.png"] == world.saved
    assert "JobFailed" == world.names()[-1]


def test_previews_only_where_there_is_nothing_else() -> None:
    """
    Files of nodes that only show are left, unless they are all there is.
    """
    both = World(script(poll=done(("preview.png", "/p.png"), ("a.png", "/a.png")), file=PICTURE))
    both.run(folder=FOLDER)
    alone = World(script(poll=done(("preview.png", "/p.png")), file=PICTURE))
    alone.run(folder=FOLDER)

    assert (["/a.png"], ["/p.png"]) == (both.saved, alone.saved)
    assert [
        OutputReady(OutputFile("/a.png", "a.png", id="a.png", path="out/1")),
        OutputReady(OutputFile("/p.png", "preview.png", preview=True, id="preview.png")),
    ] == told(both)[:2]


def test_redirects_leave_credentials_behind() -> None:
    """
    A file is followed to another host, and our credentials are not.
    """

    def service(request: HttpRequest, seconds: float) -> HttpResponse:
        match request.url:
            case "http://service.test/a.png":
                return HttpResponse(302, {"location": "http://cdn.test/x"})
            case "http://cdn.test/x":
                return HttpResponse(302, {"location": "/y"})
            case "http://cdn.test/y":
                return PICTURE
            case _ if request.method == "POST":
                return answer({"id": "1"})
            case _:
                return done(("a.png", "/a.png"))

    world = World(service)
    world.run(folder=FOLDER)

    assert [
        ("http://service.test/a.png", {"Authorization": "Bearer s3cret"}),
        ("http://cdn.test/x", {}),
        ("http://cdn.test/y", {}),
    ] == [(request.url, request.wire_headers()) for request in world.requests[-3:]]


def test_secure_addresses_are_not_left_with_credentials() -> None:
    """
    From https to http, even on the same host, credentials stay behind.
    """
    base = "https://service.test"
    target = FakeTarget(base_url=base)

    def service(request: HttpRequest, seconds: float) -> HttpResponse:
        if request.url == f"{base}/a.png":
            return HttpResponse(301, {"location": "http://service.test/a.png"})
        if request.url == "http://service.test/a.png":
            return PICTURE
        if request.method == "POST":
            return answer({"id": "1"})
        return done(("a.png", "/a.png"))

    world = World(service)
    world.run(target, folder=FOLDER)

    assert {} == world.requests[-1].wire_headers()
    assert 1 == len(world.saved)


@pytest.mark.parametrize(
    "place", ["file:///etc/passwd", "", "http://service.test/a.png", "gopher://x/"]
)
def test_redirects_to_nowhere(place: str) -> None:
    """
    Redirects in a circle, or to anything but the web, end with a word about the file.
    """
    world = World(
        script(poll=done(("a.png", "/a.png")), file=HttpResponse(302, {"location": place}))
    )
    world.run(folder=FOLDER)

    assert [] == world.saved
    assert isinstance(told(world)[0], Notice)
    assert isinstance(world.events[-1], JobSucceeded)


def test_submit_is_never_redirected() -> None:
    """
    A submit does not follow redirects: the base URL is wrong, and the person is told.
    """
    from comfygraph.errors import ProtocolError

    world = World(script(submit=HttpResponse(301, {"location": "https://other.test/jobs"})))
    with pytest.raises(ProtocolError) as caught:
        world.run()

    assert "the service redirects POST to `https://other.test`" == caught.value.message
    assert all(request.url.startswith(BASE) for request in world.requests)
