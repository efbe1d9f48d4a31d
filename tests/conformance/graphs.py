"""
The graphs that are handed in. `color` makes each one new, since servers keep what they have made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BIG_SEED = 2**64 - 1
Json = dict[str, Any]


def _made(color: int, count: int = 1) -> Json:
    inputs = {"width": 32, "height": 16, "batch_size": count, "color": color}
    return {"class_type": "EmptyImage", "inputs": inputs}


def _saved(link: list[Any], prefix: str = "out", class_type: str = "SaveImage") -> Json:
    return {"class_type": class_type, "inputs": {"images": link, "filename_prefix": prefix}}


def picture(color: int) -> Json:
    """One picture, turned to its negative and saved."""
    return {
        "1": _made(color),
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": _saved(["2", 0]),
    }


def several(color: int) -> Json:
    """Two saving nodes, three pictures."""
    return {**picture(color), "4": _made(color, 2), "5": _saved(["4", 0], "more")}


def video(color: int) -> Json:
    """A film of four pictures."""
    film = {"images": ["1", 0], "filename_prefix": "film", "codec": "vp9", "fps": 8.0, "crf": 32.0}
    return {"1": _made(color, 4), "2": {"class_type": "SaveWEBM", "inputs": film}}


def audio(color: int) -> Json:
    """A second of silence."""
    silence = {"duration": 1.0 + color % 1000 / 1000, "sample_rate": 44100, "channels": 1}
    return {
        "1": {"class_type": "EmptyAudio", "inputs": silence},
        "2": {
            "class_type": "SaveAudio",
            "inputs": {"audio": ["1", 0], "filename_prefix": "sound"},
        },
    }


def foreign(color: int) -> Json:
    """A prefix and titles in other scripts."""
    graph = {"1": _made(color), "3": _saved(["1", 0], "größe_日本_é")}
    graph["3"]["_meta"] = {"title": "שמור 🖼"}
    return graph


def seeded(color: int) -> Json:
    """A seed of 64 bits, which no double holds."""
    noise = {"class_type": "RandomNoise", "inputs": {"noise_seed": BIG_SEED}}
    return {**picture(color), "7": noise}


def bad(color: int) -> Json:
    """An input that is missing, and one that is out of its range."""
    graph = picture(color)
    graph["1"]["inputs"]["width"] = 0
    del graph["2"]["inputs"]["image"]
    return graph


def long(color: int) -> Json:
    """A chain of so many nodes that there is time to do something meanwhile."""
    graph = {"1": _made(color)}
    for number in range(2, 120):
        inputs = {"image": [str(number - 1), 0]}
        graph[str(number)] = {"class_type": "ImageInvert", "inputs": inputs}
    return {**graph, "120": _saved(["119", 0])}


def loaded(color: int) -> Json:
    """A picture of the own machine, made larger."""
    scale = {"image": ["1", 0], "upscale_method": "bicubic", "scale_by": 2.0}
    return {
        "1": {"class_type": "LoadImage", "inputs": {"image": "mine.png"}},
        "2": {"class_type": "ImageScaleBy", "inputs": scale},
        "3": _saved(["2", 0]),
    }


GRAPHS: dict[str, Callable[[int], Json]] = {
    "picture": picture,
    "several": several,
    "video": video,
    "audio": audio,
    "foreign": foreign,
    "seeded": seeded,
    "bad": bad,
    "long": long,
    "loaded": loaded,
}
