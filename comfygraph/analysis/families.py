"""
Model families: which models take each other's LoRAs, which share a latent space, and the sizes
that they are made for.

Facts: `supported_models.py` and `latent_formats.py` of ComfyUI; Civitai's list of base models
with their AIR ecosystems; the sizes that the models' cards name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from comfygraph.core.records import NamedTuple


class Space(NamedTuple):
    """
    A latent space: what one VAE makes, only VAEs of the same kind can read.

    Args:
        key: `flux1`.
        scale: Pixels along a side that one cell stands for.
        time: Frames that one latent frame stands for; the first stands for one alone.
    """

    key: str
    scale: int
    time: int = 1


class Family(NamedTuple):
    """
    A model family.

    Args:
        key: `sdxl`, stable; what a reference map or a configuration may say.
        label: For people.
        kin: Families of one kin take each other's LoRAs and ControlNets. `wan` is kin of
            `wan/14b` and of `wan/1.3b`, which are none of each other's.
        space: Its latent space, or `None` where there are several.
        side: Pixels along the side of the square that it is trained on, 0 where that varies.
        weight: Cost of a step per megapixel; SDXL is 1.
    """

    key: str
    label: str
    kin: str
    space: Space | None
    side: int = 0
    weight: float = 1.0


SPACES: Mapping[str, Space] = {
    space.key: space
    for space in (
        Space("sd1", 8),
        Space("sdxl", 8),
        Space("sd3", 8),
        Space("flux1", 8),
        Space("flux2", 16),
        Space("wan21", 8, 4),
        Space("wan22", 16, 4),
        Space("hunyuanvideo", 8, 4),
        Space("hunyuanvideo15", 16, 4),
        Space("ltxv", 32, 8),
        Space("ltx2", 32, 8),
        Space("mochi", 8, 6),
        Space("cogvideox", 8, 4),
    )
}

_NONE = ""
# key, label, kin, space, side, weight
_ROWS: tuple[tuple[str, str, str, str, int, float], ...] = (
    ("sd1", "SD 1.x", "sd1", "sd1", 512, 0.35),
    ("sd2", "SD 2.x", "sd2", "sd1", 768, 0.35),
    ("sdxl", "SDXL", "sdxl", "sdxl", 1024, 1.0),
    ("sdxl-turbo", "SDXL Turbo", "sdxl", "sdxl", 0, 1.0),
    ("kolors", "Kolors", "kolors", "sdxl", 1024, 1.0),
    ("sd3", "SD 3", "sd3", "sd3", 1024, 1.5),
    ("sd3-large", "SD 3.5 Large", "sd3/large", "sd3", 1024, 3.0),
    ("sd3-medium", "SD 3.5 Medium", "sd3/medium", "sd3", 1024, 1.2),
    ("cascade", "Stable Cascade", "cascade", _NONE, 1024, 1.0),
    ("svd", "Stable Video Diffusion", "svd", "sd1", 0, 0.6),
    ("flux1", "FLUX.1", "flux1", "flux1", 1024, 4.0),
    ("chroma", "Chroma", "chroma", _NONE, 1024, 4.0),
    ("flux2", "FLUX.2", "flux2", "flux2", 0, 8.0),
    ("flux2-klein-4b", "FLUX.2 Klein 4B", "flux2/4b", "flux2", 0, 1.5),
    ("flux2-klein-9b", "FLUX.2 Klein 9B", "flux2/9b", "flux2", 0, 3.0),
    ("qwen", "Qwen-Image", "qwen", "wan21", 1328, 6.0),
    ("zimage", "Z-Image", "zimage", "flux1", 1024, 2.0),
    ("hidream", "HiDream", "hidream", "flux1", 1024, 5.0),
    ("lumina", "Lumina 2", "lumina", "flux1", 1024, 1.2),
    ("auraflow", "AuraFlow", "auraflow", "sdxl", 1024, 2.5),
    ("pixart", "PixArt", "pixart", _NONE, 0, 0.5),
    ("anima", "Anima", "anima", "wan21", 1024, 1.0),
    ("ernie", "ERNIE-Image", "ernie", "flux2", 1024, 3.0),
    ("omnigen2", "OmniGen2", "omnigen2", "flux1", 1024, 2.0),
    ("hunyuandit", "Hunyuan-DiT", "hunyuandit", "sdxl", 1024, 0.8),
    ("wan", "Wan", "wan", _NONE, 0, 4.0),
    ("wan-1.3b", "Wan 2.1 1.3B", "wan/1.3b", "wan21", 0, 0.6),
    ("wan-14b", "Wan 14B", "wan/14b", "wan21", 0, 4.5),
    ("wan-5b", "Wan 2.2 5B", "wan/5b", "wan22", 0, 1.6),
    ("hunyuanvideo", "HunyuanVideo", "hunyuanvideo", "hunyuanvideo", 0, 4.0),
    ("hunyuanvideo15", "HunyuanVideo 1.5", "hunyuanvideo15", "hunyuanvideo15", 0, 2.5),
    ("ltxv", "LTX-Video", "ltxv", "ltxv", 0, 0.7),
    ("ltx2", "LTX-2", "ltx2", "ltx2", 0, 4.0),
    ("ltx2.3", "LTX-2.3", "ltx2.3", "ltx2", 0, 4.5),
    ("mochi", "Mochi", "mochi", "mochi", 0, 3.0),
    ("cogvideox", "CogVideoX", "cogvideox", "cogvideox", 0, 2.0),
    ("ace", "ACE-Step", "ace", _NONE, 0, 1.0),
    ("hunyuan3d", "Hunyuan3D", "hunyuan3d", _NONE, 0, 1.0),
)

FAMILIES: Mapping[str, Family] = {
    key: Family(key, label, kin, SPACES.get(space), side, weight)
    for key, label, kin, space, side, weight in _ROWS
}
"""Key → family."""

_ECOSYSTEMS: Mapping[str, str] = {
    "sd1": "sd1", "sd2": "sd2", "sdxl": "sdxl", "kolors": "kolors",
    "sd3": "sd3-large", "sd3_5m": "sd3-medium", "scascade": "cascade", "svd": "svd",
    "flux1": "flux1", "fluxkrea": "flux1", "flux1kontext": "flux1", "flux2": "flux2",
    "chroma": "chroma", "qwen": "qwen", "zimageturbo": "zimage", "zimagebase": "zimage",
    "hidream": "hidream", "lumina": "lumina", "auraflow": "auraflow", "pixarta": "pixart",
    "pixarte": "pixart", "anima": "anima", "ernie": "ernie", "hydit1": "hunyuandit",
    "hyv1": "hunyuanvideo", "ltxv": "ltxv", "ltxv2": "ltx2", "ltxv23": "ltx2.3",
    "mochi": "mochi", "cogvideox": "cogvideox", "ace": "ace", "hunyuan3d": "hunyuan3d",
    "wanvideo": "wan", "wanvideo1_3b_t2v": "wan-1.3b", "wanvideo14b_t2v": "wan-14b",
    "wanvideo14b_i2v_480p": "wan-14b", "wanvideo14b_i2v_720p": "wan-14b",
    "wanvideo-22-ti2v-5b": "wan-5b", "wanvideo-22-i2v-a14b": "wan-14b",
    "wanvideo-22-t2v-a14b": "wan-14b",
}  # fmt: skip
"""AIR ecosystem → family. `sd3` is SD 3 and SD 3.5 Large alike, so `family_of_ecosystem` says no
more than SD 3."""

_BASE_MODELS = (
    (r"sdxl.*turbo", "sdxl-turbo"),
    (r"illustrious|noobai|pony(?! ?v7)|sdxl.*", "sdxl"),
    (r"pony ?v7", "auraflow"),
    (r"sd 1\.[45].*", "sd1"),
    (r"sd 2\.[01].*", "sd2"),
    (r"sd 3\.5 large.*", "sd3-large"),
    (r"sd 3\.5 medium", "sd3-medium"),
    (r"sd 3(\.5)?", "sd3"),
    (r"svd.*", "svd"),
    (r"flux\.1.*", "flux1"),
    (r"flux\.2 klein 4b.*", "flux2-klein-4b"),
    (r"flux\.2 klein 9b.*", "flux2-klein-9b"),
    (r"flux\.2.*", "flux2"),
    (r"hunyuan 1", "hunyuandit"),
    (r"hunyuan video", "hunyuanvideo"),
    (r"ltxv 2\.3", "ltx2.3"),
    (r"pixart.*", "pixart"),
    (r"stable cascade", "cascade"),
    (r"wan video.*\b1\.3b.*", "wan-1.3b"),
    (r"wan video.*5b", "wan-5b"),
    (r"wan video.*14b.*", "wan-14b"),
    (r"wan video( 2\.[12])?", "wan"),
    (r"ace audio", "ace"),
)


def family_of_ecosystem(text: str) -> Family | None:
    """
    Give the family of an AIR ecosystem (`sdxl`), of one of Civitai's base models
    (`Illustrious`, `SD 1.5`), or of a family's own key; `None` for any other.
    """
    folded = " ".join(text.casefold().split())[:80]
    if folded == "sd3":
        return FAMILIES["sd3"]
    key = _ECOSYSTEMS.get(folded, folded)
    if key in FAMILIES:
        return FAMILIES[key]
    for pattern, name in _BASE_MODELS:
        if re.fullmatch(pattern, folded):
            return FAMILIES[name]
    return None


# Key, a word that must occur, and a pattern for names whose separators are spaces:
# `sd_xl_base_1.0` is "sd xl base 1 0". Patterns are compiled when their word occurs.
_NAMES = (
    ("sd1", "1", r"\b(sd|stable ?diffusion) ?v?1 ?[45]\b|\b(sd|sdv)1\b|\bv1 [45] (pruned|inpaint)"),
    ("sd2", "2", r"\b(sd|stable ?diffusion) ?v?2( [01])?\b|\bsd ?2[01]\b|\bv2 1 768"),
    ("sdxl", "xl", r"sd ?xl|\bstable ?diffusion ?xl|\b(pony|animagine|juggernaut|realvis|dreamshaper) ?xl"),  # noqa: E501
    ("sdxl-turbo", "turbo", r"xl.*turbo|turbo.*xl"),
    ("sdxl", "illustrious", r"illustrious"),
    ("sdxl", "noobai", r"\bnoobai"),
    ("sdxl", "pony", r"\bpony ?diffusion ?v6"),
    ("sd3-large", "large", r"\bsd ?3 ?5 large"),
    ("sd3-medium", "medium", r"\bsd ?3 ?5 medium"),
    ("sd3", "3", r"\bsd ?3\b(?! 5 (large|medium))|\bstable ?diffusion ?3\b"),
    ("cascade", "cascade", r"\bstable ?cascade"),
    ("svd", "svd", r"\bsvd( xt)?\b"),
    ("flux1", "flux", r"\bflux ?1[ds]?\b|\bflux (dev|schnell|krea|kontext|fill|canny|depth)\b|\bfluxdev"),  # noqa: E501
    ("chroma", "chroma", r"\bchroma( ?1|\b)(?! radiance)"),
    ("flux2-klein-4b", "flux", r"\bflux ?2 klein (base )?4b"),
    ("flux2-klein-9b", "flux", r"\bflux ?2 klein (base )?9b"),
    ("flux2", "flux", r"\bflux ?2(?! klein)"),
    ("qwen", "qwen", r"\bqwen ?image|\bqwen edit"),
    ("zimage", "image", r"\bz ?image"),
    ("hidream", "hidream", r"\bhidream ?(i1|e1)"),
    ("lumina", "lumina", r"\blumina ?2|\bneta ?lumina"),
    ("lumina", "neta", r"\bneta ?yume"),
    ("auraflow", "flow", r"\baura ?flow"),
    ("auraflow", "pony", r"\bpony ?v7"),
    ("pixart", "pixart", r"\bpixart"),
    ("anima", "anima", r"\banima (base|turbo|preview|lllite)"),
    ("ernie", "ernie", r"\bernie image"),
    ("kolors", "kolors", r"\bkolors"),
    ("omnigen2", "omnigen", r"\bomnigen ?2"),
    ("wan-1.3b", "wan", r"\bwan ?(video)? ?2 ?1\b.*\b1 3b"),
    ("wan-5b", "wan", r"\bwan ?(video)? ?2 ?2\b.*\b5b"),
    ("wan-14b", "wan", r"\bwan ?(video)? ?2 ?[12]\b.*\b14b|\bwan ?2 ?2\b.*\b(high|low) noise"),
    ("wan", "wan", r"\bwan ?(video)? ?2 ?[12](?! vae)(?!.*(\b1 3b|\b5b|\b14b|high noise|low noise))"),  # noqa: E501
    ("hunyuanvideo15", "hunyuan", r"\bhunyuan ?video ?1 ?5"),
    ("hunyuanvideo", "hunyuan", r"\bhunyuan ?video(?! ?1 ?5)"),
    ("ltxv", "ltx", r"\bltx ?video|\bltxv( 2b| 13b| 0 9)"),
    ("ltx2", "ltx", r"\bltx ?2 19b"),
    ("ltx2.3", "ltx", r"\bltx ?2 3\b"),
    ("mochi", "mochi", r"\bmochi( 1)? preview"),
    ("cogvideox", "videox", r"\bcog ?videox"),
    ("ace", "ace", r"\bace ?step"),
    ("hunyuan3d", "hunyuan", r"\bhunyuan ?3d"),
)  # fmt: skip
_SEPARATORS = r"[^a-z0-9]+"


@lru_cache(maxsize=2_000)
def family_of_name(text: str) -> Family | None:
    """
    Guess the family from the name of a model's file; `None` where it tells none, or several.

    The folders above count as well: `sdxl/detail.safetensors`. This is what the author of a
    name says, and no more: findings that rest on it are no errors.
    """
    words = _words(text)
    found = {key for key, word, pattern in _NAMES if word in words and re.search(pattern, words)}
    if found == {"sdxl", "sdxl-turbo"}:
        found.discard("sdxl")
    return FAMILIES[found.pop()] if len(found) == 1 else None


_VAES = (
    ("sd1", r"\bvae ft (mse|ema) (840000|560000)|\bkl f8 anime"),
    ("sdxl", r"\bsdxl( fp16 fix)?( 1 0)? ?vae"),
    ("flux1", r"^ae$|\bflux ?1? (ae|vae)$"),
    ("flux2", r"\bflux ?2 (vae|ae)"),
    ("wan21", r"\bwan ?2 ?1 vae|\bqwen image vae"),
    ("wan22", r"\bwan ?2 ?2 vae"),
    ("hunyuanvideo", r"\bhunyuan ?video vae"),
    ("hunyuanvideo15", r"\bhunyuan ?video ?15 vae"),
    ("mochi", r"\bmochi vae"),
    ("cogvideox", r"\bcogvideox vae"),
)


@lru_cache(maxsize=2_000)
def space_of_name(text: str) -> Space | None:
    """
    Guess the latent space from the name of a VAE's file, or `None`.
    """
    words = _words(text.replace("\\", "/").rpartition("/")[2])
    if "vae" not in words and "ae" not in words.split():
        return None
    return next((SPACES[key] for key, pattern in _VAES if re.search(pattern, words)), None)


_EXTENSIONS = (".safetensors", ".ckpt", ".pth", ".pt", ".bin", ".gguf", ".sft", ".onnx")


def _words(text: str) -> str:
    folded = text[-300:].strip().casefold()
    for extension in _EXTENSIONS:
        folded = folded.removesuffix(extension)
    return re.sub(_SEPARATORS, " ", folded).strip()


def fits(part: Family, model: Family) -> bool | None:
    """
    Tell whether a LoRA or ControlNet of one family works on a model of another.

    Returns:
        `None` where it may: one of the two names a group, or the two are related too closely.
    """
    if part.kin == model.kin:
        return True
    if part.kin.startswith(f"{model.kin}/") or model.kin.startswith(f"{part.kin}/"):
        return None
    if {part.kin, model.kin} in _COUSINS:
        return None
    return False


_COUSINS = ({"flux1", "chroma"}, {"ltx2", "ltx2.3"}, {"sdxl", "kolors"}, {"lumina", "zimage"})
"""Pairs of which one is made from the other: some parts work on both."""
