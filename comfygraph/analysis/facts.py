"""
The facts that links carry, one kind a domain: constants, sizes, models, prompts, noise.

Every fact may be missing (`None`): nobody knows. Chains such as the LoRAs on a model are linked
from the last to the first, so that a node adds to one without copying it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

from comfygraph.analysis.families import Family, Space
from comfygraph.core.records import NamedTuple

MOST_PARTS = 64
"""Members of a chain that are looked at; of a longer one nothing is said."""

MOST_TEXTS = 8
"""Texts that a conditioning keeps."""


class Domain:
    """
    The domains, in the order in which a node's facts are kept. Plain numbers: members of an
    enumeration take several times as long to look up, and each link asks for one.
    """

    VALUE = 0
    SIZE = 1
    MODEL = 2
    PROMPT = 3
    NOISE = 4


class Size(NamedTuple):
    """
    The pictures on a link; of latents, the pictures that they stand for.

    Args:
        width, height: Pixels.
        batch: Pictures, or films in latent form; `None` where unknown.
        frames: Pictures of each film; 1 for pictures.
        scale: Pixels along a side of one latent cell, 1 for pixels; `None` where unknown.
    """

    width: int
    height: int
    batch: int | None = 1
    frames: int | None = 1
    scale: int | None = 1

    @property
    def pictures(self) -> int | None:
        """How many there are in all, or `None`."""
        return None if self.batch is None or self.frames is None else self.batch * self.frames

    @property
    def megapixels(self) -> float:
        """Of one picture, in units of 1024 x 1024."""
        return self.width * self.height / 1_048_576


class Sound(NamedTuple):
    """A sound of `seconds`."""

    seconds: float


class Part(NamedTuple):
    """
    Something that was put on a model: a LoRA, a patch; or a ControlNet on a conditioning.

    Args:
        kind: `lora`, `patch` or `control`.
        node_id: The node that did it.
        input: The input that names the file, if there is one.
        name: The file or the class.
        strength: Or `None` where unknown.
        family: Or `None`.
        sure: The family comes from more than the file's name.
        below: What was put on before.
        depth: How many there are with this one.
    """

    kind: Literal["lora", "patch", "control"]
    node_id: str
    input: str | None
    name: str
    strength: float | None
    family: Family | None
    sure: bool
    below: Part | None
    depth: int


class Model(NamedTuple):
    """
    A MODEL, CLIP, VAE, ControlNet or the like.

    Args:
        node_id: The node that loaded it.
        input: The input that names its file.
        name: The file or reference, or `None` where it comes over a link that is not known.
        family: Or `None`.
        sure: The family comes from more than the file's name.
        space: Its latent space, or `None`.
        parts: What was put on it last.
        open: Something unknown was done to it as well.
        factor: Of upscale models: how much larger they make a picture, or `None`.
    """

    node_id: str
    input: str | None
    name: str | None
    family: Family | None = None
    sure: bool = False
    space: Space | None = None
    parts: Part | None = None
    open: bool = False
    factor: float | None = None


class Text(NamedTuple):
    """A text that was encoded: where, by which CLIP, and the text unless it is unknown."""

    node_id: str
    input: str
    text: str | None
    clip: Model | None


class Conditioning(NamedTuple):
    """
    A CONDITIONING.

    Args:
        texts: The encoded texts, at most `MOST_TEXTS`.
        controls: The ControlNet that was applied last.
        open: Something unknown was done to it, or there are more texts.
        zero: It is set to zeros.
        node_id: The node that made it what it is.
    """

    texts: tuple[Text, ...]
    controls: Part | None = None
    open: bool = False
    zero: bool = False
    node_id: str = ""


class Guide(NamedTuple):
    """A GUIDER: a model with its prompts. Where it takes no negative prompt, that is `None`."""

    model: Model | None
    positive: Conditioning | None
    negative: Conditioning | None
    cfg: float | None
    node_id: str
    inputs: tuple[str, str]
    """The inputs of the guider that take the two prompts; empty where there is none."""


class Content(NamedTuple):
    """
    What a LATENT holds.

    Args:
        kind: `empty`, an encoded `image`, or `sampled`.
        node_id: The node that put it in.
        space: The latent space, or `None`.
        sure: The space is known by more than the name of a file.
        masked: A mask limits what is sampled.
        run: The sampler that made it, for `sampled`.
        vae: The VAE that encoded it, for `image`.
    """

    kind: Literal["empty", "image", "sampled"]
    node_id: str
    space: Space | None = None
    sure: bool = False
    masked: bool = False
    run: Sampling | None = None
    vae: Model | None = None


class Noise(NamedTuple):
    """A NOISE: its seed or `None`; `off` adds none."""

    seed: int | None
    off: bool = False


class Sigmas(NamedTuple):
    """
    A SIGMAS: steps `first` to `last` of `total`.

    `denoise` is the share of the whole way from noise, or `None` where unknown.
    """

    total: int
    first: int
    last: int
    denoise: float | None
    node_id: str


class Sampling(NamedTuple):
    """
    One sampler with all that reaches it.

    Args:
        node_id: The sampler.
        model, positive, negative: What it samples with.
        latent: What it starts from.
        size: Its pictures.
        total, first, last: The steps of its schedule and which of them it makes; `None` where
            unknown.
        denoise: The share of the whole way from noise, or `None`.
        cfg: Or `None`.
        seed: Or `None`.
        adds_noise: Whether it adds noise, or `None`.
        leftover: Whether it hands noise on, or `None`.
        sampler: Name of sampler and scheduler, or `None`.
        holder: The node whose inputs take model and prompts: the sampler, or its guider.
        inputs: The inputs of `holder` for the positive and the negative prompt.
        sure: The class is known; else the steps are all that is told.
    """

    node_id: str
    model: Model | None = None
    positive: Conditioning | None = None
    negative: Conditioning | None = None
    latent: Content | None = None
    size: Size | None = None
    total: int | None = None
    first: int | None = 0
    last: int | None = None
    denoise: float | None = None
    cfg: float | None = None
    seed: int | None = None
    adds_noise: bool | None = True
    leftover: bool | None = False
    sampler: str | None = None
    holder: str = ""
    inputs: tuple[str, str] = ("positive", "negative")
    sure: bool = True

    @property
    def steps(self) -> int | None:
        """How many steps it makes, or `None`."""
        if self.first is None or self.last is None:
            return None
        return max(self.last - self.first, 0)


Slots: TypeAlias = tuple[Any, ...]
"""A fact or `None` for each output slot."""


class Facts(NamedTuple):
    """What is known of a node's output slots, domain by domain, and of the node if it samples."""

    value: Slots = ()
    size: Slots = ()
    model: Slots = ()
    prompt: Slots = ()
    noise: Slots = ()
    sampling: Sampling | None = None

    def at(self, domain: int, slot: int) -> Any:
        """
        Give what an output slot carries in one domain, or `None`; slots may count from the end.
        """
        slots: Any = self[domain]
        return slots[slot] if -len(slots) <= slot < len(slots) else None


NOTHING = Facts()


def parts_of(last: Part | None) -> Iterator[Part]:
    """
    Yield a chain from the last to the first, at most `MOST_PARTS`.
    """
    count = 0
    while last is not None and count < MOST_PARTS:
        yield last
        last = last.below
        count += 1


def complete(model: Model | None) -> bool:
    """
    Tell whether all that was put on a model is known.
    """
    return (
        model is not None
        and not model.open
        and (model.parts is None or model.parts.depth <= MOST_PARTS)
    )
