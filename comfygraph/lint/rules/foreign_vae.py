"""
CG704 foreign-vae.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.analysis.facts import Content, Model
from comfygraph.analysis.families import Space
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._flow import BY_NAME, along, model_route, spoken


def _finding(
    ctx: RuleContext,
    node_id: str,
    name: str,
    content: Content,
    reader: Model,
    space: Space,
    sure: bool,
) -> Finding:
    assert content.space is not None
    who = "VAE" if name == "vae" else "model"
    maker = "" if content.run is None or content.run.model is None else content.run.model.name
    by = f", sampled by {spoken(maker)}" if maker else ""
    mine = content.run.model if content.run is not None else content.vae
    ways = [along(ctx, who, model_route(reader, node_id))]
    if mine is not None:
        ways.insert(0, along(ctx, "latent", model_route(mine, content.node_id, node_id)))
    return ctx.at_input(
        node_id,
        name,
        f"the {who} {spoken(reader.name or '?')} reads latents of `{space.key}`, "
        f"these are of `{content.space.key}`{by}",
        severity=None if sure else Severity.INFO,
        help="decode latents with the VAE of the model that made them, and encode them anew for "
        "another model"
        if sure
        else BY_NAME,
        related=tuple(ways),
    )


@rule(
    id="CG704",
    name="foreign-vae",
    severity=Severity.WARNING,
    signs=("flow:vae",),
)
def foreign_vae(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports latents that are decoded, or sampled on, by a VAE or a model of another latent space than the one that
    made them: a latent of SDXL that goes through a VAE of FLUX.1. Where the spaces are only read off the names
    of the files, it is an info.

    ## Why is this bad?
    The number of channels differs and the node stops with an error, or the picture is noise in odd colours.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sdxl:checkpoint:civitai:101055@128078"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["8", 0]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "8": {"class_type": "VAELoader", "inputs": {"vae_name": "urn:air:flux1:vae:civitai:711305@795535"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sdxl:checkpoint:civitai:101055@128078"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["8", 0]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}},
     "8": {"class_type": "VAELoader", "inputs": {"vae_name": "urn:air:sdxl:vae:civitai:296576@333245"}}}
    ```
    """
    flow = ctx.flow
    for node_id in ctx.definitions:
        if not (ctx.class_type(node_id) or "").startswith("VAEDecode"):
            continue
        view = flow.view(node_id)
        content, vae = view.content("samples"), view.model("vae")
        if content is None or content.space is None or vae is None or vae.space is None:
            continue
        if content.space is not vae.space:
            sure = content.sure and vae.sure
            yield _finding(ctx, node_id, "vae", content, vae, vae.space, sure)
    for run in flow.samplings():
        content, model = run.latent, run.model
        if content is None or content.kind == "empty" or content.space is None or model is None:
            continue
        space = model.family.space if model.family is not None else None
        if space is not None and content.space is not space:
            sure = content.sure and model.sure
            yield _finding(ctx, run.node_id, "latent_image", content, model, space, sure)
