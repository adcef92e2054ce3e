"""The job is checked as a whole before anything starts, and every problem names its field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Child, tiny_raw
from partloop_trainer.identity import identity
from partloop_trainer.job import Job, describe, parse_job
from partloop_trainer.process.protocol import EXITS, TrainerError


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"settings": {"iteration": 3}}, "unknown field `settings.iteration`"),
        ({"colour": 1}, "unknown field `colour`"),
        ({"version": 2}, "`version` must be at most 1"),
        ({"settings": {"lrHead": "fast"}}, '`settings.lrHead` must be a number, not "fast"'),
        ({"settings": {"iterations": True}}, "`settings.iterations` must be a whole number"),
        ({"settings": {"lrHead": float("nan")}}, "`settings.lrHead` must be above 0"),
        ({"settings": {"ema": float("nan")}}, "`settings.ema` must be at least 0"),
        ({"settings": {"ema": 2}}, "`settings.ema` must be at most 1, not 2"),
        ({"settings": {"augment": {"angle": -1}}}, "`settings.augment.angle` must be at least 0"),
        ({"settings": {"augment": []}}, "`settings.augment` must be an object"),
        ({"settings": {"stages": 7}}, "`settings.stages` must be at most 6"),
        ({"settings": {"imageSizes": [64, 65]}}, "`settings.imageSizes[1]` must be a multiple of 32, not 65"),
        ({"settings": {"imageSizes": [64] * 17}}, "`settings.imageSizes` must be a list of at most 16"),
        ({"settings": {"preset": "../x"}}, "`settings.preset` must be text like"),
        ({"settings": {"freezeNorm": 1}}, "`settings.freezeNorm` must be true or false, not 1"),
        ({"classes": "hood"}, "`classes` must be a list"),
        ({"mirrorPairs": [[1, "hood"]]}, "`mirrorPairs[0][1]` must be a whole number"),
        ({"settings": {"loss": "hinge"}}, "`settings.loss` must be one of ce, focal, dice, ce+dice, sum, not"),
        ({"settings": {"imageSize": 100}}, "`settings.imageSize` must be a multiple of 32"),
        ({"workDir": "here"}, "`workDir` must be an absolute path"),
        ({"mirrorPairs": [[1, 9]]}, "`mirrorPairs` names a class index"),
        ({"classes": ["background"]}, "`classes` must hold"),
        ({"settings": {"loss": "sum", "lossWeights": {"ce": 0}}}, "are all 0"),
        ({"settings": {"classWeightExponent": 0.8, "imageWeightExponent": 0.5}}, "add up to 1.3"),
    ],
)
def test_an_invalid_job_names_the_field(data: Path, tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(TrainerError) as caught:
        parse_job(tiny_raw(data, tmp_path, **changes))
    assert caught.value.exit_code == 2
    assert words in caught.value.message


def test_all_problems_are_reported_at_once(data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainerError) as caught:
        parse_job(tiny_raw(data, tmp_path, seed=-1, settings={"threads": 0}, colour=1))
    assert caught.value.message.count(";") == 2


def test_an_invalid_job_ends_the_process_with_2_and_an_error_line(data: Path, tmp_path: Path) -> None:
    code, rest, last_error = Child(tiny_raw(data, tmp_path / "work", colour=1), tmp_path).end()
    assert code == 2
    assert rest[-1]["code"] == "job-invalid" and "`colour`" in rest[-1]["message"]
    assert "job-invalid" in last_error


def test_place_and_speed_of_a_job_are_no_part_of_its_identity(make_job: Callable[..., Job]) -> None:
    same = identity(
        make_job("elsewhere", attempt="2", settings={"threads": 4, "checkpointEvery": 9}, internal={"loaderWorkers": 3})
    )
    assert same == identity(make_job())
    assert identity(make_job(seed=2)) != identity(make_job())


def test_checkpoints_record_their_settings_under_the_original_names(make_job: Callable[..., Job]) -> None:
    found = identity(make_job())
    sections = {"model": 7, "image": 2, "optim": 16, "loss": 8, "sampling": 1, "augment": 5}
    assert {one: sum(name.startswith(f"{one}.") for name in found) for one in sections} == sections
    assert len(found) == sum(sections.values()) + 7
    # These constants were settings then.
    assert found | {
        "optim.weightDecay": 5e-4, "optim.clip": 1.0, "optim.baseLrShare": 0.1, "optim.upShare": 0.5,
        "optim.gamma": 0.99994, "optim.power": 0.9, "optim.warmup": 0, "loss.classWeightClip": [0.25, 4.0],
        "loss.auxWeight": 0.4, "loss.focalGamma": 2.0,
    } == found  # fmt: skip


def test_every_field_is_documented() -> None:
    kinds = describe()["$defs"]
    for kind in kinds.values():
        for name, one in kind["properties"].items():
            assert len(one.get("description") or kinds[one["$ref"].rpartition("/")[2]]["description"]) > 5, name
    assert kinds["Settings"]["properties"]["lrHead"]["default"] == 2e-3


def test_exit_codes_are_distinct() -> None:
    assert len({code for code, _ in EXITS.values()}) == len(EXITS)


# JSON may escape half of a surrogate pair, which no encoding writes.
TEXTS = st.text(st.characters() | st.characters(categories=["Cs"]))
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS


@given(st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))
def test_no_decoded_json_makes_parsing_fail_with_another_error(raw: object) -> None:
    with pytest.raises(TrainerError):
        parse_job(raw)


@given(st.sampled_from(sorted(describe()["$defs"]["Settings"]["properties"])), VALUES)
def test_no_value_of_a_setting_makes_parsing_fail_with_another_error(name: str, value: object) -> None:
    with pytest.raises(TrainerError, match="`classes` is missing"):
        parse_job({"settings": {name: value}})
