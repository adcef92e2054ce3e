"""The neck of UPerNet (Xiao et al. 2018, arXiv 1807.10221): pyramid pooling on the deepest map, merged top down."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..data.resize import between, pooling_matrix, resize_bilinear
from .fpn import norm

# Cells per side of the pooled grids (Zhao et al. 2017, PSPNet).
GRIDS = (1, 2, 3, 6)


def unit(inner: int, outer: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inner, outer, kernel, padding=kernel // 2, bias=False), norm(outer), nn.ReLU())


class PyramidPooling(nn.Module):
    """[N, inner, h, w] → [N, outer, h, w]: the map beside its means over 1, 2², 3² and 6² cells."""

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(unit(inner, outer, 1) for _ in GRIDS)
        self.merge = unit(inner + len(GRIDS) * outer, outer, 3)

    def forward(self, x: Tensor) -> Tensor:
        height, width = int(x.shape[-2]), int(x.shape[-1])
        pooled = [x]
        for grid, level in zip(GRIDS, self.levels, strict=True):
            # Adaptive pooling as two fixed matrices: its own backward is not deterministic on CUDA, and ONNX has none.
            cells = level(between(x, pooling_matrix, grid, grid))
            pooled.append(resize_bilinear(cells, height, width))
        return self.merge(torch.cat(pooled, 1))


class UperNet(nn.Module):
    """Maps at strides 4 to 32 → one map F [N, width, S/4, S/4]."""

    def __init__(self, channels: list[int], width: int) -> None:
        super().__init__()
        self.pool = PyramidPooling(channels[-1], width)
        self.lateral = nn.ModuleList(unit(one, width, 1) for one in channels[:-1])
        self.smooth = nn.ModuleList(unit(width, width, 3) for _ in channels[:-1])
        self.merge = unit(len(channels) * width, width, 3)

    def forward(self, maps: list[Tensor]) -> Tensor:
        merged = self.pool(maps[-1])
        levels = [merged]
        for index in range(len(maps) - 2, -1, -1):
            own = self.lateral[index](maps[index])
            merged = own + resize_bilinear(merged, own.shape[-2], own.shape[-1])
            levels.insert(0, self.smooth[index](merged))
        height, width = levels[0].shape[-2:]
        return self.merge(torch.cat([resize_bilinear(one, height, width) for one in levels], 1))
