"""Augmentation of one picture with its label: crop, rotation, flip with side swap, brightness, contrast."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..settings import Augment
from .preprocess import IGNORE, PAD_RGB, Pixels, content_size, letterbox_image, letterbox_label


def flip_table(mirror_pairs: list[list[int]]) -> Pixels:
    """[256] each label value after mirroring: left and right change places, all others stay."""
    table = np.arange(256, dtype=np.uint8)
    for one, other in mirror_pairs:
        table[one], table[other] = other, one
    return table


def augment(
    image: Pixels, label: Pixels, size: int, settings: Augment, swap: Pixels, random: np.random.Generator
) -> tuple[Pixels, Pixels]:
    """Augment content [h, w, 3] and [h, w] onto S×S canvases.

    Every sample draws the same number of random values in the same order, whatever is switched on. So switching one
    augmentation off does not change the others.
    """
    draws = random.random(7)
    image, label = _crop_and_rotate(image, label, size, settings, draws)
    if settings.flip and draws[4] < 0.5:
        image, label = image[:, ::-1], swap[label[:, ::-1]]
    image = _light(image, 1 + settings.brightness * (2 * draws[5] - 1), 1 + settings.contrast * (2 * draws[6] - 1))
    return letterbox_image(image, size), letterbox_label(label, size)


def _crop_and_rotate(
    image: Pixels, label: Pixels, size: int, settings: Augment, draws: NDArray[np.float64]
) -> tuple[Pixels, Pixels]:
    """Cut a rotated window of the content and scale its longest side to S, both by one affine map."""
    height, width = label.shape
    share = 1 - settings.crop * draws[0]
    angle = math.radians(settings.angle * (2 * draws[3] - 1))
    if share == 1 and angle == 0:
        return image, label
    window_width, window_height = width * share, height * share
    centre_x = window_width / 2 + draws[1] * (width - window_width)
    centre_y = window_height / 2 + draws[2] * (height - window_height)
    out_width, out_height = content_size(width, height, size)
    scale_x, scale_y = window_width / out_width, window_height / out_height
    cos, sin = math.cos(angle), math.sin(angle)
    # PIL's affine map goes from output to input, in coordinates whose whole numbers are pixel corners.
    a, b = cos * scale_x, -sin * scale_y
    d, e = sin * scale_x, cos * scale_y
    c = centre_x - a * out_width / 2 - b * out_height / 2
    f = centre_y - d * out_width / 2 - e * out_height / 2
    coefficients = (a, b, c, d, e, f)
    to_size = (out_width, out_height)
    affine = Image.Transform.AFFINE
    moved = Image.fromarray(image).transform(
        to_size, affine, coefficients, Image.Resampling.BILINEAR, fillcolor=PAD_RGB
    )
    moved_label = Image.fromarray(label).transform(
        to_size, affine, coefficients, Image.Resampling.NEAREST, fillcolor=IGNORE
    )
    return np.asarray(moved), np.asarray(moved_label)


def _light(image: Pixels, brightness: float, contrast: float) -> Pixels:
    """Scale brightness, then the distance from the mean grey; one table for all channels keeps the hue."""
    mean = float(image[::4, ::4].mean()) * brightness
    values = (np.arange(256) * brightness - mean) * contrast + mean
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)[image]
