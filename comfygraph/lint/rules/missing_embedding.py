"""
CG706 missing-embedding.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._embeddings import embeddings_in
from comfygraph.lint.rules._flow import along, spoken, texts_of


@rule(
    id="CG706",
    name="missing-embedding",
    severity=Severity.WARNING,
    signs=("embedding",),
)
def missing_embedding(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports `embedding:` in prompts with no name behind it; with `--target civitai`, also names that are no AIR.

    ## Why is this bad?
    With nothing behind the word the node stops with an `IndexError`, after the models were loaded. Civitai's
    workers hold no embeddings by file name: ComfyUI warns in its log, and encodes the rest.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry, embedding:", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
     "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry, embedding:easynegative", "clip": ["1", 1]}},
     "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
     "5": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0], "denoise": 1.0}},
     "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
     "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "out"}}}
    ```
    """
    only_airs = (ctx.options.target or "").startswith("civitai")
    for run, text in texts_of(ctx.flow.samplings()):
        for name in embeddings_in(text.text or ""):
            way = (along(ctx, "prompt", [text.node_id, run.node_id]),)
            if not name:
                yield ctx.at_input(
                    text.node_id,
                    text.input,
                    "`embedding:` has no name behind it",
                    help="write the name behind the colon, `embedding:name`, or take the word out",
                    related=way,
                )
            elif only_airs and not name.casefold().startswith("urn:air:"):
                yield ctx.at_input(
                    text.node_id,
                    text.input,
                    f"Civitai has no embedding of the name {spoken(name)}",
                    help="write its AIR, `embedding:urn:air:sdxl:embedding:civitai:1@2`",
                    related=way,
                )
