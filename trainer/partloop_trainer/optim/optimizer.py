"""The optimizer: AdamW (Loshchilov and Hutter 2019) or Adam (Kingma and Ba 2015)."""

from __future__ import annotations

import torch
from torch import nn

from ..model.knet import KNet
from ..settings import Settings

# Norms, biases and position tables get none.
WEIGHT_DECAY = 5e-4
# Norm to which a longer gradient is scaled.
LARGEST_GRADIENT = 1.0


def build_optimizer(model: KNet, settings: Settings) -> torch.optim.Optimizer:
    """Four groups: backbone and rest, each with and without weight decay; `peak` is a group's peak learning rate."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        decays = parameter.dim() > 1 and "relative_position_bias" not in name and "pos_embed" not in name
        groups.setdefault((name.startswith("backbone."), decays), []).append(parameter)
    options = [
        {
            "params": groups[key],
            "peak": settings.lrBackbone if key[0] else settings.lrHead,
            "weight_decay": WEIGHT_DECAY if key[1] else 0.0,
        }
        for key in sorted(groups)
    ]
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(options, lr=settings.lrHead, fused=True)
