"""The image of each sample and the randomness of its augmentation, as pure functions of (seed, sample number).

Counter-based randomness (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") makes resuming O(1) and the
order independent of the number of loader threads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CHOICE, AUGMENT = 0, 1
# Smallest and largest weight of a class in the losses.
CLASS_WEIGHTS = (0.25, 4.0)


def stream(seed: int, sample: int, purpose: int) -> np.random.Generator:
    """The random stream of one sample; streams of different purposes are independent."""
    return np.random.Generator(np.random.Philox(key=(seed, sample), counter=(0, 0, 0, purpose)))


def image_weights(counts: NDArray[np.int64], exponent: float) -> NDArray[np.float64]:
    """Sampling probability [n] of each image: (share of images that hold its rarest class)^-exponent, summing to 1.

    counts: [n, classes] labelled pixels. The repeat factor of Gupta et al. 2019 (LVIS) without its threshold. Images
    without any labelled pixel teach nothing and get no share, unless there are no others.
    """
    present = counts > 0
    frequency = present.mean(axis=0)
    rarest = np.where(present, frequency, 2.0).min(axis=1, initial=2.0)
    weights = np.where(rarest <= 1.0, np.minimum(rarest, 1.0) ** -exponent, 0.0)
    if weights.sum() == 0:
        weights = np.ones(len(counts))
    return weights / weights.sum()


def class_weights(
    counts: NDArray[np.int64], exponent: float, bounds: tuple[float, float] = CLASS_WEIGHTS
) -> NDArray[np.float64]:
    """Loss weight [classes] of each class: pixel frequency^-exponent, median 1, then clipped to `bounds`.

    The median is used because one class of a few stray pixels would pull a mean up and push all others to the lower
    bound. A class that does not occur gets 1; it never enters a sum.
    """
    totals = counts.sum(axis=0).astype(np.float64)
    occurs = totals > 0
    weights = np.ones(len(totals))
    if occurs.any():
        raw = (totals[occurs] / totals.sum()) ** -exponent
        weights[occurs] = np.clip(raw / np.median(raw), *bounds)
    return weights


class Sampler:
    """Weighted drawing with replacement: sample number → image index."""

    def __init__(self, seed: int, weights: NDArray[np.float64]) -> None:
        self._seed = seed
        self._edges = np.cumsum(weights)
        self._edges[-1] = 1.0

    def index(self, sample: int) -> int:
        point = stream(self._seed, sample, CHOICE).random()
        return int(np.searchsorted(self._edges, point, side="right"))
