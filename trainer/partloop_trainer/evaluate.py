"""Validation during training: IoU of each class on the S×S letterbox grid, padding ignored.

A quick figure for progress and logs; what decides about a model is the evaluation of the exported file.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from .data import ImageSet
from .model import KNet, upsampled
from .preprocess import IGNORE, Pixels, letterbox_image, letterbox_label
from .protocol import StopFlag


@dataclass(frozen=True)
class Metrics:
    """mIoU leaves out the background; a class without a labelled pixel has None and does not count."""

    miou: float | None
    per_class: list[float | None]


def evaluate(
    model: KNet,
    images: ImageSet,
    classes: int,
    size: int,
    batch: int,
    workers: int,
    stop: StopFlag,
    limit: int | None = None,
) -> Metrics:
    """Run the network over the images (the first `limit` only, if given); leaves it in evaluation mode."""
    model.eval()
    device = next(model.parameters()).device
    confusion = np.zeros((classes, classes), np.int64)
    count = len(images.records) if limit is None else min(limit, len(images.records))

    def prepare(index: int) -> tuple[Pixels, Pixels]:
        image, label = images.content(index, size)
        return letterbox_image(image, size), letterbox_label(label, size)

    with ThreadPoolExecutor(max(1, workers)) as pool, torch.inference_mode():
        for first in range(0, count, batch):
            stop.check()
            pairs = list(pool.map(prepare, range(first, min(count, first + batch))))
            image = torch.from_numpy(np.stack([one for one, _ in pairs])).to(device)
            logits = model(image.permute(0, 3, 1, 2).float())
            found = upsampled(logits.float(), size).argmax(1).cpu().numpy()
            confusion += confusion_counts(np.stack([label for _, label in pairs]), found, classes)
    return metrics_of(confusion)


def confusion_counts(label: Pixels, found: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
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
