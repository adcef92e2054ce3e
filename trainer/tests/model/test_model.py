"""The network against plain loops, the losses against their definitions, the ONNX files against PyTorch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import pytest
import torch
from torch.nn import functional as F

from conftest import CLASSES, Recorder, run_here
from partloop_trainer.data.resize import interpolation_matrix, resize_bilinear
from partloop_trainer.evaluate import confusion_counts, metrics_of
from partloop_trainer.job import Job
from partloop_trainer.model import losses
from partloop_trainer.model.knet import KernelAttention, KernelUpdateStage, build_model, group_features
from partloop_trainer.model.losses import SegmentationLoss, dice, shrink_label
from partloop_trainer.optim.schedule import size_at
from partloop_trainer.process.checkpoint import weights_digest
from partloop_trainer.process.protocol import StopFlag, TrainerError
from partloop_trainer.settings import LossWeights, Settings

LossName = Literal["ce", "focal", "dice", "ce+dice"]
SINGLE_LOSSES: tuple[Literal["ce", "focal", "dice"], ...] = ("ce", "focal", "dice")


def test_a_class_gathers_the_mean_feature_under_its_soft_mask() -> None:
    torch.manual_seed(0)
    features, logits = torch.randn(2, 5, 3, 4), torch.randn(2, 3, 3, 4)
    found = group_features(features, logits)
    for n in range(2):
        for k in range(3):
            total, area = torch.zeros(5), 0.0
            for y in range(3):
                for x in range(4):
                    share = float(torch.exp(logits[n, k, y, x]) / torch.exp(logits[n, :, y, x]).sum())
                    total += share * features[n, :, y, x]
                    area += share
            torch.testing.assert_close(found[n, k], total / (area + 1.0))


def test_a_stage_updates_each_kernel_as_the_paper_says() -> None:
    torch.manual_seed(0)
    stage = KernelUpdateStage(16, 2)
    features, kernels, logits = torch.randn(1, 16, 4, 4), torch.randn(1, 3, 16), torch.randn(1, 3, 4, 4)
    found_kernels, found_logits = stage(features, kernels, logits)
    moved = stage.transform(features)
    group = group_features(moved, logits)
    u = stage.update
    updated = []
    for k in range(3):
        f, q = group[0, k], kernels[0, k]
        both = u.feature_in(f) * u.kernel_in(q)
        gate_f = torch.sigmoid(u.feature_gate_norm(u.feature_gate(both)))
        gate_k = torch.sigmoid(u.kernel_gate_norm(u.kernel_gate(both)))
        mixed = gate_f * u.feature_norm(u.feature_out(f)) + gate_k * u.kernel_norm(u.kernel_out(q))
        updated.append(torch.relu(u.mix_norm(u.mix(mixed))))
    x = torch.stack(updated)[None]
    x = stage.attention_norm(x + stage.attention(x))
    x = stage.feed_forward_norm(x + stage.feed_forward(x))
    torch.testing.assert_close(found_kernels, x)
    for k in range(3):
        kernel = stage.mask_kernel(x[0, k])
        wanted = torch.stack([torch.stack([kernel @ moved[0, :, y, z] for z in range(4)]) for y in range(4)])
        torch.testing.assert_close(found_logits[0, k], wanted, rtol=1e-4, atol=1e-5)


def test_attention_equals_that_of_the_library() -> None:
    torch.manual_seed(0)
    own, library = KernelAttention(16, 4), torch.nn.MultiheadAttention(16, 4, batch_first=True)
    library.in_proj_weight.data, library.in_proj_bias.data = own.project.weight.data, own.project.bias.data
    library.out_proj.load_state_dict(own.out.state_dict())
    x = torch.randn(2, 7, 16)
    torch.testing.assert_close(own(x), library(x, x, x)[0])


def applied(settings: Settings, weights: torch.Tensor, logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    loss = SegmentationLoss(settings, weights)
    return loss(logits, loss.target(label))


def test_cross_entropy_is_the_weighted_mean_of_the_library_and_ignores_255(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    logits, label = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4), dtype=torch.uint8)
    label[0, 0] = 255
    weights = torch.tensor([0.5, 1.0, 2.0])
    wanted = F.cross_entropy(logits, label.long(), weights, ignore_index=255)
    torch.testing.assert_close(applied(Settings(), weights, logits, label), wanted)
    assert applied(Settings(loss="focal"), weights, logits, label) < wanted
    monkeypatch.setattr(losses, "FOCAL_GAMMA", 0.0)
    torch.testing.assert_close(applied(Settings(loss="focal"), weights, logits, label), wanted)


def test_a_sum_adds_the_three_losses_by_their_weights() -> None:
    torch.manual_seed(0)
    logits, label = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4), dtype=torch.uint8)
    weights = torch.tensor([0.5, 1.0, 2.0])
    ce, focal, overlap = (applied(Settings(loss=one), weights, logits, label) for one in SINGLE_LOSSES)
    torch.testing.assert_close(applied(Settings(loss="ce+dice"), weights, logits, label), ce + overlap)
    mixed = Settings(loss="sum", lossWeights=LossWeights(ce=0.5, focal=2.0, dice=3.0))
    torch.testing.assert_close(applied(mixed, weights, logits, label), 0.5 * ce + 2 * focal + 3 * overlap)


@pytest.mark.parametrize("name", ["ce", "focal", "dice", "ce+dice"])
def test_parts_of_a_batch_add_up_to_its_loss_and_gradient_given_its_totals(name: LossName) -> None:
    torch.manual_seed(0)
    logits, label = torch.randn(3, 4, 8, 8, requires_grad=True), torch.randint(0, 4, (3, 8, 8), dtype=torch.uint8)
    label[0, :5] = 255
    loss = SegmentationLoss(Settings(loss=name), torch.tensor([0.3, 1.0, 2.0, 4.0]))
    whole = loss(logits, loss.target(label))
    (wanted,) = torch.autograd.grad(whole, logits)
    totals = loss.target(label).totals
    parts = [loss(logits[one], loss.target(label[one]), totals) for one in (slice(0, 1), slice(1, 3))]
    torch.testing.assert_close(parts[0] + parts[1], whole)
    (found,) = torch.autograd.grad(parts[0] + parts[1], logits)
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("name", ["ce", "focal", "dice", "ce+dice"])
def test_an_image_without_labels_gives_a_finite_loss_and_no_gradient(name: LossName) -> None:
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    loss = applied(Settings(loss=name), torch.ones(3), logits, torch.full((1, 4, 4), 255, dtype=torch.uint8))
    loss.backward()
    assert float(loss.detach()) == 0.0 and logits.grad is not None and not logits.grad.any()


def test_dice_is_zero_for_a_perfect_answer() -> None:
    target = torch.randint(0, 3, (1, 8, 8))
    logits = F.one_hot(target, 3).movedim(-1, 1).float() * 100
    assert float(dice(logits, target, torch.ones(1, 8, 8, dtype=torch.bool))) == pytest.approx(0, abs=1e-5)


def test_shrinking_a_label_takes_the_centre_of_each_cell() -> None:
    label = torch.arange(64).view(1, 8, 8)
    assert shrink_label(label, 4).tolist() == [[[18, 22], [50, 54]]]


@pytest.mark.parametrize("target", [4, 8, 12])
def test_the_matrices_for_cuda_resize_as_interpolate_does(target: int) -> None:
    x = torch.randn(1, 2, 4, 6)
    by_matrix = interpolation_matrix(4, target) @ x @ interpolation_matrix(6, target).T
    torch.testing.assert_close(by_matrix, resize_bilinear(x, target, target))


def test_the_size_schedule_has_equal_parts(make_job: Callable[..., Job]) -> None:
    settings = make_job(settings={"imageSizes": [32, 64]}).settings
    assert [size_at(settings, iteration) for iteration in range(6)] == [32, 32, 32, 64, 64, 64]


def test_mean_iou_leaves_out_the_background_and_classes_without_ground_truth() -> None:
    label = np.array([[[0, 1], [1, 255]]], np.uint8)
    found = np.array([[[0, 1], [2, 2]]])
    metrics = metrics_of(confusion_counts(label, found, 4))
    assert metrics.per_class == [1.0, 0.5, None, None] and metrics.miou == 0.5


def test_a_run_learns_and_its_files_are_described_and_repeatable(make_job: Callable[..., Job]) -> None:
    settings = {"settings": {"iterations": 20, "batchSize": 4, "checkpointEvery": 20}}
    job = make_job("one", val=make_job().train, **settings)
    recorder = run_here(job)
    losses = [one["loss"] for one in recorder.of("progress")]
    assert losses[-1] < losses[0]
    assert recorder.of("exported")[0]["maxAbsDiff"] <= 1e-3
    assert set(recorder.of("metrics")[0]["perClassIou"]) == set(CLASSES)
    result = json.loads((Path(job.workDir) / "result.json").read_text())
    model = onnx.load(str(Path(job.workDir) / "model.onnx"))
    properties = {one.key: one.value for one in model.metadata_props}
    assert json.loads(properties["partloop.classes"]) == CLASSES and properties["partloop.size"] == "64"
    for name in ("model.onnx", "scan.onnx"):
        raw = (Path(job.workDir) / name).read_bytes()
        assert job.workDir.encode() not in raw and b"site-packages" not in raw and b".py" not in raw
    again = make_job("two", val=job.val, **settings)
    run_here(again)
    repeated = json.loads((Path(again.workDir) / "result.json").read_text())
    assert repeated["weightsSha256"] == result["weightsSha256"]
    for name in ("model.onnx", "scan.onnx"):
        assert repeated["files"][name] == result["files"][name]


def test_the_range_test_reports_rising_rates_and_saves_nothing(make_job: Callable[..., Job]) -> None:
    from partloop_trainer.lr_range import lr_range

    job, recorder = make_job(settings={"iterations": 8}), Recorder()
    lr_range(job, recorder, StopFlag())
    rates = [one["lr"] for one in recorder.of("progress")]
    assert len(rates) > 1 and rates == sorted(rates)
    assert recorder.of("lr-range") and not list(Path(job.workDir).rglob("*.pt"))


def test_the_error_for_missing_weights_names_the_three_ways_to_get_them(
    make_job: Callable[..., Job], tmp_path: Path
) -> None:
    for weights in ("package", str(tmp_path / "absent.pth")):
        with pytest.raises(TrainerError) as caught:
            build_model(make_job(settings={"weights": weights}), load_weights=True)
        assert caught.value.exit_code == 4 and "three ways" in caught.value.hint


def test_weights_of_a_file_match_by_name_or_by_order(make_job: Callable[..., Job], tmp_path: Path) -> None:
    source = build_model(make_job(seed=9), load_weights=True).backbone.features
    weights = source.state_dict()
    if any(name.startswith("features.") for name in weights):
        weights = {name.removeprefix("features."): value for name, value in weights.items()}
    renamed = {f"_{index}" + (".num_batches_tracked" if name.endswith("num_batches_tracked") else ""): value
               for index, (name, value) in enumerate(weights.items())}  # fmt: skip
    for number, state in enumerate((weights, renamed)):
        path = tmp_path / f"{number}.pth"
        torch.save(state, path)
        loaded = build_model(make_job(settings={"weights": str(path)}), load_weights=True).backbone.features
        assert weights_digest(loaded.state_dict()) == weights_digest(source.state_dict())


def test_background_counts_only_where_the_network_is_sure_of_no_part() -> None:
    logits = torch.zeros(1, 3, 1, 4)
    logits[0, 1, 0] = torch.tensor([9.0, 9.0, 0.0, 9.0])
    label = torch.tensor([[[0, 1, 0, 255]]], dtype=torch.uint8)
    loss = SegmentationLoss(Settings(doubtBackground=0.9), torch.ones(3))
    target = loss.target(label)
    left_out = losses.doubted(logits, target, 0.9)
    assert left_out.tolist() == [[[True, False, False, False]]]
    with_all, spared = loss(logits, target), loss(logits, target, doubting=True)
    torch.testing.assert_close(with_all - spared, F.cross_entropy(logits[:, :, :, 0], torch.tensor([[0]])) / 3)


@pytest.mark.parametrize("name", ["ce", "focal", "dice", "ce+dice"])
def test_parts_of_a_batch_add_up_if_background_is_doubted(name: LossName) -> None:
    torch.manual_seed(0)
    logits = 4 * torch.randn(3, 4, 8, 8)
    label = torch.randint(0, 4, (3, 8, 8), dtype=torch.uint8)
    loss = SegmentationLoss(Settings(loss=name, doubtBackground=0.5), torch.tensor([0.3, 1.0, 2.0, 4.0]))
    assert losses.doubted(logits, loss.target(label), 0.5).any()
    whole, totals = loss(logits, loss.target(label), doubting=True), loss.target(label).totals
    cuts = (slice(0, 1), slice(1, 3))
    parts = [loss(logits[one], loss.target(label[one]), totals, doubting=True) for one in cuts]
    torch.testing.assert_close(parts[0] + parts[1], whole)


def test_a_training_learns_from_all_background_before_it_doubts_any() -> None:
    loss = SegmentationLoss(Settings(iterations=100, doubtBackground=0.5), torch.ones(3))
    assert [loss.doubts(iteration) for iteration in (0, 29, 30, 99)] == [False, False, True, True]
    never = SegmentationLoss(Settings(iterations=100), torch.ones(3))
    assert not never.doubts(99)
