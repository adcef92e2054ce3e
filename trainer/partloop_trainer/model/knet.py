"""K-Net for semantic segmentation (Zhang et al. 2021, arXiv 2106.14855): one kernel per class, refined by its features.

Mirrors `knet/seg/kernel_update_head.py` of the authors' repository; equation numbers are the paper's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from ..data.resize import resize_bilinear
from ..job import Job
from .backbones import Backbone, build_backbone
from .fpn import Fpn, norm
from .upernet import UperNet


class KernelAttention(nn.Module):
    """Multi-head attention between the kernels of one image, [N, K, C] → [N, K, C].

    Written out instead of `nn.MultiheadAttention`, whose fast paths differ between training, evaluation and export.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        kernels, width = x.shape[1:]
        parts = self.project(x).view(-1, kernels, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = parts[0], parts[1], parts[2]  # each [N, heads, K, C/heads]
        scores = query @ key.transpose(-1, -2) / math.sqrt(width // self.heads)
        return self.out((scores.softmax(-1) @ value).transpose(1, 2).reshape(-1, kernels, width))


class AdaptiveKernelUpdate(nn.Module):
    """Mixes a kernel with the feature of its group by two gates (eq. 5 to 7), [N, K, C] each → [N, K, C]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.feature_in = nn.Linear(width, width)  # phi 1
        self.feature_out = nn.Linear(width, width)  # psi 3
        self.kernel_in = nn.Linear(width, width)  # phi 2
        self.kernel_out = nn.Linear(width, width)  # psi 4
        self.feature_gate = nn.Linear(width, width)
        self.kernel_gate = nn.Linear(width, width)
        self.feature_gate_norm = nn.LayerNorm(width)
        self.kernel_gate_norm = nn.LayerNorm(width)
        self.feature_norm = nn.LayerNorm(width)
        self.kernel_norm = nn.LayerNorm(width)
        self.mix = nn.Linear(width, width)
        self.mix_norm = nn.LayerNorm(width)

    def forward(self, feature: Tensor, kernel: Tensor) -> Tensor:
        both = self.feature_in(feature) * self.kernel_in(kernel)  # F^G, eq. 5
        feature_gate = torch.sigmoid(self.feature_gate_norm(self.feature_gate(both)))  # G^F, eq. 6
        kernel_gate = torch.sigmoid(self.kernel_gate_norm(self.kernel_gate(both)))  # G^K, eq. 6
        mixed = feature_gate * self.feature_norm(self.feature_out(feature)) + kernel_gate * self.kernel_norm(
            self.kernel_out(kernel)
        )  # eq. 7
        return torch.relu(self.mix_norm(self.mix(mixed)))


class KernelUpdateStage(nn.Module):
    """One round: masks gather features (eq. 4), kernels update (eq. 5 to 7), interact, and predict new masks."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.transform = nn.Conv2d(width, width, 1)
        self.update = AdaptiveKernelUpdate(width)
        self.attention = KernelAttention(width, heads)
        self.attention_norm = nn.LayerNorm(width)
        # The authors' feed-forward is 8 times as wide as the kernels (256 -> 2048).
        self.feed_forward = nn.Sequential(nn.Linear(width, 8 * width), nn.ReLU(), nn.Linear(8 * width, width))
        self.feed_forward_norm = nn.LayerNorm(width)
        self.mask_kernel = nn.Sequential(
            nn.Linear(width, width, bias=False), nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, width)
        )

    def forward(self, features: Tensor, kernels: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        """features F [N, C, h, w], kernels [N, K, C], logits M [N, K, h, w] → next kernels and next logits."""
        features = self.transform(features)  # F'
        group = group_features(features, logits)
        kernels = self.update(group.to(kernels.dtype), kernels)
        kernels = self.attention_norm(kernels + self.attention(kernels))
        kernels = self.feed_forward_norm(kernels + self.feed_forward(kernels))
        pixels = features.flatten(2)  # [N, C, h*w]
        return kernels, (self.mask_kernel(kernels) @ pixels).view(logits.shape)


def group_features(features: Tensor, logits: Tensor) -> Tensor:
    """F^K (eq. 4): mean feature under each class's soft mask, [N, C, h, w] and [N, K, h, w] → [N, K, C].

    The paper sums; a sum over all pixels leaves the range of 16-bit floats, and the norms that follow undo the scale.
    """
    share = logits.float().softmax(1).flatten(2)  # [N, K, h*w]
    total = share @ features.float().flatten(2).transpose(1, 2)
    return total / (share.sum(-1, keepdim=True) + 1.0)


@dataclass
class Outputs:
    """Logits of the network. stages: M0 … Mn [N, K, S/4, S/4]; auxiliary: [N, K, S/16, S/16]."""

    stages: list[Tensor]
    auxiliary: Tensor


class KNet(nn.Module):
    """RGB [N, 3, S, S] in 0 … 255 → logits at stride 4."""

    def __init__(
        self, backbone: Backbone, classes: int, width: int, stages: int, heads: int, neck: Literal["fpn", "upernet"]
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = (UperNet if neck == "upernet" else Fpn)(backbone.channels, width)
        self.kernels = nn.Conv2d(width, classes, 1)  # its weights are K0, one kernel per class
        self.stages = nn.ModuleList(KernelUpdateStage(width, heads) for _ in range(stages))
        self.auxiliary = nn.Sequential(
            nn.Conv2d(backbone.channels[2], width, 3, padding=1, bias=False),
            norm(width),
            nn.ReLU(),
            nn.Conv2d(width, classes, 1),
        )
        for name, parameter in self.named_parameters():
            if not name.startswith(("backbone.", "kernels.")) and parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        nn.init.normal_(self.kernels.weight, std=0.01)
        nn.init.zeros_(cast(Tensor, self.kernels.bias))

    def decode(self, maps: list[Tensor]) -> list[Tensor]:
        """Logits M0 … Mn of the backbone's maps."""
        features = self.neck(maps)
        logits = self.kernels(features)
        kernels = self.kernels.weight.flatten(1).unsqueeze(0).expand(features.shape[0], -1, -1)
        found = [logits]
        for stage in self.stages:
            kernels, logits = stage(features, kernels, logits)
            found.append(logits)
        return found

    def forward(self, image: Tensor) -> Tensor:
        """Logits [N, K, S/4, S/4] of the last stage."""
        return self.decode(self.backbone(image))[-1]

    def all_stages(self, image: Tensor) -> Outputs:
        """What training needs: every stage and the auxiliary head."""
        maps = self.backbone(image)
        return Outputs(self.decode(maps), self.auxiliary(maps[2]))


def build_model(job: Job, load_weights: bool) -> KNet:
    """The job's network, initialised from its seed; see `build_backbone` for errors."""
    torch.manual_seed(job.seed)
    backbone = build_backbone(job, load_weights)
    # A backbone may draw another number of random values with weights than without: the head starts afresh.
    torch.manual_seed(job.seed + 1)
    settings, internal = job.settings, job.internal
    return KNet(backbone, len(job.classes), internal.width, settings.stage_count, internal.heads, settings.neck_kind)


def upsampled(logits: Tensor, size: int) -> Tensor:
    """[N, K, h, w] → [N, K, size, size], bilinear."""
    return resize_bilinear(logits, size, size)
