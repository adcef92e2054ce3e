"""Segmentation losses with class weights; 255 is ignored; every reduction is a sum divided by a sum of weights.

Cross entropy is log_softmax, gather and a weighted mean: `NLLLoss` has no deterministic backward on CUDA.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..data.preprocess import IGNORE
from ..settings import Settings

# Share of the iterations in which the network learns from all background, before it may doubt any.
TRUSTING_SHARE = 0.3

# Focusing power of the focal loss, as its authors recommend.
FOCAL_GAMMA = 2.0


@dataclass(frozen=True)
class Target:
    """A label made ready for the losses of one size. index: [N, H, W] int64, 0 where ignored; valid, weight: [N, H, W].

    totals: [2] the divisors of the sums: the sum of the pixels' weights, and the number of pairs of image and class
    in the labels. Both come from labels alone, so that parts of a batch can have the totals of the whole before any
    forward pass.
    """

    index: Tensor
    valid: Tensor
    weight: Tensor
    totals: Tensor


class SegmentationLoss:
    """The configured loss: logits [N, C, H, W] and a target → scalar.

    A weighted sum of cross entropy, focal loss and Dice. Each is a sum over the batch divided by one of the totals:
    with the totals of a whole batch, the losses of its parts add up to the loss of the whole.
    """

    def __init__(self, settings: Settings, weights: Tensor) -> None:
        self._weights = weights
        self._ce, self._focal, self._dice = settings.loss_shares
        self._doubt_above = settings.doubtBackground
        self._doubt_from = TRUSTING_SHARE * settings.iterations

    def doubts(self, iteration: int) -> bool:
        """Whether background may be left out in this iteration."""
        return self._doubt_above < 1 and iteration >= self._doubt_from

    def target(self, label: Tensor) -> Target:
        """label [N, H, W] uint8, 255 ignored."""
        valid = label != IGNORE
        index = torch.where(valid, label, 0).long()
        weight = self._weights[index] * valid
        pairs = present(index, valid, len(self._weights)).sum() if self._dice else weight.new_zeros(())
        return Target(index, valid, weight, torch.stack([weight.sum(), pairs]))

    def __call__(
        self, logits: Tensor, target: Target, totals: Tensor | None = None, *, doubting: bool = False
    ) -> Tensor:
        """totals: those of the whole batch if `target` is a part of it; doubting: leave out background in doubt."""
        logits = logits.float()
        weights, pairs = target.totals if totals is None else totals
        if doubting:
            target = without(target, doubted(logits, target, self._doubt_above))
        terms: list[Tensor] = []
        for share, gamma in ((self._ce, 0.0), (self._focal, FOCAL_GAMMA)):
            if share:
                entropy = cross_entropy(logits, target.index, target.weight, gamma) / weights.clamp(min=1e-6)
                terms.append(entropy if share == 1 else share * entropy)
        if self._dice:
            terms.append(self._dice * dice(logits, target.index, target.valid) / pairs.clamp(min=1))
        total = terms[0]
        for one in terms[1:]:
            total = total + one
        return total


def doubted(logits: Tensor, target: Target, above: float) -> Tensor:
    """[N, H, W] bool: labelled as background, while one part has a probability above `above`.

    People leave parts out far more often than they invent them. A network that learns left-out parts as background
    cannot find them later, so it is spared the background that it contradicts (as in learning from partial labels with
    a network's own confident predictions, Lee 2013).
    """
    with torch.no_grad():
        part = F.softmax(logits.detach(), dim=1)[:, 1:].amax(dim=1)
        return (target.index == 0) & target.valid & (part > above)


def without(target: Target, left_out: Tensor) -> Target:
    """The target with pixels ignored. Totals stay: they come from labels alone."""
    kept = ~left_out
    return Target(target.index, target.valid & kept, target.weight * kept, target.totals)


def cross_entropy(logits: Tensor, index: Tensor, weight: Tensor, focal_gamma: float) -> Tensor:
    """Weighted sum of -log p; with a power of (1 - p) it is the focal loss (Lin et al. 2017, eq. 4).

    index: [N, H, W] int64; weight: [N, H, W], 0 where ignored.
    """
    log_p = F.log_softmax(logits, dim=1).gather(1, index.unsqueeze(1)).squeeze(1)
    loss = -log_p if focal_gamma == 0 else -log_p * (1 - log_p.exp()).clamp(min=0) ** focal_gamma
    return (loss * weight).sum()


def dice(logits: Tensor, index: Tensor, valid: Tensor) -> Tensor:
    """Sum of 1 - soft Dice over each image's classes (Milletari et al. 2016, eq. 3).

    Per image, not over the batch: only then do the parts of a batch add up to the whole.
    """
    probability = F.softmax(logits, dim=1) * valid.unsqueeze(1)
    truth = one_hot(index, valid, logits.shape[1])
    both = (probability * truth).sum(dim=(2, 3))
    truths = truth.sum(dim=(2, 3))
    sizes = (probability * probability).sum(dim=(2, 3)) + truths
    return ((1 - 2 * both / sizes.clamp(min=1e-6)) * (truths > 0)).sum()


def one_hot(index: Tensor, valid: Tensor, classes: int) -> Tensor:
    """[N, C, H, W] float32, all 0 where not valid."""
    return F.one_hot(index, classes).movedim(-1, 1).float() * valid.unsqueeze(1)


def present(index: Tensor, valid: Tensor, classes: int) -> Tensor:
    """[N, C] float32: 1 where an image holds a class."""
    return one_hot(index, valid, classes).amax(dim=(2, 3))


def shrink_label(label: Tensor, stride: int) -> Tensor:
    """[N, H, W] → [N, H/stride, W/stride]: the pixel at the centre of each cell."""
    return label[:, stride // 2 :: stride, stride // 2 :: stride]
