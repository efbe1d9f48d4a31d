"""
TAMS beyond a plain job: templates, uploads, access keys, prices, webhooks, accounts; every body
against the schema of its endpoint.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from comfygraph.core.edit import set_input
from comfygraph.core.values import Prompt
from comfygraph.errors import ProtocolError, Rejected, ServiceUnavailable, UsageError
from comfygraph.targets import get_target
from comfygraph.targets.base import CancelAnswer, JobRef, LocalFile, NodeComplaint, Submission
from comfygraph.targets.http import HttpRequest, HttpResponse
from comfygraph.targets.observations import ProgressSeen
from comfygraph.targets.tams import TamsTarget
from comfygraph.targets.tams.access import AccessKeys
from comfygraph.targets.tams.job import read_job
from comfygraph.targets.tams.template import Template
from comfygraph.targets.tams.webhook import job_of_call

SCHEMA = json.loads((Path(__file__).parents[1] / "data/schemas/tams.json").read_text())
BASE = {"TAMS_API_KEY": "k-secret", "TAMS_BASE_URL": "https://tams.test"}
JOB = "683082404926062625"
HEADERS = {"Content-Type": "a/b", "X-B": "2"}
PICTURE = LocalFile.of("a.png", b"\x89PNG")
TEMPLATE = {
    "templateId": "676018193025756628",
    "name": "Tool",
    "fields": {
        "fieldAttrs": [
            {"nodeId": "25", "fieldName": "image", "fieldValue": ""},
            {"nodeId": "6", "fieldName": "text", "fieldValue": "a harbour"},
            {"nodeId": "6", "fieldName": "list", "fieldValue": ["a", 1]},
        ]
    },
}


def tams(**config: str) -> TamsTarget:
    """
    Give the target with these settings.
    """
    target = get_target("tams", {**BASE, **config})
    assert isinstance(target, TamsTarget)
    return target


def fits(request: HttpRequest) -> Any:
    """
    Hold a body against the schema of its endpoint, and give it.
    """
    body = json.loads(request.body)
    name = f"{request.method} {urlsplit(request.url).path}".replace(f"/{JOB}", "")
    assert name in SCHEMA["$defs"]
    Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{name.replace('/', '~1')}"}).validate(body)
    return body


def test_the_schema_is_one() -> None:
    """
    The schema itself is valid, and refuses a body in the spelling of ComfyUI.
    """
    Draft202012Validator.check_schema(SCHEMA)
    body = {"requestId": "1", "params": {"1": {"class_type": "A", "inputs": {}}}}
    validator = Draft202012Validator({**SCHEMA, "$ref": "#/$defs/POST ~1v1~1jobs~1workflow"})

    assert [["classType"], ["class_type"]] == [
        [word for word in ("classType", "class_type") if f"'{word}'" in error.message]
        for error in sorted(
            validator.iter_errors(body), key=lambda error: "class_t" in error.message
        )
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8)
    | st.floats(-(2**53), 2**53),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=4),
        st.dictionaries(st.text(min_size=1, max_size=8), VALUES, max_size=4),
        min_size=1, max_size=4,
    )
)  # fmt: skip
def test_bodies_fit_the_schema(nodes: dict[str, dict[str, Any]]) -> None:
    """
    Whatever the graph, submit and check send what the endpoint takes; no number loses digits.
    """
    prompt = Prompt.from_json(
        {node_id: {"class_type": "A", "inputs": inputs} for node_id, inputs in nodes.items()}
    )
    target = tams(TAMS_NOTIFY_URL="https://me.test/hook")
    submission = Submission(prompt, "0f0e0d0c-0b0a-4000-8000-000000000001")
    sent = fits(next(target.submit(submission)))
    checked = fits(next(target.check(submission)))

    assert ("https://me.test/hook", sent["params"]) == (sent["runningNotifyUrl"], checked["params"])
    assert {
        node_id: {name: value for name, value in inputs.items() if isinstance(value, int)
                  and abs(value) > 2**53} for node_id, inputs in nodes.items()
    } == {
        node_id: {name: int(value) for name, value in sent["params"][node_id]["inputs"].items()
                  if isinstance(inputs[name], int) and abs(inputs[name]) > 2**53}
        for node_id, inputs in nodes.items()
    }  # fmt: skip


def test_a_template_is_fetched_filled_checked_and_run(converse: Any, answer: Any) -> None:
    """
    The fields come as a prompt; what is filled in goes out with all other fields, lists too.
    """
    target = tams()
    template, [request] = converse(target.template("676018193025756628"), answer(TEMPLATE))
    prompt = set_input(template.to_prompt(), "25", "image", "9f0c1d2e")
    submission = Submission(prompt, "key", {"template_id": template.id})
    checked, [check] = converse(target.check(submission), answer({"valid": True, "credits": 1}))
    submitted, [submit] = converse(target.submit(submission), answer({"job": {"id": JOB}}))
    fields = {
        "templateId": "676018193025756628",
        "fields": {
            "fieldAttrs": [
                {"nodeId": "25", "fieldName": "image", "fieldValue": "9f0c1d2e"},
                {"nodeId": "6", "fieldName": "text", "fieldValue": "a harbour"},
                {"nodeId": "6", "fieldName": "list", "fieldValue": ["a", 1]},
            ]
        },
    }

    assert "https://tams.test/v1/workflows/676018193025756628" == request.url
    assert fields == fits(check)
    assert {"requestId": "key", **fields} == fits(submit)
    assert (True, 1.0, JOB) == (checked.valid, checked.cost, submitted.ref.job_id)


def test_a_template_in_snake_case_and_with_numbers(converse: Any, answer: Any) -> None:
    """
    Either spelling, ids as numbers, a value that is left out.
    """
    body = {
        "template_id": 676018193025756628,
        "fields": {"field_attrs": [{"node_id": 25, "field_name": "image"}]},
    }
    template, _ = converse(tams().template("1"), answer(body))

    assert Template("676018193025756628", "", (("25", "image", None),)) == template


@pytest.mark.parametrize(
    "body", [{}, {"fields": {}}, {"fields": {"fieldAttrs": [{"nodeId": "1"}]}}, {"fields": []}]
)
def test_a_template_that_cannot_be_filled(body: Any, converse: Any, answer: Any) -> None:
    """
    An answer without fields, or with a field of no node, is refused.
    """
    with pytest.raises(ProtocolError):
        converse(tams().template("1"), answer(body))


@pytest.mark.parametrize(
    "place",
    [
        {"resourceId": "r-1", "putUrl": "https://store.test/x?S=1", "headers": HEADERS},
        {"resource_id": "r-1", "put_url": "https://store.test/x?S=1", "headers": HEADERS},
    ],
)  # fmt: skip
def test_an_upload_puts_exactly_the_named_headers(place: Any, converse: Any, answer: Any) -> None:
    """
    The bytes go to the storage with its headers, none of ours and no credential.
    """
    resource, [ask, put] = converse(tams().upload_image(PICTURE), answer(place), HttpResponse(203))

    assert {"expireSec": 3600, "term": 1} == fits(ask)
    assert "r-1" == resource
    assert ("PUT", "https://store.test/x?S=1", PICTURE.data) == (put.method, put.url, put.body)
    assert {"Content-Type": "a/b", "X-B": "2"} == put.wire_headers()


def test_an_upload_next_to_the_service_carries_no_credential(converse: Any, answer: Any) -> None:
    """
    Not even where the storage has the address of the service.
    """
    place = {"resourceId": "r", "putUrl": "https://tams.test/store", "headers": {}}
    _, [ask, put] = converse(
        tams().upload_image(PICTURE, keep=True), answer(place), HttpResponse(200)
    )

    assert 2 == fits(ask)["term"]
    assert {} == put.wire_headers()


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (403, Rejected, "the storage of TAMS did not take the file (HTTP 403): too late"),
        (503, ServiceUnavailable, "the storage of TAMS did not take the file (HTTP 503): too late"),
    ],
)
def test_a_refused_upload(
    status: int, kind: type[Exception], message: str, converse: Any, answer: Any
) -> None:
    """
    The storage's own words are told, out of its XML.
    """
    place = {"resourceId": "r", "putUrl": "https://store.test/x"}
    body = b'<?xml version="1.0"?><Error><Code>A</Code><Message>too late</Message></Error>'
    with pytest.raises(kind) as caught:
        converse(tams().upload_image(PICTURE), answer(place), HttpResponse(status, {}, body))

    assert message == str(caught.value)


@pytest.mark.parametrize(
    "place", [{}, {"resourceId": "r"}, {"resourceId": "r", "putUrl": "file:///x"}]
)
def test_an_upload_without_a_place(place: Any, converse: Any, answer: Any) -> None:
    """
    An answer that names no id or no web address is refused; nothing is put anywhere.
    """
    with pytest.raises(ProtocolError):
        converse(tams().upload_image(PICTURE), answer(place))


def test_only_pictures_are_taken() -> None:
    """
    There is no upload for films and sounds.
    """
    kinds = [tams().upload(LocalFile.of(name, b"x")) for name in ("a.png", "a.mp4", "a.flac")]

    assert [True, False, False] == [item is not None for item in kinds]


GRAPH = Prompt.from_json(
    {
        "1": {"class_type": "CheckpointLoaderSimple",
              "inputs": {"ckpt_name": "600423083519508503"}},
        "2": {"class_type": "LoraLoader", "inputs": {"lora_name": "648628718430054626"},
              "properties": {"a": 1}},
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("inputs.accessKey", {"classType": "LoraLoader", "properties": {"a": 1}, "inputs":
         {"lora_name": "648628718430054626", "accessKey": "s3cret"}}),
        ("accessKey", {"classType": "LoraLoader", "properties": {"a": 1}, "accessKey": "s3cret",
         "inputs": {"lora_name": "648628718430054626"}}),
        ("properties.access_key", {"classType": "LoraLoader", "properties":
         {"a": 1, "access_key": "s3cret"}, "inputs": {"lora_name": "648628718430054626"}}),
    ],
)  # fmt: skip
def test_access_keys_go_to_their_place(place: str, expected: Any) -> None:
    """
    Only the node that names the private model gets its key, where the setting says; a person is
    never shown it.
    """
    target = tams(TAMS_ACCESS_KEYS=" 648628718430054626 = s3cret ,", TAMS_ACCESS_KEY_PLACE=place)
    for request in (
        next(target.submit(Submission(GRAPH, "k"))),
        next(target.check(Submission(GRAPH, "k"))),
    ):
        params = fits(request)["params"]

        assert expected == params["2"]
        assert {"ckpt_name": "600423083519508503"} == params["1"]["inputs"]
        assert "s3cret" not in json.dumps(request.masked()) + repr(request)
    assert {"a": 1} == GRAPH["2"].extra["properties"]


def test_access_keys_from_a_file(tmp_path: Path) -> None:
    """
    A JSON file holds keys too; one that cannot be read is refused without quoting it.
    """
    good, bad = tmp_path / "keys.json", tmp_path / "bad.json"
    good.write_text('{"648628718430054626": "from-file"}')
    bad.write_text('{"648628718430054626": s3cret}')
    request = next(tams(TAMS_ACCESS_KEYS_FILE=str(good)).submit(Submission(GRAPH, "k")))
    with pytest.raises(UsageError) as caught:
        tams(TAMS_ACCESS_KEYS_FILE=str(bad))

    assert "from-file" == json.loads(request.body)["params"]["2"]["inputs"]["accessKey"]
    assert "s3cret" not in f"{caught.value} {caught.value.__cause__!r} {caught.value.__context__!r}"


@pytest.mark.parametrize(
    "config",
    [{"TAMS_ACCESS_KEYS": "s3cret"}, {"TAMS_ACCESS_KEYS": "name=s3cret"}, {"TAMS_CHECK": "maybe"},
     {"TAMS_ACCESS_KEY_PLACE": "inputs"}, {"TAMS_ACCESS_KEY_PLACE": "a b"}],
)  # fmt: skip
def test_settings_that_cannot_be_read(config: dict[str, str]) -> None:
    """
    Wrong settings are refused when the target is made, secrets unquoted.
    """
    with pytest.raises(UsageError) as caught:
        tams(**config)

    assert "s3cret" not in f"{caught.value} {caught.value.hint}"


def test_a_key_that_the_graph_has_stays() -> None:
    """
    What stands in the graph is the person's own.
    """
    node = {"classType": "A", "inputs": {"accessKey": "own"}}
    from comfygraph.targets.http import Secret

    AccessKeys().put(node, Secret("other"))

    assert {"classType": "A", "inputs": {"accessKey": "own"}} == node


def test_stages_are_priced(converse: Any, answer: Any) -> None:
    """
    The price of a diffusion job is read, a zero that was left out as zero.
    """
    stages = [{"type": "DIFFUSION", "diffusion": {"width": 512}}]
    price, [request] = converse(tams().stage_credits(stages), answer({"credits": 0.8}))
    free, _ = converse(tams().stage_credits(stages), answer({}))

    assert (0.8, 0.0) == (price, free)
    assert {"stages": stages} == fits(request)


def test_the_cancel_route_that_worked_is_kept(converse: Any, answer: Any) -> None:
    """
    Once the second route was needed, it is the first and only one.
    """
    target, ref = tams(), JobRef("tams", "https://tams.test", JOB, "k")
    first, both = converse(target.cancel(ref), answer({"code": 12}, 405), answer({}))
    again, one = converse(target.cancel(ref), answer({}))

    assert CancelAnswer(accepted=True) == first == again
    assert ["DELETE", "POST", "POST"] == [request.method for request in (*both, *one)]


def test_no_route_at_all_latches_nothing(converse: Any, answer: Any) -> None:
    """
    Where neither route is there, both are tried the next time too.
    """
    target, ref = tams(), JobRef("tams", "https://tams.test", JOB, "k")
    for _ in range(2):
        answers = (answer({"code": 12}, 405), answer({"code": 12, "message": "no"}, 405))

        assert CancelAnswer(accepted=False) == converse(target.cancel(ref), *answers)[0]


@pytest.mark.parametrize(
    ("message", "again"),
    [
        ("node id: 1\nclass type: LoadImage\nimage: image not found\n", 10.0),
        ("node id: 1\nclass type: LoadImage\nimage: 图片不存在\n", 10.0),
        ("node id: 1\nclass type: LoadImage\nimage: 字段必填\n", None),
        ("node id: 1\nclass type: A\nckpt_name: model not found\n", None),
    ],
)
def test_an_unknown_image_is_worth_another_look(
    message: str, again: float | None, converse: Any, answer: Any
) -> None:
    """
    A picture that was just uploaded may not be known yet; other complaints stay what they are.
    """
    body = {"code": 3, "message": "Params Valid", "details": [{"message": message}]}
    checked, _ = converse(tams().check(Submission(GRAPH, "k")), answer(body, 400))

    assert (False, again) == (checked.valid, checked.retry_in)


def test_a_false_with_its_reason(converse: Any, answer: Any) -> None:
    """
    The other shape of a refused check: `false`, and a reason in words or as details.
    """
    words, _ = converse(
        tams().check(Submission(GRAPH, "k")), answer({"valid": False, "reason": "no"})
    )
    details = [{"message": "node id: 1\nclass type: A\nx: bad\n"}]
    placed, _ = converse(
        tams().check(Submission(GRAPH, "k")), answer({"valid": False, "details": details})
    )

    assert (False, ("no",), ()) == (words.valid, words.notes, words.complaints)
    assert (False, (NodeComplaint("1", "bad", "x", "A"),)) == (placed.valid, placed.complaints)


@pytest.mark.parametrize(
    ("body", "job_id"),
    [
        (b'{"job":{"id":"683082404926062625","status":"SUCCESS"}}', JOB),
        (b'{"id":683082404926062625}', JOB),
        (b'{"jobId":"683082404926062625"}', JOB),
        (b'{"job_id":"683082404926062625"}', JOB),
        (b'{"data":{"job":{"id":"683082404926062625"}}}', JOB),
        (b'{"id":"../../etc"}', None),
        (b'{"id":6.83e17}', None),
        (b"{}", None),
        (b"[1]", None),
        (b"no", None),
        (b"", None),
        (b"[" * 5000, None),
    ],
)
def test_a_call_of_a_webhook_names_its_job(body: bytes, job_id: str | None) -> None:
    """
    The id is found wherever it may stand; everything else in a call is left unread.
    """
    assert job_id == job_of_call(body)


@given(st.binary(max_size=200))
def test_any_call_is_read_without_harm(body: bytes) -> None:
    """
    A call of anybody gives a plain id or nothing.
    """
    found = job_of_call(body)

    assert found is None or found.replace("-", "").replace("_", "").isalnum()


def test_jobs_of_a_key_share_its_limit() -> None:
    """
    The limit belongs to service and key, and no key can be read out of its name.
    """
    keys = [
        tams(**config).policy.rate_key
        for config in ({}, {}, {"TAMS_API_KEY": "another"}, {"TAMS_BASE_URL": "https://cn.test"})
    ]

    assert keys[0] == keys[1]
    assert 3 == len(set(keys))
    assert not any("k-secret" in key or "another" in key for key in keys)


@pytest.mark.parametrize(
    "info",
    [
        {"processingImages": [{"progress": 0.5}, {"progress": 0.25}]},
        {"processing_images": [{"progress": 50}, {"progress": 25}]},
        {"stages": [{"processingImages": [{"progress": 0.5}, {"progress": 0.25}]}]},
    ],
)
def test_progress_of_a_diffusion_job(info: Any) -> None:
    """
    A job of stages tells how far each picture is, in either form and on either scale.
    """
    seen = read_job({"status": "RUNNING", "runningInfo": info})

    assert [0.375] == [item.fraction for item in seen if isinstance(item, ProgressSeen)]
