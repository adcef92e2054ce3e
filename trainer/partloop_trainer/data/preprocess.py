"""The one definition of preprocessing; the scan and the evaluation mirror it, and a parity test compares them.

The longest side is scaled to S by bilinear filtering with antialiasing. The result is at the top left of an S×S canvas;
the rest is `PAD_RGB` (in the label 255, ignored). Normalisation is part of the network.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

PAD_RGB = (124, 116, 104)
IGNORE = 255

Pixels = NDArray[np.uint8]


def content_size(width: int, height: int, size: int) -> tuple[int, int]:
    """Width and height inside the S×S canvas: halves round up, at least 1. Integers agree in all languages."""
    longest = max(width, height)
    return max(1, (2 * width * size + longest) // (2 * longest)), max(1, (2 * height * size + longest) // (2 * longest))


def resize_image(image: Image.Image, size: int) -> Pixels:
    """[h, w, 3] RGB with the longest side `size`."""
    return np.asarray(image.convert("RGB").resize(content_size(*image.size, size), Image.Resampling.BILINEAR))


def resize_label(label: Pixels, size: int) -> Pixels:
    """[h, w] label with the longest side `size`: each pixel takes the source pixel under its centre."""
    height, width = label.shape
    return resize_nearest(label, *content_size(width, height, size))


def resize_nearest(values: Pixels, to_width: int, to_height: int) -> Pixels:
    """[h, w] → [to_height, to_width]: each pixel takes the source pixel under its centre."""
    height, width = values.shape
    rows = (2 * np.arange(to_height) + 1) * height // (2 * to_height)
    columns = (2 * np.arange(to_width) + 1) * width // (2 * to_width)
    return np.ascontiguousarray(values[rows[:, None], columns[None, :]])


def letterbox_image(content: Pixels, size: int) -> Pixels:
    """[S, S, 3]: the content at the top left, `PAD_RGB` elsewhere."""
    canvas = np.empty((size, size, 3), np.uint8)
    canvas[:] = PAD_RGB
    canvas[: content.shape[0], : content.shape[1]] = content
    return canvas


def letterbox_label(content: Pixels, size: int) -> Pixels:
    """[S, S]: the content at the top left, `IGNORE` elsewhere."""
    canvas = np.full((size, size), IGNORE, np.uint8)
    canvas[: content.shape[0], : content.shape[1]] = content
    return canvas
