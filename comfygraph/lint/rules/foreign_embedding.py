"""
CG705 foreign-embedding.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.analysis.families import fits
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._embeddings import embeddings_in
from comfygraph.lint.rules._flow import along, by_certainty, model_route, spoken, texts_of


@rule(
    id="CG705",
    name="foreign-embedding",
    severity=Severity.WARNING,
    signs=("embedding",),
)
def foreign_embedding(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports `embedding:` names in prompts whose embedding is made for another family of models than the one that
    samples. The families come from AIRs or `[analysis.families]`; where they are only read off the names, it
    is an info.

    ## Why is this bad?
    ComfyUI finds that the shapes differ, leaves the embedding out, and says so in its log only.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sdxl:checkpoint:civitai:101055@128078"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "embedding:urn:air:sd1:embedding:civitai:7808@9208, blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sdxl:checkpoint:civitai:101055@128078"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "embedding:urn:air:sdxl:embedding:civitai:144327@160710, blurry", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 1024, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}}}
    ```
    """
    flow = ctx.flow
    for run, text in texts_of(flow.samplings()):
        model = run.model
        if model is None or model.family is None or not text.text:
            continue
        for name in embeddings_in(text.text):
            family, sure = flow.family_of(name)
            if family is None or fits(family, model.family) is not False:
                continue
            severity, help = by_certainty(sure and model.sure)
            yield ctx.at_input(
                text.node_id,
                text.input,
                f"{spoken(name)} is an embedding for {family.label}, "
                f"the model is of {model.family.label}",
                severity=severity,
                help=help or f"take an embedding for {model.family.label}",
                related=(
                    along(ctx, "prompt", [text.node_id, run.node_id]),
                    along(ctx, "model", model_route(model, run.node_id)),
                ),
            )
