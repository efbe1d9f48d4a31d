"""
What a job made, as pictures in memory: for scripts and notebooks, where Pillow is installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfygraph.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image as Image

    from comfygraph.targets.events import JobSucceeded


def open_images(end: JobSucceeded) -> list[Image]:
    """
    Open the pictures of a job, in the order in which they were told.

    Those of nodes that only show, such as `PreviewImage`, are left out where there are others.

    Raises:
        UsageError: The files were not fetched, one of them is no picture after all, or Pillow
            is not installed.
    """
    try:
        import PIL.Image
    except ImportError as exc:
        raise UsageError("Pillow is not installed", hint="pip install pillow") from exc
    files = [file for file in end.files if file.kind == "image"]
    files = [file for file in files if not file.preview] or files
    images: list[Image] = []
    for file in files:
        if file.path is None:
            raise UsageError(
                f"`{file.name}` was not fetched", hint='give a folder: submit(..., out="out")'
            )
        try:
            with PIL.Image.open(file.path) as image:
                image.load()
                images.append(image)
        except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as exc:
            raise UsageError(f"{file.path}: no picture that Pillow can read: {exc}") from exc
    return images
