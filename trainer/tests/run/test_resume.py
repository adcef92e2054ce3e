"""A run that is stopped or killed and started again ends with the same bits as an undisturbed one."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import CLASSES, Child, run_here, tiny_raw
from partloop_trainer.job import Job
from partloop_trainer.process.protocol import TrainerError


def weights_of(job: Job) -> str:
    return str(json.loads((Path(job.workDir) / "result.json").read_text())["weightsSha256"])


@pytest.fixture(scope="module")
def undisturbed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Digest of the weights of an unbroken run."""
    from partloop_trainer.job import parse_job

    job = parse_job(tiny_raw(data, tmp_path_factory.mktemp("undisturbed")))
    run_here(job)
    return weights_of(job)


@pytest.mark.parametrize(("workers", "later"), [(0, 2), (2, 0), (2, 2)])
def test_a_run_killed_between_checkpoints_ends_with_the_same_weights(
    data: Path, tmp_path: Path, make_job: Callable[..., Job], undisturbed: str, workers: int, later: int
) -> None:
    child = Child(tiny_raw(data, tmp_path / "work", internal={"loaderWorkers": workers}), tmp_path)
    # Checkpoints are written during the training: progress alone does not prove that one exists.
    child.wait_for("checkpoint", 2)
    os.kill(child.process.pid, signal.SIGKILL)
    code, _, _ = child.end()
    assert code == -signal.SIGKILL
    assert not (tmp_path / "work" / "result.json").exists()
    # A second attempt, whose loader threads must not matter.
    recorder = run_here(make_job(internal={"loaderWorkers": later}, attempt="second"))
    assert recorder.of("started")[0]["resumedFrom"] >= 2
    assert weights_of(make_job()) == undisturbed


def test_sigterm_saves_and_exits_75_and_the_next_attempt_continues(data: Path, tmp_path: Path) -> None:
    raw = tiny_raw(data, tmp_path / "work", settings={"iterations": 1_000_000, "checkpointEvery": 100_000})
    child = Child(raw, tmp_path)
    seen = child.wait_for("progress", 2)
    child.process.terminate()
    code, rest, last_error = child.end()
    assert code == 75
    assert next(one for one in rest if one["type"] == "checkpoint")["iteration"] >= seen["iteration"]
    assert rest[-1]["type"] == "error" and rest[-1]["code"] == "stopped"
    assert json.loads(last_error)["code"] == "stopped"


def test_a_closed_stdin_saves_and_exits_75(data: Path, tmp_path: Path) -> None:
    child = Child(
        tiny_raw(data, tmp_path / "work", settings={"iterations": 1_000_000, "checkpointEvery": 100_000}), tmp_path
    )
    child.wait_for("progress", 1)
    assert child.process.stdin is not None
    child.process.stdin.close()
    code, rest, _ = child.end()
    assert code == 75
    assert any(one["type"] == "checkpoint" for one in rest)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_torn_newest_checkpoint_is_skipped_with_a_warning(
    make_job: Callable[..., Job], undisturbed: str, workers: int
) -> None:
    job = make_job(internal={"loaderWorkers": workers})
    run_here(job)
    folder = Path(job.workDir) / "checkpoints"
    assert sorted(one.name for one in folder.glob("*.pt")) == ["00000002.pt", "00000004.pt", "00000006.pt"]
    newest = folder / "00000006.pt"
    newest.write_bytes(newest.read_bytes()[:-100])
    (folder / "00000004.json").unlink()
    recorder = run_here(job)
    assert [one["code"] for one in recorder.of("warning")] == ["checkpoint-torn", "checkpoint-torn"]
    assert recorder.of("started")[0]["resumedFrom"] == 2
    assert weights_of(job) == undisturbed


def test_checkpoints_of_another_job_are_refused_with_the_difference(make_job: Callable[..., Job]) -> None:
    run_here(make_job(settings={"iterations": 1}))
    for changes, words in [
        ({"settings": {"iterations": 1, "lrHead": 0.5}}, "optim.lrHead: 0.002 → 0.5"),
        ({"trainingSetDigest": "other"}, 'trainingSetDigest: "s" → "other"'),
        ({"taxonomyDigest": "other"}, 'taxonomyDigest: "t" → "other"'),
        ({"classes": [*CLASSES, "trunk"]}, "classes: "),
    ]:
        with pytest.raises(TrainerError) as caught:
            run_here(make_job(**{"settings": {"iterations": 1}, **changes}))
        assert caught.value.exit_code == 5
        assert words in caught.value.message and caught.value.message.count("→") == 1
        assert "another work folder" in caught.value.hint


def test_a_warm_start_begins_with_the_weights_of_the_other_run_and_says_so(make_job: Callable[..., Job]) -> None:
    first = make_job("first", settings={"iterations": 1})
    run_here(first)
    path = str(Path(first.workDir) / "weights.pt")
    recorder = run_here(make_job("second", settings={"iterations": 1}, warmStart=path))
    assert recorder.of("warning")[0]["code"] == "warm-started"
    with pytest.raises(TrainerError) as caught:
        run_here(make_job("third", warmStart=path, taxonomyDigest="other"))
    assert caught.value.exit_code == 5


def test_a_run_that_stops_at_a_rung_resumes_with_the_same_bits(make_job: Callable[..., Job], undisturbed: str) -> None:
    for rung in (2, 4, 6):
        job = make_job(stopAfter=rung, val=make_job().train)
        recorder = run_here(job)
        found = json.loads((Path(job.workDir) / "rung.json").read_text())
        assert found["iterations"] == rung == recorder.of("done")[0]["iterations"]
        assert found["valMiou"] == recorder.of("metrics")[0]["valMiou"]
        assert not (Path(job.workDir) / "result.json").exists()
    run_here(make_job())
    assert weights_of(make_job()) == undisturbed


def test_a_rung_beyond_the_end_is_refused(make_job: Callable[..., Job]) -> None:
    with pytest.raises(TrainerError, match=r"`stopAfter` \(7\) is beyond"):
        make_job(stopAfter=7)
