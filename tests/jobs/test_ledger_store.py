"""
What a ledger keeps and gives back, whatever engine carries it.
"""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest
from ledger_engines import PROMPT, Open, intent, open_one  # noqa: F401  # a fixture

from comfygraph.errors import InputError
from comfygraph.jobs.ledger import (
    UNFINISHED,
    BatchRecord,
    Claim,
    ClaimLost,
    Held,
    LedgerError,
    NoSuchJob,
    Query,
    ResultRecord,
    State,
    variant_id,
)
from comfygraph.jobs.ledger import statements as sql
from comfygraph.jobs.ledger.base import Holder
from comfygraph.targets.base import Submission


def test_what_is_planned_is_read_back(open_one: Open) -> None:  # noqa: F811
    """
    A planned job has everything that is needed to send it, also for another process.
    """
    options = {"workflow": {"nodes": [1, 2]}, "notify_url": "https://hook.test/?token=abc"}
    given = Submission(PROMPT, "key-1", options, ("2",))
    open_one(clock=lambda: 5.0).plan(
        [intent("aa11", submission=given, label="x.json", out="/out", parameters={"seed": 5})]
    )
    other = open_one()
    record = other.get("aa11")
    again = other.submission("aa11")

    assert (State.PLANNED, "fake", "http://service.test", "key-1") == (
        record.state, record.target, record.base_url, record.key,
    )  # fmt: skip
    assert ("x.json", "/out", {"seed": 5}, None, 5.0) == (
        record.label, record.out, record.parameters, record.variant, record.created,
    )  # fmt: skip
    assert (PROMPT, "key-1", ("2",)) == (again.prompt, again.key, again.partial_targets)
    # an address that may open a door is not kept
    assert {"workflow": {"nodes": [1, 2]}} == again.options


def test_planning_twice_is_planning_once(open_one: Open) -> None:  # noqa: F811
    """
    A batch that is planned again after a crash keeps what is known of its jobs.
    """
    ledger = open_one()
    ledger.plan([intent("aa11")])
    with ledger.claim("aa11") as claim:
        claim.write(state=State.ACCEPTED, job_id="7")
    ledger.plan([intent("aa11", key="another"), intent("bb22")])

    assert [("aa11", "7", "key-aa11"), ("bb22", "", "key-bb22")] == sorted(
        (record.id, record.job_id, record.key) for record in ledger.jobs()
    )


def test_claims_exclude_each_other(open_one: Open) -> None:  # noqa: F811
    """
    A job has one holder, in this process and in others; it can be had once it is released.
    """
    first, second = open_one(), open_one()
    first.plan([intent("aa11")])
    claim = first.claim("aa11")

    with pytest.raises(Held, match=r"job aa11 is being carried out by process \d+"):
        second.claim("aa11")
    with pytest.raises(Held):
        first.claim("aa11")
    claim.release()
    with second.claim("aa11") as taken:
        assert taken.record().holder
    assert "" == first.get("aa11").holder


def test_one_of_many_gets_the_claim(open_one: Open) -> None:  # noqa: F811
    """
    Of many that claim a job at the same moment one gets it.
    """
    ledgers = [open_one() for _ in range(4)]
    ledgers[0].plan([intent("aa11")])
    start = threading.Barrier(8)
    got: list[Claim] = []

    def claim(number: int) -> None:
        start.wait()
        with suppress(Held):
            got.append(ledgers[number % 4].claim("aa11"))

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == len(got)


def test_a_claim_that_was_taken_over_writes_nothing(open_one: Open) -> None:  # noqa: F811
    """
    Whoever was taken for dead and is not finds out before it sends.
    """
    slow, quick = open_one(), open_one()
    slow.plan([intent("aa11")])
    old = slow.claim("aa11")
    holder = slow.holder(slow.get("aa11").holder)
    assert holder is not None
    new = quick.claim("aa11", instead_of=holder)

    with pytest.raises(ClaimLost):
        old.write(durable=True, state=State.INTENDED)
    old.release()
    new.write(state=State.ACCEPTED)
    assert State.ACCEPTED is quick.get("aa11").state


def test_a_holder_that_beats_is_not_taken_over(open_one: Open) -> None:  # noqa: F811
    """
    Between the look at a silent process and the claim it may come back to life.
    """
    alive, other = open_one(), open_one()
    alive.plan([intent("aa11")])
    alive.claim("aa11")
    seen = alive.holder(alive.get("aa11").holder)
    assert seen is not None
    with alive.engine.write(durable=False) as write:
        write.run(sql.BEAT, (seen.id,))

    with pytest.raises(Held):
        other.claim("aa11", instead_of=Holder(seen.id, seen.place, seen.beat))


