"""The next trial of a hyperparameter search: Optuna's tree-structured Parzen estimator, by ask and tell.

Bergstra et al. 2011, "Algorithms for hyper-parameter optimization". Every request rebuilds the study from the trials so
far. So the answer depends only on the request, and equal requests get equal answers.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from .process.protocol import TrainerError

Value = float | str
State = Literal["running", "stopped", "complete", "failed"]

MAX_BYTES, MAX_TRIALS, MAX_DIMENSIONS = 4_000_000, 10_000, 64
# Random trials before the estimator has enough data; a search has tens of trials, not hundreds.
STARTUP_TRIALS = 5


@dataclass(frozen=True)
class Trial:
    """params: a value of every dimension; rungs: value after each rung that was measured, by its number."""

    params: dict[str, Value]
    state: State
    rungs: dict[int, float]


@dataclass(frozen=True)
class Request:
    space: dict[str, BaseDistribution]
    seed: int
    trials: list[Trial]


def propose(request: Request) -> dict[str, Value]:
    """Values for the next trial, one per dimension; larger results are better."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # Each trial has its own seed: one seed for all would draw the first random trial again and again.
        sampler = optuna.samplers.TPESampler(
            seed=(request.seed + 7919 * len(request.trials)) % 2**31,
            multivariate=True,
            constant_liar=True,
            n_startup_trials=STARTUP_TRIALS,
        )
        study = optuna.create_study(sampler=sampler, direction="maximize")
        study.add_trials([frozen(one, request.space) for one in request.trials])
        return study.ask(request.space).params


def frozen(trial: Trial, space: Mapping[str, BaseDistribution]) -> FrozenTrial:
    """A trial as Optuna keeps it: a trial stopped at a rung counts by that rung and its value there."""
    states = {
        "running": TrialState.RUNNING,
        "stopped": TrialState.PRUNED,
        "complete": TrialState.COMPLETE,
        "failed": TrialState.FAIL,
    }
    return create_trial(
        state=states[trial.state],
        params=trial.params,
        distributions=dict(space),
        intermediate_values=trial.rungs,
        value=trial.rungs[max(trial.rungs)] if trial.state == "complete" else None,
    )


def read_request(path: Path) -> Request:
    """Parse `{space: {name: {low, high, log} | {choices}}, seed, trials: [{params, state, rungs}]}`.

    Raises `job-invalid` for a request that makes no sense.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES} bytes")
        raw = json.loads(path.read_text("utf-8"))
        space = {str(name): dimension(one) for name, one in raw["space"].items()}
        trials = [read_trial(one, space) for one in raw["trials"]]
        seed = int(raw["seed"])
        if not 1 <= len(space) <= MAX_DIMENSIONS or len(trials) > MAX_TRIALS:
            raise ValueError(f"{len(space)} dimensions and {len(trials)} trials")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainerError("job-invalid", f"the request {path} is invalid: {error!r}"[:500]) from error
    return Request(space, seed, trials)


def dimension(raw: Mapping[str, object]) -> BaseDistribution:
    """An interval, even in its logarithm if `log` is set, or a choice."""
    choices = raw.get("choices")
    if choices is not None:
        if not isinstance(choices, list) or not choices or not all(isinstance(one, str) for one in choices):
            raise ValueError("choices must be names")
        return CategoricalDistribution(choices)
    low, high = raw["low"], raw["high"]
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        raise ValueError("low and high must be numbers")
    return FloatDistribution(float(low), float(high), log=bool(raw.get("log", False)))


def read_trial(raw: Mapping[str, object], space: Mapping[str, BaseDistribution]) -> Trial:
    params, rungs, state = raw["params"], raw["rungs"], raw["state"]
    if not isinstance(params, dict) or not isinstance(rungs, dict) or set(params) != set(space):
        raise ValueError("a trial needs a value of every dimension, and its rungs by number")
    if state not in ("running", "stopped", "complete", "failed"):
        raise ValueError(f"{state!r} is not a state of a trial")
    values = {int(rung): float(value) for rung, value in rungs.items()}
    if not all(math.isfinite(value) for value in values.values()) or (state == "complete" and not values):
        raise ValueError("a trial's values must be finite, and a complete trial must have at least one")
    trial = Trial(params, state, values)
    # Raises if a value is outside the space.
    frozen(trial, space)
    return trial
