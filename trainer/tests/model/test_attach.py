"""A foreign network gets the scan head, and judges as numpy does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from partloop_trainer.attach import Spec, attach_head
from partloop_trainer.process.protocol import TrainerError

SIZE = 64
MEAN, STD, SCALE = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3], 1 / 255
WEIGHTS = np.random.default_rng(3).normal(size=(4, 3, 1, 1)).astype(np.float32)


def network(path: Path, layout: str = "NCHW", opset: int = 17, domain: str = "") -> Path:
    """Four logits at stride 4 that are linear in the mean colour of each 4 x 4 cell."""
    shape = ["N", 3, SIZE, SIZE] if layout == "NCHW" else ["N", SIZE, SIZE, 3]
    nodes = [] if layout == "NCHW" else [helper.make_node("Transpose", ["picture"], ["chw"], perm=[0, 3, 1, 2])]
    source = "picture" if layout == "NCHW" else "chw"
    nodes += [
        helper.make_node("AveragePool", [source], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Conv", ["small", "weights"], ["logits"], domain=domain),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 4, SIZE // 4, SIZE // 4])],
        [numpy_helper.from_array(WEIGHTS, "weights")],
    )
    opsets = [helper.make_opsetid("", opset), *([helper.make_opsetid(domain, 1)] if domain else [])]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    return path


def spec(sources: list[list[int]], layout: str = "NCHW", channels: str = "RGB") -> Spec:
    return Spec(None, None, layout, channels, SIZE, SCALE, MEAN, STD, sources)


def probabilities(image: np.ndarray, sources: list[list[int]], channels: str) -> np.ndarray:
    """[classes, S/4, S/4] by numpy."""
    colours = image[..., ::-1] if channels == "BGR" else image
    normal = (colours.astype(np.float64) * SCALE - MEAN) / STD
    cells = normal.reshape(SIZE // 4, 4, SIZE // 4, 4, 3).mean((1, 3))
    logits = np.einsum("yxc,kc->kyx", cells, WEIGHTS[:, :, 0, 0])
    shares = np.exp(logits - logits.max(0))
    shares /= shares.sum(0)
    return np.stack([shares[one].sum(0) for one in sources])


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("channels", ["RGB", "BGR"])
@pytest.mark.parametrize("sources", [[[2], [0], [1], [3]], [[0, 3], [2], [1]]])
def test_the_head_finds_the_class_and_both_probabilities(
    tmp_path: Path, layout: str, channels: str, sources: list[list[int]]
) -> None:
    out = tmp_path / "scan.onnx"
    attach_head(network(tmp_path / "net.onnx", layout), spec(sources, layout, channels), out)
    image = np.random.default_rng(5).integers(0, 256, (1, SIZE, SIZE, 3), np.uint8)
    side = SIZE // 4
    label = np.random.default_rng(6).integers(0, len(sources), (1, side, side)).astype(np.uint8)
    label[0, 0, 0] = 255
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    found = session.run(["mask", "p_mask", "p_label"], {"image": image, "label": label})
    mask, p_mask, p_label = (np.asarray(one)[0] for one in found)
    # Nothing is interpolated at the network's own stride.
    wanted = probabilities(image[0], sources, channels)
    given = np.where(label[0] == 255, 0, label[0])
    assert np.array_equal(mask, wanted.argmax(0))
    assert np.abs(p_mask - wanted.max(0) * 255).max() <= 0.51
    assert np.abs(p_label - np.take_along_axis(wanted, given[None].astype(int), 0)[0] * 255).max() <= 0.51


def test_the_answer_has_the_grid_of_the_label(tmp_path: Path) -> None:
    out = tmp_path / "scan.onnx"
    attach_head(network(tmp_path / "net.onnx"), spec([[0], [1], [2], [3]]), out)
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    image = np.zeros((2, SIZE, SIZE, 3), np.uint8)
    for side in (SIZE, 48):
        found = session.run(None, {"image": image, "label": np.zeros((2, side, side), np.uint8)})
        assert [np.asarray(one).shape for one in found] == [(2, side, side)] * 3


def test_a_network_with_other_classes_is_refused_with_both_numbers(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match="names 3 classes"):
        attach_head(network(tmp_path / "net.onnx"), spec([[0], [1], [2]]), tmp_path / "scan.onnx")
    assert not (tmp_path / "scan.onnx").exists()


def test_an_operator_of_another_domain_is_refused_by_its_domain(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match=r"com\.example"):
        foreign = network(tmp_path / "net.onnx", domain="com.example")
        attach_head(foreign, spec([[0], [1], [2], [3]]), tmp_path / "scan.onnx")


def test_a_file_that_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(TrainerError, match=r"net\.onnx"):
        attach_head(path, spec([[0], [1], [2], [3]]), tmp_path / "scan.onnx")
