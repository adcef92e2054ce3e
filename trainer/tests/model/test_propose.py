"""Proposals of a search: the same for the same trials, inside the space, and better than chance."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partloop_trainer.process.protocol import TrainerError
from partloop_trainer.propose import Request, Trial, dimension, propose, read_request

SPACE = {
    "rate": dimension({"low": 1e-4, "high": 1e-1, "log": True}),
    "angle": dimension({"low": 0, "high": 20}),
    "loss": dimension({"choices": ["ce", "focal"]}),
}


def value_of(params: dict[str, Any]) -> float:
    """Best at a rate of 0.01, an angle of 5 and cross entropy."""
    return -((math.log10(params["rate"]) + 2) ** 2) - ((params["angle"] - 5) / 10) ** 2 - 0.2 * (params["loss"] != "ce")


def search(seed: int, count: int) -> list[dict[str, Any]]:
    trials: list[Trial] = []
    for _ in range(count):
        params = propose(Request(SPACE, seed, trials))
        trials.append(Trial(params, "complete", {0: value_of(params)}))
    return [one.params for one in trials]


states = st.sampled_from(["running", "stopped", "complete", "failed"])
trial = st.builds(
    lambda rate, angle, loss, state, value: Trial(
        {"rate": rate, "angle": angle, "loss": loss}, state, {} if state == "running" else {0: value}
    ),
    st.floats(1e-4, 1e-1),
    st.floats(0, 20),
    st.sampled_from(["ce", "focal"]),
    states,
    st.floats(0, 1),
)


@given(st.integers(0, 2**31 - 1), st.lists(trial, max_size=12))
@settings(max_examples=40, deadline=None)
def test_a_repeated_question_has_one_answer_inside_the_space(seed: int, trials: list[Trial]) -> None:
    first: dict[str, Any] = propose(Request(SPACE, seed, trials))
    assert propose(Request(SPACE, seed, trials)) == first
    assert 1e-4 <= first["rate"] <= 1e-1 and 0 <= first["angle"] <= 20 and first["loss"] in ("ce", "focal")


def test_trials_differ_from_the_first_on() -> None:
    found = search(1, 8)
    assert len({one["rate"] for one in found}) == 8


def test_thirty_proposals_come_closer_to_the_best_than_thirty_random_ones() -> None:
    def at_random(seed: int) -> float:
        source = random.Random(seed)
        draws = [
            {
                "rate": 10 ** source.uniform(-4, -1),
                "angle": source.uniform(0, 20),
                "loss": source.choice(["ce", "focal"]),
            }
            for _ in range(30)
        ]
        return sum(sorted((value_of(one) for one in draws), reverse=True)[:5])

    def proposed(seed: int) -> float:
        return sum(sorted((value_of(one) for one in search(seed, 30)), reverse=True)[:5])

    seeds = range(5)
    assert sum(proposed(seed) for seed in seeds) > sum(at_random(seed) for seed in seeds)


def test_a_request_is_read_from_its_file(tmp_path: Path) -> None:
    raw = {
        "space": {"rate": {"low": 1e-4, "high": 1e-1, "log": True}, "loss": {"choices": ["ce", "focal"]}},
        "seed": 3,
        "trials": [{"params": {"rate": 0.01, "loss": "ce"}, "state": "stopped", "rungs": {"0": 0.4}}],
    }
    path = tmp_path / "request.json"
    path.write_text(json.dumps(raw))
    assert set(propose(read_request(path))) == {"rate", "loss"}


@pytest.mark.parametrize(
    "broken",
    [
        {"space": {}},
        {"space": {"rate": {"low": 1, "high": 0}}},
        {"space": {"loss": {"choices": []}}},
        {"trials": [{"params": {"rate": 5.0}, "state": "complete", "rungs": {"0": 0.4}}]},
        {"trials": [{"params": {"rate": 0.01}, "state": "complete", "rungs": {}}]},
        {"trials": [{"params": {"rate": 0.01}, "state": "gone", "rungs": {}}]},
        {"trials": [{"params": {"rate": 0.01}, "state": "stopped", "rungs": {"0": math.nan}}]},
        {"trials": [{"params": {}, "state": "failed", "rungs": {}}]},
    ],
)
def test_an_invalid_request_is_refused(tmp_path: Path, broken: dict[str, Any]) -> None:
    raw = {"space": {"rate": {"low": 1e-4, "high": 1e-1, "log": True}}, "seed": 3, "trials": [], **broken}
    path = tmp_path / "request.json"
    path.write_text(json.dumps(raw))
    with pytest.raises(TrainerError, match="is invalid"):
        read_request(path)
