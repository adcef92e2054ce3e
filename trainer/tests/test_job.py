"""The job is checked as a whole before anything starts, and every problem names its field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Child, tiny_raw
from partloop_trainer.job import Job, describe, identity, parse_job
from partloop_trainer.protocol import EXITS, TrainerError


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"optim": {"iteration": 3}}, "unknown field `optim.iteration`"),
        ({"colour": 1}, "unknown field `colour`"),
        ({"version": 2}, "`version` must be at most 1"),
        ({"optim": {"lrHead": "fast"}}, "`optim.lrHead` must be a number"),
        ({"optim": {"iterations": True}}, "`optim.iterations` must be a whole number"),
        ({"optim": {"lrHead": float("nan")}}, "`optim.lrHead` must be at least"),
        ({"loss": {"name": "hinge"}}, "`loss.name` must be one of ce, focal"),
        ({"image": {"size": 100}}, "`image.size` must be a multiple of 32"),
        ({"workDir": "here"}, "`workDir` must be an absolute path"),
        ({"mirrorPairs": [[1, 9]]}, "`mirrorPairs` names a class index"),
        ({"classes": ["background"]}, "`classes` must hold"),
        ({"loss": {"name": "sum", "ceWeight": 0}}, "are all 0"),
        ({"loss": {"classWeightExponent": 0.8}, "sampling": {"imageWeightExponent": 0.5}}, "add up to 1.3"),
    ],
)
def test_an_invalid_job_names_the_field(data: Path, tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(TrainerError) as caught:
        parse_job(tiny_raw(data, tmp_path, **changes))
    assert caught.value.exit_code == 2
    assert words in caught.value.message


def test_all_problems_are_reported_at_once(data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainerError) as caught:
        parse_job(tiny_raw(data, tmp_path, seed=-1, threads=0, colour=1))
    assert caught.value.message.count(";") == 2


def test_an_invalid_job_ends_the_process_with_2_and_an_error_line(data: Path, tmp_path: Path) -> None:
    code, rest, last_error = Child(tiny_raw(data, tmp_path / "work", colour=1), tmp_path).end()
    assert code == 2
    assert rest[-1]["code"] == "job-invalid" and "`colour`" in rest[-1]["message"]
    assert "job-invalid" in last_error


def test_where_and_how_fast_a_job_runs_is_no_part_of_its_identity(make_job: Callable[..., Job]) -> None:
    same = identity(make_job("elsewhere", attempt="2", threads=4, loaderWorkers=3, checkpointEvery=9))
    assert same == identity(make_job())
    assert identity(make_job(seed=2)) != identity(make_job())


def test_every_field_is_documented() -> None:
    def walk(fields: dict[str, Any]) -> None:
        for name, one in fields.items():
            assert len(one["doc"]) > 5, name
            walk(one.get("fields", {}))

    walk(describe())
    assert describe()["optim"]["fields"]["lrHead"]["default"] == 2e-3


def test_exit_codes_are_distinct() -> None:
    assert len({code for code, _ in EXITS.values()}) == len(EXITS)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_decoded_json_makes_parsing_fail_otherwise(raw: object) -> None:
    with pytest.raises(TrainerError):
        parse_job(raw)
