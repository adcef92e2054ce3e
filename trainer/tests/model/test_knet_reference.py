"""K-Net's parts against plain loops written from the paper's equations (arXiv 2106.14855, section 3.2)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from conftest import run_here
from partloop_trainer.data.resize import pooling_matrix
from partloop_trainer.job import Job
from partloop_trainer.model.knet import KernelUpdateStage, KNet, build_model
from partloop_trainer.model.upernet import PyramidPooling

Vector = list[float]


def numbers(value: torch.Tensor) -> NDArray[np.float64]:
    return value.detach().double().numpy()


def linear(x: Sequence[float], layer: nn.Module) -> Vector:
    weight = numbers(layer.get_parameter("weight"))
    bias = numbers(layer.get_parameter("bias")) if "bias" in dict(layer.named_parameters()) else np.zeros(len(weight))
    return [float(bias[o]) + sum(float(weight[o, i]) * x[i] for i in range(len(x))) for o in range(len(weight))]


def normed(x: Sequence[float], layer: nn.Module) -> Vector:
    gain, bias = numbers(layer.get_parameter("weight")), numbers(layer.get_parameter("bias"))
    mean = sum(x) / len(x)
    variance = sum((one - mean) ** 2 for one in x) / len(x)
    return [(x[i] - mean) / math.sqrt(variance + 1e-5) * float(gain[i]) + float(bias[i]) for i in range(len(x))]


def sigmoid(x: Sequence[float]) -> Vector:
    return [1 / (1 + math.exp(-one)) for one in x]


def relu(x: Sequence[float]) -> Vector:
    return [max(0.0, one) for one in x]


def added(x: Sequence[float], y: Sequence[float]) -> Vector:
    return [a + b for a, b in zip(x, y, strict=True)]


def softmax(x: Sequence[float]) -> Vector:
    powers = [math.exp(one - max(x)) for one in x]
    return [one / sum(powers) for one in powers]


def group_feature(features: NDArray[np.float64], logits: NDArray[np.float64], k: int) -> Vector:
    """Eq. 4, divided by the mask's area: features [C, h, w], logits [K, h, w]."""
    channels, height, width = features.shape
    total, area = [0.0] * channels, 0.0
    for y in range(height):
        for x in range(width):
            share = softmax([float(one) for one in logits[:, y, x]])[k]
            area += share
            total = [total[c] + share * float(features[c, y, x]) for c in range(channels)]
    return [one / (area + 1) for one in total]


def updated(feature: Vector, kernel: Vector, u: nn.Module) -> Vector:
    """Eq. 5 to 7: two gates mix a kernel with the feature of its group."""
    part = u.get_submodule
    both = [a * b for a, b in zip(linear(feature, part("feature_in")), linear(kernel, part("kernel_in")), strict=True)]
    feature_gate = sigmoid(normed(linear(both, part("feature_gate")), part("feature_gate_norm")))
    kernel_gate = sigmoid(normed(linear(both, part("kernel_gate")), part("kernel_gate_norm")))
    own = normed(linear(feature, part("feature_out")), part("feature_norm"))
    old = normed(linear(kernel, part("kernel_out")), part("kernel_norm"))
    mixed = [feature_gate[i] * own[i] + kernel_gate[i] * old[i] for i in range(len(own))]
    return relu(normed(linear(mixed, part("mix")), part("mix_norm")))


def attended(kernels: list[Vector], attention: nn.Module, heads: int) -> list[Vector]:
    """Vaswani et al. 2017, eq. 1, over the kernels of one image; the projection holds query, key and value in turn."""
    width = len(kernels[0])
    size = width // heads
    projected = [linear(kernel, attention.get_submodule("project")) for kernel in kernels]
    answers: list[Vector] = []
    for i in range(len(kernels)):
        joined: Vector = []
        for head in range(heads):
            at = head * size
            query = projected[i][at : at + size]
            keys = [one[width + at : width + at + size] for one in projected]
            values = [one[2 * width + at : 2 * width + at + size] for one in projected]
            scores = softmax([sum(a * b for a, b in zip(query, key, strict=True)) / math.sqrt(size) for key in keys])
            joined += [sum(scores[j] * values[j][c] for j in range(len(kernels))) for c in range(size)]
        answers.append(linear(joined, attention.get_submodule("out")))
    return answers


