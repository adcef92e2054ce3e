"""Backbones: timm networks that give feature maps at strides 4, 8, 16 and 32, channels first."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..job import Job
from ..process.protocol import TrainerError
from .weights import load_backbone, missing, package_file, read_weights

# preset -> timm name, further arguments
PRESETS: dict[str, tuple[str, dict[str, Any]]] = {
    "efficientnet_lite0": ("tf_efficientnet_lite0", {}),
    "swin_tiny": ("swin_tiny_patch4_window7_224", {"drop_path_rate": 0.3, "strict_img_size": False}),
    "swin_large": ("swin_large_patch4_window7_224", {"drop_path_rate": 0.3, "strict_img_size": False}),
}
STRIDES = [4, 8, 16, 32]
IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
# Its weights were trained on inputs scaled to ±1.
PLUS_MINUS_ONE = ([127.5, 127.5, 127.5], [127.5, 127.5, 127.5])


class Backbone(nn.Module):
    """uint8-scaled RGB [N, 3, S, S] (0 to 255) → four maps [N, C_i, S/4 … S/32]; normalisation happens inside."""

    mean: Tensor
    std: Tensor

    def __init__(
        self, features: nn.Module, channels: list[int], channels_last: bool, mean: list[float], std: list[float]
    ) -> None:
        super().__init__()
        self.features = features
        self.channels = channels
        self._channels_last = channels_last
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))

    def forward(self, image: Tensor) -> list[Tensor]:
        maps = self.features((image - self.mean) / self.std)
        return [one.permute(0, 3, 1, 2).contiguous() if self._channels_last else one for one in maps]


def build_backbone(job: Job, load_weights: bool) -> Backbone:
    """Build the job's backbone; `load_weights` is off if a checkpoint will fill it.

    Raises `job-invalid` for an unknown preset or one without the four maps, `weights-missing` if weights are missing.
    """
    source = job.settings.weights
    name, extra = PRESETS.get(job.settings.preset, (job.settings.preset, {}))
    if name.startswith("swin"):
        extra = {**extra, "img_size": job.settings.imageSize}
    hub = load_weights and source == "hub"
    if not hub:
        os.environ["HF_HUB_OFFLINE"] = "1"
    import timm

    try:
        features = timm.create_model(name, pretrained=hub, features_only=True, **extra)
    except Exception as error:
        if hub and name in timm.list_models():
            raise missing(f"timm's hub gave no weights for {name}: {str(error)[:300]}") from error
        raise TrainerError(
            "job-invalid", f"`train.preset` {job.settings.preset}: {str(error)[:300]}", "see timm.list_models()"
        ) from error
    info: Any = features.feature_info
    reductions, all_channels = list(info.reduction()), list(info.channels())
    if any(stride not in reductions for stride in STRIDES):
        raise TrainerError(
            "job-invalid",
            f"`train.preset` {job.settings.preset} gives maps at strides {reductions}, not {STRIDES}",
            "choose another backbone",
        )
    # The last of several maps of one stride is the deepest; `forward` below drops unused ones.
    chosen = [len(reductions) - 1 - reductions[::-1].index(stride) for stride in STRIDES]
    if load_weights and not hub and source != "random":
        load_backbone(features, read_weights(_weights_file(job)), source)
    mean, std = PLUS_MINUS_ONE if job.settings.preset == "efficientnet_lite0" else IMAGENET
    network = features if len(reductions) == len(STRIDES) else Chosen(features, chosen)
    return Backbone(network, [all_channels[index] for index in chosen], name.startswith("swin"), mean, std)


class Chosen(nn.Module):
    """A feature network that gives only some of its maps."""

    def __init__(self, features: nn.Module, indices: list[int]) -> None:
        super().__init__()
        self.features = features
        self._indices = indices

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = self.features(x)
        return [maps[index] for index in self._indices]


def _weights_file(job: Job) -> Path:
    source = job.settings.weights
    if source != "package":
        return Path(source)
    path = package_file() if job.settings.preset == "efficientnet_lite0" else None
    if path is None:
        raise missing(f"no installed package holds backbone weights for {job.settings.preset}")
    return path
