"""Segmentation losses with class weights; 255 is ignored; every reduction is a sum divided by a sum of weights.

Cross entropy is log_softmax, gather and a weighted mean: `NLLLoss` has no deterministic backward on CUDA.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .job import LossJob
from .preprocess import IGNORE


class SegmentationLoss:
    """The configured loss: logits [N, C, H, W] and label [N, H, W] (uint8, 255 ignored) → scalar."""

    def __init__(self, settings: LossJob, weights: Tensor) -> None:
        self._settings = settings
        self._weights = weights

    def __call__(self, logits: Tensor, label: Tensor) -> Tensor:
        logits = logits.float()
        valid = label != IGNORE
        target = torch.where(valid, label, 0).long()
        if self._settings.name == "dice":
            return dice(logits, target, valid)
        weight = self._weights[target] * valid
        entropy = cross_entropy(
            logits, target, weight, self._settings.focalGamma if self._settings.name == "focal" else 0.0
        )
        return entropy + dice(logits, target, valid) if self._settings.name == "ce+dice" else entropy


def cross_entropy(logits: Tensor, target: Tensor, weight: Tensor, focal_gamma: float) -> Tensor:
    """Weighted mean of -log p; with a power of (1 - p) it is the focal loss (Lin et al. 2017, eq. 4).

    target: [N, H, W] int64; weight: [N, H, W], 0 where ignored. All ignored gives 0, not NaN.
    """
    log_p = F.log_softmax(logits, dim=1).gather(1, target.unsqueeze(1)).squeeze(1)
    loss = -log_p if focal_gamma == 0 else -log_p * (1 - log_p.exp()).clamp(min=0) ** focal_gamma
    return (loss * weight).sum() / weight.sum().clamp(min=1e-6)


def dice(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """1 - soft Dice over the batch, mean over classes that the labels hold (Milletari et al. 2016, eq. 3)."""
    probability = F.softmax(logits, dim=1) * valid.unsqueeze(1)
    truth = F.one_hot(target, logits.shape[1]).movedim(-1, 1).to(logits.dtype) * valid.unsqueeze(1)
    both = (probability * truth).sum(dim=(0, 2, 3))
    truths = truth.sum(dim=(0, 2, 3))
    sizes = (probability * probability).sum(dim=(0, 2, 3)) + truths
    present = (truths > 0).to(logits.dtype)
    return ((1 - 2 * both / sizes.clamp(min=1e-6)) * present).sum() / present.sum().clamp(min=1)


def shrink_label(label: Tensor, stride: int) -> Tensor:
    """[N, H, W] → [N, H/stride, W/stride]: the pixel at the centre of each cell."""
    return label[:, stride // 2 :: stride, stride // 2 :: stride]
