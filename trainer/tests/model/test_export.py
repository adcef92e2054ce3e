"""The exported files compute what PyTorch computes, in every form they can take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
import torch
from torch import nn

from partloop_trainer.export import allowed_ties, export
from partloop_trainer.job import Job
from partloop_trainer.model.knet import KNet, build_model, group_features
from partloop_trainer.process.protocol import TrainerError


def lively(job: Job) -> KNet:
    """A network whose kernels distinguish classes, which those of an untrained one hardly do."""
    model = build_model(job, load_weights=True)
    nn.init.normal_(model.kernels.weight, std=0.5)
    return model


@pytest.mark.parametrize(
    ("size", "neck", "precision"),
    [
        (64, "fpn", "float32"),
        (96, "upernet", "float32"),
        (64, "upernet", "float16"),
    ],
)
def test_an_export_is_compared_with_pytorch_and_describes_itself(
    make_job: Callable[..., Job], tmp_path: Path, size: int, neck: str, precision: str
) -> None:
    job = make_job(settings={"imageSize": size, "neck": neck, "exportPrecision": precision})
    exported = export(lively(job), job, tmp_path)
    is_half = precision == "float16"
    assert exported.difference <= (2e-2 if is_half else 1e-3)
    for path in (exported.model, exported.scan):
        model = onnx.load(str(path))
        assert [one.version for one in model.opset_import if one.domain == ""] == [18]
        told = {one.key: one.value for one in model.metadata_props}
        assert told["partloop.opset"] == "18" and told["partloop.batch"] == "N"
        assert told["partloop.precision"] == precision
        first = model.graph.input[0].type.tensor_type.shape.dim[0]
        assert first.dim_param == "N"
        weights = [one for one in model.graph.initializer if len(one.dims) == 4]
        kind = onnx.TensorProto.FLOAT16 if is_half else onnx.TensorProto.FLOAT
        assert weights and {one.data_type for one in weights} == {kind}
        assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    logits = onnx.load(str(exported.model)).graph.output[0].type.tensor_type.elem_type
    assert logits == onnx.TensorProto.FLOAT


def test_sums_over_many_pixels_stay_in_range_in_16_bits() -> None:
    features = torch.full((1, 2, 128, 128), 10.0, dtype=torch.float16)
    assert not features.sum(dim=(2, 3), dtype=torch.float16).isfinite().any()
    logits = torch.zeros(1, 1, 128, 128, dtype=torch.float16)
    torch.testing.assert_close(group_features(features, logits), torch.full((1, 1, 2), 10.0), rtol=1e-3, atol=0)


def test_a_network_without_finite_output_is_not_exported(make_job: Callable[..., Job], tmp_path: Path) -> None:
    job = make_job()
    model = lively(job)
    with torch.no_grad():
        model.kernels.weight[0, 0] = float("nan")
    with pytest.raises(TrainerError, match="differ from PyTorch"):
        export(model, job, tmp_path)


def test_any_mask_may_have_a_few_tied_pixels_and_a_large_one_a_share() -> None:
    assert allowed_ties(3 * 16 * 16, 1e-3) == 4
    assert allowed_ties(2 * 384 * 512, 1e-3) == pytest.approx(393.216)
