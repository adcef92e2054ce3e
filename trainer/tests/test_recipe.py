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
from partloop_trainer.average import Average
from partloop_trainer.job import Job, OptimJob
from partloop_trainer.schedule import rate_factor


def test_whole_cycles_start_and_end_at_the_base_rate() -> None:
    settings = OptimJob(iterations=1000, cycles=2)
    assert rate_factor(settings, 0) == pytest.approx(0.1) and rate_factor(settings, 250) == pytest.approx(1.0)
    assert rate_factor(settings, 500) == pytest.approx(0.1)
    assert rate_factor(settings, 999) == pytest.approx(0.1, abs=0.01)
    halved = OptimJob(iterations=1000, cycles=2, mode="triangular2")
    assert rate_factor(halved, 750) == pytest.approx(0.55)
    falling = OptimJob(iterations=1000, cycles=2, mode="exp_range", gamma=0.999)
    assert rate_factor(falling, 750) == pytest.approx(0.1 + 0.9 * 0.999**750)


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
def test_cycles_are_those_of_the_library_at_whole_steps(mode: Any) -> None:
    parameter = nn.Parameter(torch.zeros(1))
    settings = OptimJob(iterations=60, cycles=3, mode=mode, gamma=0.99, baseLrShare=0.2)
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    library = torch.optim.lr_scheduler.CyclicLR(
        optimizer,
        0.2,
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


def test_fixed_and_poly_start_with_their_warm_up() -> None:
    fixed = OptimJob(iterations=100, schedule="fixed", warmup=10)
    assert [rate_factor(fixed, one) for one in (0, 9, 99)] == [pytest.approx(0.1), 1.0, 1.0]
    poly = OptimJob(iterations=100, schedule="poly", power=1.0)
    assert [rate_factor(poly, one) for one in (0, 50, 99)] == [1.0, 0.5, pytest.approx(0.01)]


@given(
    st.sampled_from(["cyclic", "poly", "fixed"]), st.sampled_from(["triangular", "triangular2", "exp_range"]),
    st.integers(1, 500), st.integers(1, 9), st.floats(0, 1), st.floats(0.01, 0.99),
)  # fmt: skip
def test_no_rate_is_below_zero_or_above_the_peak(
    schedule: Any, mode: Any, iterations: int, cycles: int, base: float, up: float
) -> None:
    settings = OptimJob(
        iterations=iterations,
        schedule=schedule,
        mode=mode,
        cycles=cycles,
        baseLrShare=base,
        upShare=up,
    )
    assert all(0 <= rate_factor(settings, one) <= 1 + 1e-9 for one in range(iterations))


def test_the_average_follows_the_weights_and_copies_whole_numbers() -> None:
    network = nn.BatchNorm1d(2)
    average = Average(0.75)
    average.update(network, 0)
    with torch.no_grad():
        network.weight.fill_(5.0)
    network.num_batches_tracked.fill_(7)  # type: ignore[operator,union-attr]
    average.update(network, 1000)
    assert average.state is not None
    assert average.state["weight"].tolist() == [2.0, 2.0] and int(average.state["num_batches_tracked"]) == 7


def test_the_average_is_exported_and_goes_on_exactly_after_a_resume(make_job: Callable[..., Job]) -> None:
    def digest(job: Job) -> str:
        return str(json.loads((Path(job.workDir) / "result.json").read_text())["weightsSha256"])

    plain, averaged = make_job("plain"), make_job("averaged", optim={"ema": 0.9})
    run_here(plain)
    run_here(averaged)
    assert digest(plain) != digest(averaged)
    whole = digest(averaged)
    for name in ("00000006.pt", "00000006.json", "00000004.json"):
        (Path(averaged.workDir) / "checkpoints" / name).unlink()
    assert run_here(averaged).of("started")[0]["resumedFrom"] == 2
    assert digest(averaged) == whole
