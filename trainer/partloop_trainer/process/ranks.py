"""The processes of one run, one per device. Together they take the step that one process would take on the batch.

Gradients are summed, not averaged: every loss is already divided by totals of the whole batch. They are exchanged after
the backward pass, not inside it as by DDP's hooks. So a process that ran out of memory can tell the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn
from torch import distributed as group

BUCKET_BYTES = 64 * 2**20
# Only the first process validates and exports, and the others do not wait. They wait while it reads a large set.
TIMEOUT = timedelta(hours=2)


class Ranks:
    """This process among `size`; with one process nothing is sent and no value changes."""

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def is_first(self) -> bool:
        """The process that reports, saves, validates and exports."""
        return self.rank == 0

    def positions(self, batch_size: int) -> range:
        """This process's own positions of a batch; the processes together have each position once."""
        return range(self.rank * batch_size // self.size, (self.rank + 1) * batch_size // self.size)

    def sum(self, value: Tensor) -> Tensor:
        if self.size > 1:
            group.all_reduce(value)
        return value

    def any(self, flag: bool, device: str) -> bool:
        """Whether it holds for at least one process."""
        if self.size == 1:
            return flag
        return bool(self.sum(torch.tensor(float(flag), device=device)) > 0)

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        if self.size == 1:
            return
        bucket: list[Tensor] = []
        for parameter in parameters:
            if parameter.grad is not None:
                bucket.append(parameter.grad)
            if sum(one.nbytes for one in bucket) >= BUCKET_BYTES:
                self._sum_bucket(bucket)
                bucket = []
        if bucket:
            self._sum_bucket(bucket)

    def _sum_bucket(self, bucket: list[Tensor]) -> None:
        flat = self.sum(torch.cat([one.reshape(-1) for one in bucket]))
        for one, part in zip(bucket, flat.split([one.numel() for one in bucket]), strict=True):
            one.copy_(part.view(one.shape))

    def share(self, model: nn.Module) -> None:
        """Give every process the first one's weights, byte for byte."""
        if self.size > 1:
            for value in model.state_dict().values():
                group.broadcast(value, 0)

    def gather(self, value: Any) -> list[Any]:
        """Every process's value, in the order of their ranks."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        group.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        if self.size > 1:
            group.barrier()


def join_ranks(device: str) -> Ranks:
    """The group that torchrun or `launch` describes in the environment; a run of its own without one."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Ranks()
    if device == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    if not group.is_initialized():
        group.init_process_group("nccl" if device == "cuda" else "gloo", timeout=TIMEOUT)
    return Ranks(group.get_rank(), group.get_world_size())