def test_closing_releases_all_claims(open_one: Open) -> None:  # noqa: F811
    """
    A ledger that is closed holds nothing any more.
    """
    first, second = open_one(), open_one()
    first.plan([intent("aa11"), intent("bb22")])
    first.claim("aa11")
    first.claim("bb22")
    first.close()

    assert ["", ""] == [record.holder for record in second.jobs()]
    second.claim("aa11")


def test_ids_may_be_cut_short(open_one: Open) -> None:  # noqa: F811
    """
    The beginning of an id names a job where no other begins so; so do the service's id and the key.
    """
    ledger = open_one()
    ledger.plan([intent("aa11"), intent("aa22"), intent("b")])
    with ledger.claim("aa22") as claim:
        claim.write(job_id="W-9")

    assert ["aa11", "aa22", "b", "aa22", "b"] == [
        ledger.find(text).id for text in ("aa1", "aa22", "b", "W-9", "key-b")
    ]
    for text in ("aa", "c", "", "%", "W-"):
        with pytest.raises(NoSuchJob):
            ledger.find(text)


def test_jobs_are_selected(open_one: Open) -> None:  # noqa: F811
    """
    State, service, batch, time and text select; signs that a database reads otherwise are letters.
    """
    time = iter(range(100))
    ledger = open_one(clock=lambda: float(next(time)))
    ledger.plan([intent("aa", label="100%.json", target="tams")])
    ledger.plan([intent("bb", label="100x.json", batch="b1", variant=1)])
    ledger.plan([intent("cc", batch="b1", variant=0, parameters={"text": "A_b"})])
    with ledger.claim("bb") as claim:
        claim.write(state=State.FAILED, cost=1.5)

    def ids(**wanted: object) -> list[str]:
        return [record.id for record in ledger.jobs(Query(**wanted))]  # type: ignore[arg-type]

    assert ["aa", "bb", "cc"] == ids()
    assert ["cc", "bb"] == ids(newest_first=True, limit=2)
    assert ["aa", "cc"] == ids(states=UNFINISHED)
    assert ["aa"] == ids(target="tams")
    assert ["bb", "cc"] == ids(batch="b1")
    assert ["aa"] == ids(batch="")
    assert ["bb", "cc"] == ids(since=1.0)
    assert ["aa"] == ids(text="100%")
    assert ["cc"] == ids(text="a_B")
    assert {State.FAILED: 1, State.PLANNED: 1} == ledger.counts(Query(batch="b1"))
    assert 1.5 == ledger.cost()


def test_what_a_batch_may_cost(open_one: Open) -> None:  # noqa: F811
    """
    Costs are added up; jobs that may cost something yet are counted, and so are those in doubt.
    """
    ledger = open_one()
    ledger.plan(intent(f"a{number}", batch="b1") for number in range(6))
    ledger.plan([intent("ff", batch="b2")])
    for job, changes in (
        ("a0", {"state": State.SUCCEEDED, "cost": 2.0}),
        ("a1", {"state": State.FAILED, "cost": 3.0}),
        ("a2", {"state": State.RUNNING}),
        ("a3", {"state": State.UNCERTAIN}),
    ):
        with ledger.claim(job) as claim:
            claim.write(**changes)  # type: ignore[arg-type]
    ledger.claim("a4")

    assert (5.0, 3.0, 2, 1) == ledger.outlay("b1")
    assert (0.0, 0.0, 0, 0) == ledger.outlay("none")


def test_many_jobs_come_in_pages_and_in_order(open_one: Open) -> None:  # noqa: F811
    """
    Jobs of one batch come in the order of their variants, across pages, both ways.
    """
    ledger = open_one(clock=lambda: 1.0)
    numbers = range(1203)
    ledger.plan(intent(variant_id("b", number), batch="b", variant=number) for number in numbers)

    assert list(numbers) == [record.variant for record in ledger.jobs()]
    assert list(reversed(numbers)) == [
        record.variant for record in ledger.jobs(Query(newest_first=True))
    ]


def test_events_are_kept_once(open_one: Open) -> None:  # noqa: F811
    """
    An event that is written again under its number changes nothing.
    """
    ledger = open_one()
    ledger.plan([intent("aa11")])
    with ledger.claim("aa11") as claim:
        claim.write(events=[(0, 1.0, {"type": "A"}), (1, 2.0, {"type": "B"})])
        claim.write(events=[(1, 9.0, {"type": "X"}), (2, 3.0, {"type": "C"})])

    assert [(1.0, {"type": "A"}), (2.0, {"type": "B"}), (3.0, {"type": "C"})] == ledger.events(
        "aa11"
    )


