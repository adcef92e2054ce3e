"""Learning rates over a run, and the running average of the weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from conftest import run_here
from partloop_trainer.job import Job
from partloop_trainer.model.average import Average
from partloop_trainer.optim import schedule
from partloop_trainer.optim.schedule import BASE_SHARE, rate_factor
from partloop_trainer.settings import Settings


def test_whole_cycles_start_and_end_at_the_base_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(iterations=1000, cycles=2)
    assert rate_factor(settings, 0) == pytest.approx(0.1) and rate_factor(settings, 250) == pytest.approx(1.0)
    assert rate_factor(settings, 500) == pytest.approx(0.1)
    assert rate_factor(settings, 999) == pytest.approx(0.1, abs=0.01)
    halved = Settings(iterations=1000, cycles=2, cycleMode="triangular2")
    assert rate_factor(halved, 750) == pytest.approx(0.55)
    falling = Settings(iterations=1000, cycles=2, cycleMode="exp_range")
    monkeypatch.setattr(schedule, "GAMMA", 0.999)
    assert rate_factor(falling, 750) == pytest.approx(0.1 + 0.9 * 0.999**750)


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_cycles_equal_those_of_the_library_at_whole_steps(mode: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "GAMMA", 0.99)
    parameter = nn.Parameter(torch.zeros(1))
    settings = Settings(iterations=60, cycles=3, cycleMode=mode)
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    library = torch.optim.lr_scheduler.CyclicLR(
        optimizer,
        BASE_SHARE,
        1.0,
        step_size_up=10,
        mode=mode,
        gamma=0.99,
        cycle_momentum=False,
    )
    for iteration in range(60):
        assert rate_factor(settings, iteration) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-9)
        optimizer.step()
        library.step()


def test_a_fixed_rate_stays_and_a_poly_rate_falls_to_the_end() -> None:
    fixed = Settings(iterations=100, schedule="fixed")
    assert [rate_factor(fixed, one) for one in (0, 50, 99)] == [1.0, 1.0, 1.0]
    poly = Settings(iterations=100, schedule="poly")
    assert [rate_factor(poly, one) for one in (0, 50, 99)] == pytest.approx([1.0, 0.5**0.9, 0.01**0.9])


@given(
    st.sampled_from(["cyclic", "poly", "fixed"]), st.sampled_from(["triangular", "triangular2", "exp_range"]),
    st.integers(1, 500), st.integers(1, 9),
)  # fmt: skip
def test_no_rate_is_below_zero_or_above_the_peak(kind: Any, mode: Any, iterations: int, cycles: int) -> None:
    settings = Settings(
        iterations=iterations,
        schedule=kind,
        cycleMode=mode,
        cycles=cycles,
    )
    assert all(0 <= rate_factor(settings, one) <= 1 + 1e-9 for one in range(iterations))


def test_the_average_follows_the_weights_and_copies_whole_numbers() -> None:
    network = nn.BatchNorm1d(2)
    average = Average(0.75)
    average.update(network, 0)
    with torch.no_grad():
        network.weight.fill_(5.0)
    assert network.num_batches_tracked is not None
    network.num_batches_tracked.fill_(7)
    average.update(network, 1000)
    assert average.state is not None
    assert average.state["weight"].tolist() == [2.0, 2.0] and int(average.state["num_batches_tracked"]) == 7


def test_the_average_is_exported_and_continues_exactly_after_a_resume(make_job: Callable[..., Job]) -> None:
    def digest(job: Job) -> str:
        return str(json.loads((Path(job.workDir) / "result.json").read_text())["weightsSha256"])

    plain, averaged = make_job("plain"), make_job("averaged", settings={"ema": 0.9})
    run_here(plain)
    run_here(averaged)
    assert digest(plain) != digest(averaged)
    whole = digest(averaged)
    for name in ("00000006.pt", "00000006.json", "00000004.json"):
        (Path(averaged.workDir) / "checkpoints" / name).unlink()
    assert run_here(averaged).of("started")[0]["resumedFrom"] == 2
    assert digest(averaged) == whole
