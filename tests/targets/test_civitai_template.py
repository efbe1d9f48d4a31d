"""
Civitai: options, the list of resources made from a graph, and the bodies that are sent, held
against a JSON Schema of the service.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from comfygraph.core.values import Prompt
from comfygraph.errors import ComfyGraphError, UsageError
from comfygraph.targets import get_target
from comfygraph.targets.base import LocalFile, NodeComplaint, Submission
from comfygraph.targets.civitai import CivitaiTarget
from comfygraph.targets.civitai.body import options_of_body
from comfygraph.targets.civitai.manifest import manifest_of
from comfygraph.targets.civitai.options import Options, read_options
from comfygraph.targets.civitai.template import plan_of, template_of
from comfygraph.targets.civitai.times import moment, read_span, time_span
from comfygraph.targets.failures import GraphRejected
from comfygraph.targets.http import HttpResponse

DATA = Path(__file__).parent.parent / "data"
SCHEMA = jsonschema.Draft202012Validator(
    json.loads((DATA / "civitai_template.schema.json").read_text())
)
AIR = "urn:air:sd1:checkpoint:civitai:4384@128713"
LORA = "urn:air:sd1:lora:civitai:1@2"
PACK = "urn:air:comfy:nodepack:comfyregistry:kijai/comfyui-kjnodes@1.4.0"
LAYER = "urn:air:comfy:nodepacklayer:comfyregistry:kijai/comfyui-kjnodes@1.4.0+75726e"
BLOB = "ABCDEFGHJKMNPQRSTVWXYZ0123.png"
BLOB_AIR = f"urn:air:other:other:orchestrator:blob@{BLOB}"
CUSTOM: dict[str, Any] = {"step": "customComfy"}


@pytest.fixture
def civitai() -> CivitaiTarget:
    """
    Give the target with a token.
    """
    target = get_target("civitai", {"CIVITAI_API_TOKEN": "t-secret"})
    assert isinstance(target, CivitaiTarget)
    return target


def _prompt(**changes: dict[str, Any]) -> Prompt:
    nodes: dict[str, Any] = {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": AIR}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["4", 0]}},
    }
    return Prompt.from_json({**nodes, **changes})


def _body(prompt: Prompt, **options: Any) -> dict[str, Any]:
    return template_of(plan_of(Submission(prompt, "key-1", options)))


def test_custom_step_declares_what_the_graph_names() -> None:
    """
    Every AIR of the graph is declared once, in canonical form, embeddings in texts and values that
    nest included; the graph then says it in the same form.
    """
    prompt = _prompt(
        **{
            "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": AIR.upper()}},
            "2": {
                "class_type": "CLIPTextEncode",
                "inputs": {
                    "text": "a (embedding:urn:air:sd1:embedding:civitai:5@6:1.2), b",
                    "clip": ["4", 1],
                },
            },
            "3": {"class_type": "LoraLoader", "inputs": {"lora_name": f" {LORA} ", "x": [[LORA]]}},
            "5": {"class_type": "LoadImage", "inputs": {"image": BLOB_AIR}},
        }
    )
    step = _body(prompt, **CUSTOM)["steps"][0]

    assert ("customComfy", "binary", "00:23:00") == (
        step["$type"], step["input"]["trace"], step["timeout"]
    )  # fmt: skip
    assert [AIR, "urn:air:sd1:embedding:civitai:5@6", LORA, BLOB_AIR] == step["input"]["resources"]
    graph = step["input"]["workflow"]
    assert (AIR, LORA, [[LORA]]) == (
        graph["1"]["inputs"]["ckpt_name"],
        graph["3"]["inputs"]["lora_name"],
        graph["3"]["inputs"]["x"],
    )


@pytest.mark.parametrize(
    ("node", "place", "code"),
    [
        (("CheckpointLoaderSimple", "ckpt_name", "a.safetensors"), "ckpt_name", "plain_name"),
        (("LoraLoader", "lora_name", "664602165660323756"), "lora_name", "plain_name"),
        (("LoraLoader", "lora_name", "urn:air:sd1:lora:civitai:7"), "lora_name", "bad_air"),
        (("LoraLoader", "lora_name", PACK), "lora_name", "bad_air"),
        (("LoadImage", "image", "cat.png"), "image", "local_file"),
        (("LoadImage", "image", "https://h.test/cat.png"), "image", "local_file"),
        (("VHS_LoadVideo", "video", "cat.mp4"), "video", "local_file"),
        (("ImageResizeKJv2", "x", 1), None, "missing_pack"),
        (("NobodyHasThisClass", "x", "b.gguf"), "x", "plain_name"),
        (("NobodyHasThisClass", "x", [{"on": True, "lora": "b.gguf"}]), "x", "plain_name"),
    ],
)
def test_incomplete_graph_is_not_sent(
    civitai: CivitaiTarget, node: tuple[str, str, Any], place: str | None, code: str
) -> None:
    """
    What a worker would not find is told by node and input, before anything is sent; `strict`
    switched off sends it.
    """
    class_type, name, value = node
    prompt = _prompt(**{"7": {"class_type": class_type, "inputs": {name: value}}})
    submission = Submission(prompt, "k", CUSTOM)
    with pytest.raises(GraphRejected) as caught:
        civitai.submit(submission)
    loose = replace(submission, options={**CUSTOM, "strict": False})
    with pytest.raises(StopIteration) as checked:
        next(civitai.check(submission))

    found = caught.value.complaints[0]
    assert ("7", class_type, place, code) == (
        found.node_id, found.class_type, found.input, found.code
    )  # fmt: skip
    assert "POST" == next(civitai.submit(loose)).method
    assert (False, caught.value.complaints) == (
        checked.value.value.valid, checked.value.value.complaints
    )  # fmt: skip


def test_names_that_are_no_files() -> None:
    """
    A built-in name such as `pixel_space` stands for no file; a `comfy` step fetches addresses.
    """
    prompt = _prompt(
        **{
            "1": {"class_type": "VAELoader", "inputs": {"vae_name": "pixel_space"}},
            "2": {"class_type": "LoadImage", "inputs": {"image": "https://h.test/cat.png"}},
        }
    )

    assert () == manifest_of(prompt, urls=True).complaints


def test_node_packs_are_installed_first(civitai: CivitaiTarget) -> None:
    """
    Packs become a step before the graph's, whose layers stand first among its resources; the two
    steps run in one image.
    """
    image = "urn:air:oci:image:ghcr:civitai/civitai-spine-comfy@v2.5.5"
    prompt = _prompt(**{"7": {"class_type": "ImageResizeKJv2", "inputs": {}}})
    body = _body(
        prompt,
        **CUSTOM,
        node_packs=["kijai/comfyui-kjnodes@1.4.0"],
        resources=[LORA],
        comfy_image=image,
        min_vram_gb=48,
        session="s-1",
        minimum_seconds=60,
        sage_attention=True,
    )
    packs, run = body["steps"]

    assert ("comfyNodepackSnapshot", "packs") == (packs["$type"], packs["name"])
    assert [PACK] == packs["input"]["nodepacks"]
    assert [{"$ref": "packs", "path": "output.results[0].layerAir"}, LORA, AIR] == (
        run["input"]["resources"]
    )
    worker = {"comfyImage": image, "minVramGb": 48, "useSageAttention": True}
    assert worker.items() <= packs["input"].items() & run["input"].items()
    assert ("s-1", 60) == (run["input"]["sessionId"], run["input"]["minimumDurationSeconds"])


@pytest.mark.parametrize("given", [{"node_packs": [PACK]}, {"layers": [LAYER]}])
def test_named_pack_has_the_class(given: dict[str, Any]) -> None:
    """
    A class of a pack that is named, or whose layer is, is no complaint; one of another pack is.
    """
    prompt = _prompt(
        **{
            "7": {"class_type": "ImageResizeKJv2", "inputs": {}},
            "8": {"class_type": "FaceDetailer", "inputs": {}},
        }
    )
    plan = plan_of(Submission(prompt, "k", {**CUSTOM, **given}))

    assert [("8", "missing_pack")] == [(it.node_id, it.code) for it in plan.complaints]


def test_estimate_refers_to_no_step() -> None:
    """
    An estimate has neither the key, nor callbacks, nor references between steps.
    """
    options = {
        **CUSTOM,
        "node_packs": [PACK],
        "callbacks": {"url": "https://h.test/x", "type": ["workflow:*"]},
    }
    plan = plan_of(Submission(_prompt(), "k", options))
    body = template_of(plan, estimate=True)

    assert "$ref" not in json.dumps(body)
    assert not {"externalId", "callbacks"} & body.keys()
    assert [AIR] == body["steps"][1]["input"]["resources"]
    assert [] == list(SCHEMA.iter_errors(body))


def test_uploaded_file_gets_its_address(civitai: CivitaiTarget, converse: Any, answer: Any) -> None:
    """
    A file is uploaded once and named by AIR; a `comfy` step, which takes addresses, gets a fresh
    one of each blob before it is sent.
    """
    upload = civitai.upload(LocalFile.of("cat.png", b"\x89PNG"))
    assert upload is not None
    name, [posted] = converse(upload, answer({"id": BLOB, "type": "image"}, 201))
    node = {"class_type": "LoadImage", "inputs": {"image": name}}
    prompt = _prompt(**{"7": node, "8": node})
    url = f"https://cdn.test/{BLOB}?sig=1"
    workflow = {"id": "1-2", "status": "unassigned"}
    _, [refresh, submit] = converse(
        civitai.submit(Submission(prompt, "k")),
        answer({"id": BLOB, "url": url}),
        answer(workflow, 202),
    )
    graph = json.loads(submit.body)["steps"][0]["input"]["comfyWorkflow"]
    [custom] = [next(civitai.submit(Submission(prompt, "k", CUSTOM)))]

    assert BLOB_AIR == name
    assert ("image/png", b"\x89PNG") == (posted.headers["Content-Type"], posted.body)
    assert refresh.url.endswith(f"/v2/consumer/blobs/{BLOB}/refresh")
    assert [url, url] == [graph[node_id]["inputs"]["image"] for node_id in "78"]
    assert BLOB_AIR in json.loads(custom.body)["steps"][0]["input"]["resources"]
    assert civitai.upload(LocalFile.of("model.safetensors", b"x")) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 1}, "Civitai takes no option `steps`"),
        ({"step": "comfyUI"}, "`step` takes comfy or customComfy"),
        ({"trace": "binary"}, "the option `trace` goes with a `customComfy` step only"),
        ({**CUSTOM, "quantity": 2}, "the option `quantity` goes with a `comfy` step only"),
        ({"allow_mature": "yes"}, "`allow_mature` is true or false"),
        ({"timeout": "1h"}, "`timeout` is a number of seconds from 1 to 604800, or HH:MM:SS"),
        ({"metadata": [1]}, "`metadata` is a JSON object"),
        ({"tags": [1]}, "`tags` is a text, or a list of texts"),
        ({"tips": {"civitai": 3}}, "`tips` holds `civitai` and `creators`, rates from 0 to 2"),
        ({"callbacks": {"url": "ftp://h.test"}}, "`callbacks` needs a `url` with https"),
        ({"nsfw_level": "z"}, "`nsfw_level` takes pg, pg13, r, x, xxx, na"),
        (
            {**CUSTOM, "node_packs": "kjnodes"},
            "`kjnodes` is no pack of the Comfy registry with a version",
        ),
        ({**CUSTOM, "node_packs": AIR}, f"`{AIR}` is no pack of the Comfy registry with a version"),
        ({**CUSTOM, "resources": [PACK]}, "`resources` takes no bare node pack"),
        (
            {**CUSTOM, "layers": [AIR]},
            "`layers` takes AIRs of layers (urn:air:comfy:nodepacklayer:…)",
        ),
        ({**CUSTOM, "session": "a b"}, "`session` is a text of 1 to 256 characters without spaces"),
        ({"retries": 1.5}, "`retries` is a whole number from 0 to 100"),
    ],
)  # fmt: skip
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    """
    A wrong option is one clear message, before anything is sent.
    """
    with pytest.raises(UsageError) as caught:
        read_options(options)

    assert message == caught.value.message


def test_every_option_is_read_and_explained() -> None:
    """
    `null` leaves an option out; each field of `Options` can be set and is explained.
    """
    names = {spec.name for spec in fields(Options)}
    explained = (Options.__doc__ or "").partition("Args:")[2]

    assert Options() == read_options(dict.fromkeys(names))
    assert [] == [name for name in sorted(names) if f" {name}: " not in explained]


def test_one_word_is_a_list() -> None:
    """
    What may be several may be one, as `--option currencies=Blue` gives it.
    """
    found = read_options({"currencies": "Blue", "tags": "x", "resources": LORA, **CUSTOM})

    assert (("blue",), ("comfygraph", "x"), (LORA,)) == (
        found.currencies, found.tags, found.resources
    )  # fmt: skip


def test_graph_without_models_needs_a_resource() -> None:
    """
    A `customComfy` step needs at least one resource.
    """
    prompt = Prompt.from_json({"1": {"class_type": "EmptyImage", "inputs": {}}})
    with pytest.raises(UsageError, match="at least one resource"):
        plan_of(Submission(prompt, "k", CUSTOM))

    assert (AIR,) == plan_of(Submission(prompt, "k", {**CUSTOM, "resources": AIR})).resources


_VALUES = st.one_of(
    st.sampled_from([AIR, AIR.upper(), LORA, f"embedding:{LORA}, x", "a.safetensors", BLOB_AIR]),
    st.text(max_size=12),
    st.integers(-5, 5),
    st.booleans(),
    st.lists(st.sampled_from([AIR, 1, None]), max_size=3),
    st.dictionaries(st.text(max_size=3), st.sampled_from([LORA, 2]), max_size=2),
)
_CLASSES = st.sampled_from(["CheckpointLoaderSimple", "LoraLoader", "LoadImage", "Odd", "KSampler"])
_NAMES = st.sampled_from(["ckpt_name", "lora_name", "image", "text", "x"])
_GRAPHS = st.dictionaries(
    st.text(min_size=1, max_size=4),
    st.builds(
        lambda kind, inputs: {"class_type": kind, "inputs": inputs},
        _CLASSES,
        st.dictionaries(_NAMES, _VALUES, max_size=3),
    ),
    min_size=1,
    max_size=4,
)
_OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "priority": st.sampled_from(["high", "LOW"]),
    "timeout": st.sampled_from([90, "00:20:00", "1.00:00:00"]),
    "retries": st.integers(0, 3),
    "tags": st.lists(st.text(min_size=1, max_size=5).filter(str.strip), max_size=4),
    "metadata": st.dictionaries(st.text(max_size=3), st.integers()),
    "step_metadata": st.just({"a": 1}),
    "currencies": st.lists(st.sampled_from(["blue", "YELLOW"]), max_size=3),
    "tips": st.just({"civitai": 1}),
    "callbacks": st.just([{"url": "https://h.test", "type": ["job:*"], "detailed": True}]),
    "nsfw_level": st.just("pg13"),
    "allow_mature": st.booleans(),
    "experimental": st.booleans(),
    "upgrade_mode": st.just("manual"),
    "tier": st.just("paid"),
    "download_priority": st.just("high"),
}
_COMFY_OPTIONS = {
    "quantity": st.integers(1, 100),
    "image_metadata": st.sampled_from(["x", {"seed": 7}]),
    "use_spine": st.booleans(),
}
_CUSTOM_OPTIONS = {
    "trace": st.sampled_from(["none", "logs"]),
    "resources": st.sampled_from([[AIR], [LORA, AIR.upper(), AIR]]),
    "node_packs": st.just([PACK, PACK]),
    "layers": st.just([LAYER]),
    "min_vram_gb": st.just(24),
    "minimum_seconds": st.just(30),
}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_body_fits_the_schema(data: st.DataObject) -> None:
    """
    Whatever graph and options: a body that the service's schema takes, or an error of ours.
    """
    prompt = Prompt.from_json(data.draw(_GRAPHS))
    custom = data.draw(st.booleans())
    kind = _CUSTOM_OPTIONS if custom else _COMFY_OPTIONS
    strict = {"strict": st.booleans()}
    drawn = data.draw(st.fixed_dictionaries({}, optional={**_OPTIONS, **kind, **strict}))
    options: dict[str, Any] = {**drawn, **({"step": "custom"} if custom else {})}
    key = data.draw(st.text(min_size=1, max_size=200))
    try:
        plan = plan_of(Submission(prompt, key, options))
    except ComfyGraphError as exc:
        note(exc.message)
        return
    if plan.complaints and plan.options.is_strict:
        return  # never sent
    for estimate in (False, True):
        body = template_of(plan, estimate=estimate)

        assert [] == [error.message for error in SCHEMA.iter_errors(body)]


def test_spans_and_moments() -> None:
    """
    Time spans are read back as they are written; dates are UTC, and one alone may mean its end.
    """
    assert [0, 90061, 604800] == [read_span(time_span(n)) for n in (0, 90061, 604800)]
    assert [None] * 3 == [read_span(text) for text in ("1h", "00:60:00", "1.30:00:00")]
    assert [90000, 90000] == [read_span(text) for text in ("25:00:00", "1.01:00:00")]
    assert "0001-01-01T00:00:00.000Z" == moment("0001-01-01")
    assert ("2026-10-02T00:00:00.000Z", "2026-10-02T23:59:59.999Z") == (
        moment("2026-10-02"), moment("2026-10-02", end=True)
    )  # fmt: skip
    assert "2026-10-02T08:15:30.500Z" == moment("2026-10-02T10:15:30.5+02:00", end=True)
    assert "2026-10-02T10:15:30.000Z" == moment("2026-10-02T10:15:30")
    for text in ("yesterday", "2026-13-01", "", "9999-12-31T23:59:59-14:00"):
        with pytest.raises(UsageError):
            moment(text)


def test_refusals_find_their_nodes(civitai: CivitaiTarget, converse: Any, answer: Any) -> None:
    """
    An error is told of its node by a path with dotted ids, by the place of a resource in the list
    that was sent, and by the AIR that its text names.
    """
    prompt = _prompt(**{"a.b": {"class_type": "LoraLoader", "inputs": {"lora_name": LORA}}})
    errors = {
        "$.steps[1].input.workflow.a.b.inputs.lora_name": ["odd"],
        "steps[1].input.workflow['a.b']": ["odd too"],
        "steps[1].input.resources[1]": ["not enabled"],
        "messages": [f"{LORA.upper()} is not enabled for generation"],
        "steps[1].timeout": ["unrelated"],
        "steps[1].input.resources[0]": ["a layer is of no node"],
    }
    options = {**CUSTOM, "node_packs": [PACK], "strict": False}
    submission = Submission(prompt, "k", options)
    refused = answer({"errors": errors}, 400)
    with pytest.raises(GraphRejected) as caught:
        converse(civitai.submit(submission), refused)
    checked, _ = converse(civitai.check(submission), refused)

    assert (
        NodeComplaint("a.b", "odd", "lora_name", "LoraLoader"),
        NodeComplaint("a.b", "odd too", None, "LoraLoader"),
        NodeComplaint("4", "not enabled", "ckpt_name", "CheckpointLoaderSimple"),
        NodeComplaint(
            "a.b", f"{LORA.upper()} is not enabled for generation", "lora_name", "LoraLoader"
        ),
    ) == caught.value.complaints
    assert caught.value.complaints == checked.complaints


def test_price_of_a_custom_step_is_told_honestly(
    civitai: CivitaiTarget, converse: Any, answer: Any
) -> None:
    """
    The service prices a `customComfy` step at 0, since it is paid afterwards: no price is told.
    """
    priced = {"id": None, "cost": {"base": 0, "total": 0}, "transactions": {"list": []}}
    submission = Submission(_prompt(), "k", {**CUSTOM, "timeout": 60})
    checked, _ = converse(civitai.check(submission), answer(priced))
    headers = {"X-Civitai-Cost-Total": "12", "X-Civitai-Insufficient-Buzz": "true"}
    bare, _ = converse(
        civitai.check(Submission(_prompt(), "k")), HttpResponse(200, headers, b'{"id": null}')
    )

    assert (True, None, None) == (checked.valid, checked.cost, checked.affordable)
    assert checked.notes[0].startswith("post-paid: about 1 Buzz for each second")
    assert "may pass before the run begins" in checked.notes[1]
    assert (12.0, False) == (bare.cost, bare.affordable)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_body_says_its_options_again(data: st.DataObject) -> None:
    """
    The options that are read out of a body make the same body again.
    """
    custom = data.draw(st.booleans())
    kind = _CUSTOM_OPTIONS if custom else _COMFY_OPTIONS
    options = data.draw(st.fixed_dictionaries({}, optional={**_OPTIONS, **kind}))
    given_options = {**options, **(CUSTOM if custom else {})}
    body = _body(_prompt(), **given_options)

    assert body == _body(_prompt(), **options_of_body(body))
    token = {"$type": "customComfy", "input": {"sessionOwnerApiToken": "t-secret", "trace": "none"}}
    assert "t-secret" not in json.dumps(options_of_body({"steps": [token]}))
    assert {} == options_of_body({"steps": [None, {"$type": 1}]}) == options_of_body("x")


def test_accounts_share_nothing() -> None:
    """
    Two tokens share neither uploads nor limits, and neither shows in what they are told apart by.
    """
    targets = [get_target("civitai", {"CIVITAI_API_TOKEN": token}) for token in ("t-one", "t-two")]
    keys = [target.policy.rate_key for target in targets]

    assert 2 == len(set(keys))
    assert [] == [key for key in keys if "t-one" in key or "t-two" in key]