def test_a_saved_file_stays_saved(open_one: Open) -> None:  # noqa: F811
    """
    Following a job again without saving its files does not forget where they are.
    """
    ledger = open_one()
    ledger.plan([intent("aa11")])
    saved = ResultRecord("id 1", "a.png", "2", path="/out/a.png", size=7, sha256="ab")
    with ledger.claim("aa11") as claim:
        claim.write(results=[saved])
        claim.write(results=[ResultRecord("id 1", "a.png", "2")])

    assert [saved] == ledger.results("aa11")


def test_what_was_learned_leans_to_the_latest(open_one: Open) -> None:  # noqa: F811
    """
    Paces are seconds for each unit of work; later jobs weigh more than earlier ones.
    """
    ledger = open_one()
    ledger.learn("fake", "", {"KSampler": (10.0, 20.0)})
    first = ledger.paces("fake")
    ledger.learn("fake", "", {"KSampler": (40.0, 20.0)})

    assert {"KSampler": 0.5} == first
    assert 1.25 < ledger.paces("fake")["KSampler"] < 2.0
    assert {} == ledger.paces("other")


def test_pruning_keeps_what_has_not_ended(open_one: Open) -> None:  # noqa: F811
    """
    Old jobs that have ended go, with all that belongs to them; others stay however old they are.
    """
    ledger = open_one(clock=lambda: 10.0)
    ledger.add_batch(BatchRecord("b1", "night", {"n": 1}))
    ledger.plan([intent("aa", batch="b1"), intent("bb"), intent("cc")])
    for job, state in (("aa", State.SUCCEEDED), ("bb", State.UNCERTAIN), ("cc", State.FAILED)):
        with ledger.claim(job) as claim:
            claim.write(state=state, events=[(0, 1.0, {"type": "A"})])

    assert 0 == ledger.prune(Query(before=10.0))
    assert 1 == ledger.prune(Query(before=11.0, states=frozenset({State.SUCCEEDED})))
    assert [] == ledger.batches()
    assert 1 == ledger.prune(Query(before=11.0))
    assert ["bb"] == [record.id for record in ledger.jobs()]
    assert [] == ledger.events("cc")
    assert PROMPT == ledger.submission("bb").prompt


def test_batches_are_kept(open_one: Open) -> None:  # noqa: F811
    """
    A batch is what its maker wrote first.
    """
    ledger = open_one(clock=lambda: 3.0)
    ledger.add_batch(BatchRecord("b1", "night", {"n": [1, None]}))
    ledger.add_batch(BatchRecord("b1", "other"))

    assert [BatchRecord("b1", "night", {"n": [1, None]}, 3.0)] == ledger.batches()


def test_witnesses_are_older_by_number_not_by_clock(open_one: Open) -> None:  # noqa: F811
    """
    A witness was accepted before the other was about to be sent, whatever the clocks said.
    """
    times = iter([50.0, 40.0, 30.0, 20.0, 10.0, 5.0, 4.0, 3.0])
    ledger = open_one(clock=lambda: next(times))
    ledger.plan([intent("aa"), intent("bb"), intent("cc"), intent("dd", base_url="http://other")])
    for job in ("dd", "aa"):
        with ledger.claim(job) as claim:
            claim.write(state=State.ACCEPTED)
    with ledger.claim("bb") as claim:
        claim.write(state=State.INTENDED)
    with ledger.claim("cc") as claim:
        claim.write(state=State.ACCEPTED)

    assert ["aa"] == [record.id for record in ledger.witnesses(ledger.get("bb"))]


def test_a_newer_ledger_is_left_alone(open_one: Open) -> None:  # noqa: F811
    """
    A ledger of a later version is not written to.
    """
    ledger = open_one()
    with ledger.engine.write(durable=True) as write:
        write.run(sql.WRITE_META, ("schema", "999"))

    with pytest.raises(LedgerError, match="newer comfygraph"):
        open_one()


def test_a_block_that_fails_writes_nothing(open_one: Open) -> None:  # noqa: F811
    """
    Statements of a block take effect together or not at all, whatever ended it.
    """
    ledger = open_one()
    ledger.plan([intent("aa11")])

    def change_and_fail() -> None:
        with ledger.engine.write(durable=True) as write:
            write.run("UPDATE jobs SET label = ?", ("changed",))
            raise InputError("enough")

    with pytest.raises(InputError):
        change_and_fail()
    assert "" == ledger.get("aa11").label
