"""Checkpoints are written during the training, from a copy, one at a time."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import Recorder
from partloop_trainer.process.checkpoint import Checkpoints, Saved
from partloop_trainer.process.writer import Writer


class Slow(Checkpoints):
    """Writes only when allowed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, 3)
        self.let = threading.Event()
        self.begun: list[int] = []

    def save(self, iteration: int, state: dict[str, Any], identity: dict[str, Any]) -> Saved:
        self.begun.append(iteration)
        assert self.let.wait(60)
        return super().save(iteration, state, identity)


def test_saving_returns_before_the_write_and_keeps_the_state_of_that_moment(tmp_path: Path) -> None:
    slow, saved = Slow(tmp_path), list[Saved]()
    writer = Writer(slow, {"a": 1}, saved.append)
    weight = torch.zeros(3, 4, 2, 2).to(memory_format=torch.channels_last)
    writer.save(1, {"model": {"w": weight}, "groups": [{"lr": 1.0}]})
    weight.fill_(9)
    assert saved == []
    slow.let.set()
    writer.wait()
    assert [one.iteration for one in saved] == [1]
    found = slow.newest(Recorder())
    assert found is not None
    kept = slow.load(found, {"a": 1})["model"]["w"]
    assert not kept.any() and kept.is_contiguous(memory_format=torch.channels_last)


def test_a_second_checkpoint_waits_for_the_first(tmp_path: Path) -> None:
    slow = Slow(tmp_path)
    writer = Writer(slow, {}, lambda _: None)
    writer.save(1, {})
    second = threading.Thread(target=writer.save, args=(2, {}))
    second.start()
    second.join(0.2)
    assert second.is_alive() and slow.begun == [1]
    slow.let.set()
    second.join(60)
    writer.wait()
    assert slow.begun == [1, 2] and sorted(one.name for one in tmp_path.glob("*.pt")) == ["00000001.pt", "00000002.pt"]


def test_the_next_wait_raises_an_error_of_the_write(tmp_path: Path) -> None:
    class Full(Checkpoints):
        def save(self, iteration: int, state: dict[str, Any], identity: dict[str, Any]) -> Saved:
            raise OSError(28, "No space left on device")

    writer = Writer(Full(tmp_path, 3), {}, lambda _: None)
    writer.save(1, {})
    with pytest.raises(OSError, match="No space"):
        writer.wait()
    writer.wait()
