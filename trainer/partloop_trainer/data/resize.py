"""Bilinear resizing (align_corners=False) whose backward is deterministic on CPU and on CUDA."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Matrix = Callable[[int, int, torch.device], Tensor]


def resize_bilinear(x: Tensor, height: int, width: int) -> Tensor:
    """[N, C, h, w] → [N, C, height, width].

    On CUDA `interpolate` has no fast deterministic backward, but two fixed matrices do. On CPU it has, and is faster.
    """
    if x.shape[-2:] == (height, width):
        return x
    if not x.is_cuda:
        return F.interpolate(x, size=(height, width), mode="bilinear", align_corners=False)
    return between(x, interpolation_matrix, height, width)


def between(x: Tensor, kind: Matrix, height: int, width: int) -> Tensor:
    """[N, C, h, w] → [N, C, height, width] by a fixed matrix per side: `kind` of its length before and after."""
    rows, columns = placed(kind, int(x.shape[-2]), height, x), placed(kind, int(x.shape[-1]), width, x)
    return rows @ x @ columns.T


# Only a few: one per pair of side lengths.
_PLACED: dict[tuple[object, ...], Tensor] = {}


def placed(kind: Matrix, source: int, target: int, like: Tensor) -> Tensor:
    """A matrix on the device of `like` and in its type. It is kept: a copy in every step would stall the device."""
    if torch.compiler.is_compiling():
        # The compiler makes it a part of its own code.
        return kind(source, target, like.device).to(like.dtype)
    key = (kind, source, target, like.device, like.dtype)
    if key not in _PLACED:
        # Needed if validation comes first: training could not use a tensor made in inference mode.
        with torch.inference_mode(False):
            _PLACED[key] = kind(source, target, like.device).to(like.dtype)
    return _PLACED[key]


def pooling_matrix(source: int, target: int, device: torch.device | None = None) -> Tensor:
    """[target, source] float32: row i is the mean over the i-th cell of adaptive average pooling."""
    cell, pixel = torch.arange(target, device=device).unsqueeze(1), torch.arange(source, device=device)
    first = cell * source // target
    end = -(-(cell + 1) * source // target)
    return ((pixel >= first) & (pixel < end)).float() / (end - first)


def interpolation_matrix(source: int, target: int, device: torch.device | None = None) -> Tensor:
    """[target, source] float32: row i holds the bilinear weights of output i, sample points at pixel centres."""
    points = ((torch.arange(target, device=device).double() + 0.5) * source / target - 0.5).clamp(0, source - 1)
    return (1 - (points.unsqueeze(1) - torch.arange(source, device=device)).abs()).clamp(min=0).float()
