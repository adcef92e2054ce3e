"""Bilinear resizing (align_corners=False) whose backward is deterministic on CPU and on CUDA."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def resize_bilinear(x: Tensor, height: int, width: int) -> Tensor:
    """[N, C, h, w] → [N, C, height, width].

    On CUDA `interpolate` has no fast deterministic backward, two fixed matrices have; on CPU it has, and is faster.
    """
    if x.shape[-2:] == (height, width):
        return x
    if not x.is_cuda:
        return F.interpolate(x, size=(height, width), mode="bilinear", align_corners=False)
    rows = interpolation_matrix(int(x.shape[-2]), height).to(x)
    columns = interpolation_matrix(int(x.shape[-1]), width).to(x)
    return rows @ x @ columns.T


@torch.compiler.assume_constant_result
@lru_cache(maxsize=256)
def pooling_matrix(source: int, target: int) -> Tensor:
    """[target, source] float32: row i is the mean over the i-th cell of adaptive average pooling."""
    matrix = np.zeros((target, source), np.float32)
    for i in range(target):
        first, end = i * source // target, -(-(i + 1) * source // target)
        matrix[i, first:end] = 1 / (end - first)
    return torch.from_numpy(matrix)


@torch.compiler.assume_constant_result
@lru_cache(maxsize=256)
def interpolation_matrix(source: int, target: int) -> Tensor:
    """[target, source] float32: row i holds the bilinear weights of output i, sample points at pixel centres."""
    points = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    low = np.floor(points).astype(int)
    high = np.minimum(low + 1, source - 1)
    matrix = np.zeros((target, source), np.float32)
    np.add.at(matrix, (np.arange(target), low), 1 - (points - low))
    np.add.at(matrix, (np.arange(target), high), points - low)
    return torch.from_numpy(matrix)