@pytest.mark.parametrize("seed", [0, 1])
def test_a_stage_gives_the_numbers_of_the_equations_in_the_paper(seed: int) -> None:
    torch.manual_seed(seed)
    width, classes, heads, side = 8, 3, 2, 3
    stage = KernelUpdateStage(width, heads)
    for parameter in stage.parameters():
        nn.init.normal_(parameter, std=0.4)
    features, kernels = torch.randn(1, width, side, side), torch.randn(1, classes, width)
    logits = torch.randn(1, classes, side, side)
    found_kernels, found_logits = stage(features, kernels, logits)

    convolution = numbers(stage.transform.weight)[:, :, 0, 0]
    moved = np.einsum("oc,chw->ohw", convolution, numbers(features[0]))
    moved += numbers(stage.transform.get_parameter("bias"))[:, None, None]
    mixed = [
        updated(group_feature(moved, numbers(logits[0]), k), list(map(float, kernels[0, k])), stage.update)
        for k in range(classes)
    ]
    told = attended(mixed, stage.attention, heads)
    mixed = [normed(added(own, heard), stage.attention_norm) for own, heard in zip(mixed, told, strict=True)]
    forward = [linear(relu(linear(one, stage.feed_forward[0])), stage.feed_forward[2]) for one in mixed]
    mixed = [normed(added(own, more), stage.feed_forward_norm) for own, more in zip(mixed, forward, strict=True)]
    np.testing.assert_allclose(numbers(found_kernels[0]), mixed, rtol=1e-4, atol=1e-5)
    for k in range(classes):
        first = relu(normed(linear(mixed[k], stage.mask_kernel[0]), stage.mask_kernel[1]))
        kernel = linear(first, stage.mask_kernel[3])
        mask = [[sum(kernel[c] * moved[c, y, x] for c in range(width)) for x in range(side)] for y in range(side)]
        np.testing.assert_allclose(numbers(found_logits[0, k]), mask, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("source", "target"), [(1, 6), (2, 3), (5, 2), (16, 6), (16, 1)])
def test_pooling_by_matrices_equals_adaptive_average_pooling(source: int, target: int) -> None:
    x = torch.randn(2, 3, source, source)
    by_matrix = pooling_matrix(source, target) @ x @ pooling_matrix(source, target).T
    torch.testing.assert_close(by_matrix, F.adaptive_avg_pool2d(x, target))


def test_pyramid_pooling_puts_its_parts_beside_the_map() -> None:
    torch.manual_seed(0)
    pool = PyramidPooling(16, 8).eval()
    x = torch.randn(1, 16, 4, 4)
    parts = [x]
    for grid, level in zip((1, 2, 3, 6), pool.levels, strict=True):
        small = level(F.adaptive_avg_pool2d(x, grid))
        parts.append(F.interpolate(small, size=(4, 4), mode="bilinear", align_corners=False))
    torch.testing.assert_close(pool(x), pool.merge(torch.cat(parts, 1)))


def test_swin_has_upernet_and_three_stages_by_default(make_job: Callable[..., Job]) -> None:
    for preset, told, wanted in [
        ("swin_tiny", {}, ("upernet", 3)),
        ("swin_large", {"neck": "fpn", "stages": 1}, ("fpn", 1)),
        ("efficientnet_lite0", {}, ("fpn", 2)),
        ("efficientnet_lite0", {"neck": "upernet"}, ("upernet", 2)),
    ]:
        model = make_job(settings={"preset": preset, "stages": None, **told}).settings
        assert (model.neck_kind, model.stage_count) == wanted


def test_swin_t_with_upernet_has_about_the_published_number_of_parameters(make_job: Callable[..., Job]) -> None:
    """Liu et al. 2021 (arXiv 2103.14030), table 3: UPerNet on Swin-T for the 150 classes of ADE20K, 60 million."""
    classes = [f"class {index}" for index in range(150)]
    settings, internal = {"preset": "swin_tiny", "stages": None}, {"width": 512, "heads": 8}
    with torch.device("meta"):
        job = make_job(classes=classes, mirrorPairs=[], settings=settings, internal=internal)
        model = build_model(job, load_weights=False)
    stages = sum(one.numel() for one in model.stages.parameters())
    plain = sum(one.numel() for one in model.parameters()) - stages
    assert isinstance(model, KNet) and plain == pytest.approx(60e6, rel=0.03)
    # A stage: F' and eight square layers with bias, kernel head (one without), attention's four, feed-forward of 8.
    square, bias, feed_forward = 512 * 512, 512, 2 * 8 * 512 * 512 + 9 * 512
    squares = 1 + 7 + 2 + 4
    norms = 2 * 512 * (5 + 1 + 1 + 1)
    assert stages == 3 * (squares * square + (squares - 1) * bias + feed_forward + norms)


def test_a_network_with_upernet_trains_and_predicts(make_job: Callable[..., Job]) -> None:
    model = build_model(make_job(settings={"neck": "upernet"}), load_weights=True)
    outputs = model.all_stages(torch.rand(2, 3, 64, 64) * 255)
    assert [tuple(one.shape) for one in outputs.stages] == [(2, 4, 16, 16)] * 3
    torch.stack([one.sum() for one in outputs.stages]).sum().backward()
    unused = [name for name, one in model.neck.named_parameters() if one.grad is None or not one.grad.isfinite().all()]
    assert unused == []


def test_a_run_with_upernet_trains_on_after_its_first_validation(make_job: Callable[..., Job]) -> None:
    job = make_job(settings={"neck": "upernet", "iterations": 1}, val=make_job().train)
    recorder = run_here(job)
    assert recorder.of("exported") and recorder.of("progress")[0]["loss"] > 0
