"""The neck: a feature pyramid merged at stride 4 (Kirillov et al. 2019, "Panoptic feature pyramid networks")."""

from __future__ import annotations

from torch import Tensor, nn

from ..data.resize import resize_bilinear


def norm(width: int) -> nn.GroupNorm:
    """GroupNorm with at least 8 channels per group; unlike batch norm it does not depend on the batch size."""
    return nn.GroupNorm(max(1, min(32, width // 8)), width)


class Fpn(nn.Module):
    """Maps at strides 4 to 32 → one map F [N, width, S/4, S/4]."""

    def __init__(self, channels: list[int], width: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(one, width, 1) for one in channels)
        self.smooth = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), norm(width), nn.ReLU()) for _ in channels
        )

    def forward(self, maps: list[Tensor]) -> Tensor:
        height, width = maps[0].shape[-2:]
        merged: Tensor | None = None
        total: Tensor | None = None
        for index in range(len(maps) - 1, -1, -1):
            own = self.lateral[index](maps[index])
            merged = own if merged is None else own + resize_bilinear(merged, own.shape[-2], own.shape[-1])
            level = resize_bilinear(self.smooth[index](merged), height, width)
            total = level if total is None else total + level
        if total is None:
            raise ValueError("the neck needs at least one map")
        return total
