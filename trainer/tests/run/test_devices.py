"""The step is the same on several processes, in parts, and compiled."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from conftest import Child, Recorder, run_here, tiny_raw
from partloop_trainer.job import Job, parse_job
from partloop_trainer.model.knet import KNet, Outputs
from partloop_trainer.optim import step as step_module
from partloop_trainer.process.protocol import StopFlag, TrainerError
from partloop_trainer.process.ranks import Ranks
from partloop_trainer.train import Run
from rank_main import first_step

FROZEN = {"freezeNorm": True}
ALL_LOSSES = {"loss": "sum", "lossWeights": {"ce": 1.0, "focal": 0.5, "dice": 1.0}}


def assert_same_step(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Loss and every gradient within a relative 1e-5 of the gradient's largest entry."""
    torch.testing.assert_close(found["loss"], wanted["loss"], rtol=1e-5, atol=0)
    assert found["gradients"].keys() == wanted["gradients"].keys()
    scale = max(float(one.abs().max()) for one in wanted["gradients"].values())
    for name, one in wanted["gradients"].items():
        torch.testing.assert_close(found["gradients"][name], one, rtol=1e-5, atol=1e-5 * scale, msg=name)


@given(st.integers(1, 64), st.integers(1, 16))
def test_processes_split_the_positions_of_a_batch_without_overlap(batch: int, size: int) -> None:
    shares = [list(Ranks(rank, size).positions(batch)) for rank in range(size)]
    assert [one for share in shares for one in share] == list(range(batch))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_two_processes_have_the_same_loss_and_gradients_as_one(data: Path, tmp_path: Path) -> None:
    raw = tiny_raw(data, tmp_path / "work", settings={**FROZEN, **ALL_LOSSES, "batchSize": 3})
    (tmp_path / "job.json").write_text(json.dumps(raw))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    group = {
        **os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "GLOO_SOCKET_IFNAME": "lo",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    command = [sys.executable, str(Path(__file__).parent / "rank_main.py"), str(tmp_path / "job.json")]
    children = [
        subprocess.Popen([*command, str(tmp_path / f"{rank}.pt")], env={**group, "RANK": str(rank)})
        for rank in range(2)
    ]
    assert [child.wait(300) for child in children] == [0, 0]
    answers = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    assert [one["images"] for one in answers] == [1, 2]
    whole = first_step(parse_job({**raw, "workDir": str(tmp_path / "alone")}))
    for one in answers:
        assert_same_step(one, whole)
    for name, gradient in answers[0]["gradients"].items():
        assert torch.equal(gradient, answers[1]["gradients"][name])


def test_two_stopped_processes_resume_to_the_weights_of_an_unbroken_run(data: Path, tmp_path: Path) -> None:
    def raw(folder: str) -> dict[str, Any]:
        return tiny_raw(data, tmp_path / folder, settings={**FROZEN, "processes": 2, "iterations": 8})

    def weights(folder: str) -> str:
        return str(json.loads((tmp_path / folder / "result.json").read_text())["weightsSha256"])

    code, said, _ = Child(raw("straight"), tmp_path / "a").end()
    assert code == 0 and len([one for one in said if one["type"] == "started"]) == 1
    broken = Child(raw("broken"), tmp_path / "b")
    broken.wait_for("progress", 3)
    broken.process.terminate()
    code, rest, _ = broken.end()
    assert code == 75 and any(one["type"] == "checkpoint" for one in rest)
    code, said, _ = Child(raw("broken"), tmp_path / "b").end()
    assert code == 0 and next(one for one in said if one["type"] == "started")["resumedFrom"] >= 3
    assert not [one for one in said if one["type"] == "warning"]
    assert weights("broken") == weights("straight")


def test_a_stop_after_the_processes_agreed_to_go_on_is_taken_up_by_all_after_the_next_step(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = StopFlag()
    asked: list[bool] = []

    def agree(_ranks: Ranks, flag: bool, _device: str) -> bool:
        asked.append(flag)
        # Each step asks twice: whether a process is out of memory, and whether one is to stop.
        if len(asked) == 2:
            stop.set("a signal arrives now")
        return flag

    monkeypatch.setattr(Ranks, "any", agree)
    run = Run(make_job(settings={"iterations": 8, "checkpointEvery": 8}), Recorder(), stop)
    run.resume()
    with pytest.raises(TrainerError, match="a signal arrives now"):
        run.fit()
    # Another process would not have saved after the first step, and waited for this one in vain.
    assert asked == [False, False, False, True]
    assert [path.stem for path in (run.folder / "checkpoints").glob("*.json")] == ["00000002"]


def test_a_failing_process_ends_the_others_with_its_exit_code(data: Path, tmp_path: Path) -> None:
    code, rest, _ = Child(tiny_raw(data, tmp_path / "work", settings={"processes": 2}), tmp_path).end()
    assert code == 2 and any("train.freezeNorm" in one.get("hint", "") for one in rest)


class Small:
    """Memory for `room` images at a time; a larger batch fails after its forward pass has left its traces."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.seen: list[int] = []
        real = KNet.all_stages

        def all_stages(model: KNet, image: Tensor) -> Outputs:
            self.seen.append(len(image))
            outputs = real(model, image)
            if len(image) > room:
                torch.rand(7)
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
            return outputs

        monkeypatch.setattr(KNet, "all_stages", all_stages)


def test_out_of_memory_halves_the_batch_and_the_parts_add_up_to_the_same_step(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"settings": {**FROZEN, **ALL_LOSSES, "batchSize": 5}}
    whole = first_step(make_job("whole", **settings))
    memory = Small(monkeypatch, 2)
    parts = first_step(make_job("parts", **settings))
    assert memory.seen == [5, 3, 2, 1, 1, 1]
    assert_same_step(parts, whole)


def test_the_split_is_reported_and_kept_in_the_checkpoint_for_a_resume(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(settings={"iterations": 4, "batchSize": 4})
    with monkeypatch.context() as narrow:
        Small(narrow, 2)
        recorder = run_here(job)
    said = [one for one in recorder.of("warning") if one["code"] == "batch-split"]
    assert len(said) == 1 and "2 parts" in said[0]["message"]
    folder = Path(job.workDir) / "checkpoints"
    assert torch.load(folder / "00000002.pt", weights_only=True)["split"] == 2
    whole = json.loads((Path(job.workDir) / "result.json").read_text())["weightsSha256"]
    (folder / "00000004.json").unlink()
    # With plenty of memory now, the split in the checkpoint still decides, so the bits stay.
    again = run_here(job)
    assert not [one for one in again.of("warning") if one["code"] == "batch-split"]
    assert json.loads((Path(job.workDir) / "result.json").read_text())["weightsSha256"] == whole


def test_a_failed_batch_leaves_no_trace_in_batch_norm_or_random_numbers(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    Small(monkeypatch, 0)
    run = Run(make_job(settings={"batchSize": 2}), Recorder(), StopFlag())
    run.set_training()
    batch = next(run.loader.batches(0, 1))
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    random = torch.get_rng_state()
    with pytest.raises(TrainerError) as caught:
        run.gradients.gradients(batch.image, batch.label, batch.iteration)
    assert caught.value.exit_code == 7 and "one image at a time" in caught.value.message
    assert all(torch.equal(value, before[name]) for name, value in run.model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.filterwarnings("error:Dynamo detected")
def test_a_compiled_step_gives_the_same_result(make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch) -> None:
    # UPerNet, whose pooling goes through matrices that the compiler takes for constants.
    network = {**FROZEN, "neck": "upernet"}
    whole = first_step(make_job("plain", settings=network))
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager", fullgraph=True))
    assert_same_step(first_step(make_job("compiled", settings={**network, "compile": "on"})), whole)


@pytest.mark.parametrize("asked", ["auto", "on"])
def test_auto_goes_on_and_says_so_if_compiling_fails(
    make_job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    from torch._dynamo.exc import TorchDynamoException

    def compiled(_: object, **__: object) -> Callable[..., object]:
        def forward(_: Tensor) -> object:
            raise TorchDynamoException("no C compiler")

        return forward

    monkeypatch.setattr(step_module, "compiles", lambda *_: True)
    monkeypatch.setattr(torch, "compile", compiled)
    recorder = Recorder()
    run = Run(make_job(settings={"compile": asked}), recorder, StopFlag())
    run.set_training()
    batch = next(run.loader.batches(0, 1))
    if asked == "on":
        with pytest.raises(TorchDynamoException):
            run.gradients.gradients(batch.image, batch.label, batch.iteration)
    else:
        assert run.gradients.gradients(batch.image, batch.label, batch.iteration).isfinite()
        assert [one["code"] for one in recorder.of("warning")] == ["not-compiled"]
