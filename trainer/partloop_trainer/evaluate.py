"""Validation: IoU of each class, counted on the grid of the exported file's evaluation (`activities/evaluate.ts`).

The grid is the label at longest side `grid`, nearest neighbour. The mask is found on the S×S canvas that the network
sees. It is cropped to the picture and resampled to the label's grid, also by nearest neighbour: padding never counts.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from .data.dataset import ImageSet
from .data.preprocess import IGNORE, Pixels, content_size, letterbox_image, resize_image, resize_label, resize_nearest
from .model.knet import KNet, upsampled
from .process.protocol import StopFlag


@dataclass(frozen=True)
class Metrics:
    """mIoU leaves out the background; a class without a labelled pixel is None and does not count."""

    miou: float | None
    per_class: list[float | None]


def evaluate(
    model: KNet,
    images: ImageSet,
    classes: int,
    size: int,
    grid: int,
    batch: int,
    workers: int,
    stop: StopFlag,
    limit: int | None = None,
) -> Metrics:
    """Run the network at `size` pixels over the images (the first `limit` only, if given) and count at `grid` pixels.

    Leaves the network in evaluation mode.
    """
    model.eval()
    device = next(model.parameters()).device
    confusion = np.zeros((classes, classes), np.int64)
    count = len(images.records) if limit is None else min(limit, len(images.records))

    def prepare(index: int) -> tuple[Pixels, Pixels]:
        image, label = images.source(index)
        return letterbox_image(resize_image(image, size), size), label

    with ThreadPoolExecutor(max(1, workers)) as pool, torch.inference_mode():
        for first in range(0, count, batch):
            stop.check()
            pairs = list(pool.map(prepare, range(first, min(count, first + batch))))
            image = torch.from_numpy(np.stack([one for one, _ in pairs])).to(device)
            logits = model(image.permute(0, 3, 1, 2).float())
            masks = upsampled(logits.float(), size).argmax(1).to(torch.uint8).cpu().numpy()
            for mask, (_, label) in zip(masks, pairs, strict=True):
                confusion += confusion_counts(resize_label(label, grid), on_grid(mask, label.shape, grid), classes)
    return metrics_of(confusion)


def on_grid(mask: Pixels, label_shape: tuple[int, ...], grid: int) -> Pixels:
    """The mask [S, S] of a picture whose label is [h, w], cropped to the picture, at longest side `grid`."""
    height, width = label_shape
    inner_width, inner_height = content_size(width, height, mask.shape[0])
    return resize_nearest(mask[:inner_height, :inner_width], *content_size(width, height, grid))


def confusion_counts(label: Pixels, found: Pixels, classes: int) -> NDArray[np.int64]:
    """[classes, classes] pixels by (label, found), ignored pixels left out."""
    valid = label != IGNORE
    pairs = label[valid].astype(np.int64) * classes + found[valid]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def metrics_of(confusion: NDArray[np.int64]) -> Metrics:
    """IoU of each class from counts by (label, found)."""
    hit = np.diag(confusion)
    truth = confusion.sum(axis=1)
    union = truth + confusion.sum(axis=0) - hit
    per_class = [float(hit[i] / union[i]) if truth[i] else None for i in range(len(hit))]
    parts = [one for one in per_class[1:] if one is not None]
    return Metrics(float(np.mean(parts)) if parts else None, per_class)
