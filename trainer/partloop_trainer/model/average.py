"""A running average of the weights (Polyak and Juditsky 1992; with the warm-up of TensorFlow's moving averages)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Average:
    """state: the averaged state dict, None before the first step; whole numbers in it are copied, not averaged."""

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self.state: dict[str, Tensor] | None = None

    @torch.no_grad()
    def update(self, model: nn.Module, iteration: int) -> None:
        """Add the weights after the step of `iteration`; the first steps count more, since there is no past yet."""
        given = model.state_dict()
        if self.state is None:
            self.state = {name: value.detach().clone() for name, value in given.items()}
            return
        share = 1 - min(self._decay, (1 + iteration) / (10 + iteration))
        for name, value in given.items():
            own = self.state[name]
            if own.is_floating_point():
                own.lerp_(value, share)
            else:
                own.copy_(value)

    def load(self, state: dict[str, Tensor] | None, device: str) -> None:
        """Continue from a checkpoint's average."""
        self.state = None if state is None else {name: value.to(device) for name, value in state.items()}
