"""A foreign network may judge only if its answers for real pictures make sense."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from partloop_trainer.attach import Spec, attach_head
from partloop_trainer.process.protocol import TrainerError

SIZE, CLASSES = 64, 4
RANDOM = np.random.default_rng(11)
WEIGHTS = RANDOM.normal(size=(CLASSES, 3, 1, 1)).astype(np.float32) * 4
PICTURES = RANDOM.integers(0, 256, (4, SIZE // 8, SIZE // 8, 3), np.uint8).repeat(8, 1).repeat(8, 2)


def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> NodeProto:
    return helper.make_node(kind, inputs, [output], **attributes)


def network(
    path: Path, last: list[NodeProto], *, kind: int = TensorProto.FLOAT, shape: list[str | int] | None = None
) -> Path:
    """`logits`, linear in the mean colour of each 4 x 4 cell, which `last` turns into the output `answer`."""
    to_kind = helper.tensor_dtype_to_np_dtype(kind)
    constants = {
        "weights": WEIGHTS, "zero": np.float32(0), "nothing": np.zeros((CLASSES, 1, 1), np.float32),
        "nan": np.float32(np.nan), "huge": np.float32(np.inf), "bright": np.float32(0.6), "axis": np.asarray([1]),
        "impossible": np.asarray([0, -np.inf, 0, 0], np.float32).reshape(1, 4, 1, 1),
        "mostly": np.asarray([0, 0, 50, 0], np.float32).reshape(1, 4, 1, 1),
    }  # fmt: skip
    floats = {name: numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()}
    typed = [numpy_helper.from_array(WEIGHTS.astype(to_kind), "weights")]
    graph = helper.make_graph(
        [
            node("AveragePool", ["picture"], "small", kernel_shape=[4, 4], strides=[4, 4]),
            node("Conv", ["small", "weights"], "logits"),
            *last,
        ],
        "net",
        [helper.make_tensor_value_info("picture", kind, shape or ["N", 3, "H", "W"])],
        [helper.make_empty_tensor_value_info("answer")],
        typed + [one for name, one in floats.items() if name != "weights"],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), str(path))
    return path


def spec(**fields: Any) -> Spec:
    plain: dict[str, Any] = {
        "input": None, "output": None, "layout": "NCHW", "channels": "RGB", "size": SIZE, "scale": 1 / 255,
        "mean": [0.0] * 3, "std": [1.0] * 3, "sources": [[0], [1], [2], [3]],
        "names": ("background", "hood", "wheel", "door"),
    }  # fmt: skip
    return Spec(**(plain | fields))


def attach(folder: Path, last: list[NodeProto], *, kind: int = TensorProto.FLOAT, **fields: Any) -> list[str]:
    return attach_head(network(folder / "net.onnx", last, kind=kind), spec(**fields), folder / "scan.onnx", PICTURES)


def judge(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    session = onnxruntime.InferenceSession(str(folder / "scan.onnx"), providers=["CPUExecutionProvider"])
    label = np.full((1, SIZE // 4, SIZE // 4), 2, np.uint8)
    found = session.run(["mask", "p_mask", "p_label"], {"image": PICTURES[:1], "label": label})
    mask, p_mask, p_label = (np.asarray(one)[0] for one in found)
    return mask, p_mask, p_label


LOGITS = [node("Identity", ["logits"], "answer")]
SOFTMAX = [node("Softmax", ["logits"], "answer", axis=1)]
ONE_HOT = [
    node("ReduceMax", ["logits", "axis"], "best"),
    node("Equal", ["logits", "best"], "is_best"),
    node("Cast", ["is_best"], "answer", to=TensorProto.FLOAT),
]
SPOILED = {
    "NaN": ([node("Mul", ["logits", "nan"], "answer")], "answers with NaN for 4 of 4 pictures"),
    "a class of NaN": (
        [node("Mul", ["nothing", "nan"], "bad"), node("Add", ["logits", "bad"], "answer")],
        "answers with NaN",
    ),
    "infinite values": ([node("Mul", ["logits", "huge"], "answer")], "answers with"),
    "probabilities": (SOFTMAX, 'gives probabilities .*"outputs": "probabilities"'),
    "a sigmoid for each class": (
        [node("Sigmoid", ["logits"], "answer")],
        "a sigmoid for each class.*without its last sigmoid",
    ),
    "ones and zeros": (ONE_HOT, "only zeros and ones.*without its last argmax"),
    "the same everywhere": ([node("Mul", ["logits", "zero"], "answer")], "does not see them"),
    "the same for every picture": (
        [node("Mul", ["logits", "zero"], "none"), node("Add", ["none", "mostly"], "answer")],
        "does not see them",
    ),
    "class numbers": (
        [node("ArgMax", ["logits"], "answer", axis=1, keepdims=0)],
        "one number per pixel.*without its last argmax",
    ),
    "class numbers with an axis": ([node("ArgMax", ["logits"], "answer", axis=1)], "one number per pixel"),
    "classes on the last axis": (
        [node("Transpose", ["logits"], "answer", perm=[0, 2, 3, 1])],
        '"outputLayout": "NHWC"',
    ),
    "a class too many": ([node("Concat", ["logits", "logits"], "answer", axis=1)], "must name all 8 outputs"),
    "one vector": ([node("ReduceMean", ["logits"], "answer", keepdims=0)], "the output must be logits"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_an_unusable_network_is_refused_with_the_reason_and_advice(tmp_path: Path, name: str) -> None:
    last, message = SPOILED[name]
    with pytest.raises(TrainerError) as raised:
        attach(tmp_path, last)
    assert re.search(message, f"{raised.value.message}; {raised.value.hint}"), raised.value.message
    assert "net.onnx" in raised.value.message
    assert not (tmp_path / "scan.onnx").exists()


@pytest.mark.parametrize("last", [SOFTMAX, [node("LogSoftmax", ["logits"], "answer", axis=1)]])
def test_declared_probabilities_and_log_probabilities_judge_like_logits(tmp_path: Path, last: list[NodeProto]) -> None:
    assert attach(tmp_path, LOGITS) == []
    wanted = judge(tmp_path)
    outputs = "probabilities" if last is SOFTMAX else "logits"
    assert attach(tmp_path, last, outputs=outputs) == []
    for found, one in zip(judge(tmp_path), wanted, strict=True):
        assert np.abs(found.astype(int) - one).max() <= (0 if one is wanted[0] else 1)


def test_logits_declared_as_probabilities_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match=r"model\.json says probabilities"):
        attach(tmp_path, LOGITS, outputs="probabilities")
    with pytest.raises(TrainerError, match="only zeros and ones"):
        attach(tmp_path, ONE_HOT, outputs="probabilities")


def test_classes_on_the_last_axis_judge_like_those_on_the_first(tmp_path: Path) -> None:
    attach(tmp_path, LOGITS)
    wanted = judge(tmp_path)
    attach(tmp_path, [node("Transpose", ["logits"], "answer", perm=[0, 2, 3, 1])], output_layout="NHWC")
    assert all(np.array_equal(found, one) for found, one in zip(judge(tmp_path), wanted, strict=True))


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_a_network_of_another_precision_judges_nearly_the_same(tmp_path: Path, kind: int) -> None:
    attach(tmp_path, LOGITS)
    wanted = judge(tmp_path)
    if kind == TensorProto.FLOAT16:
        assert attach(tmp_path, LOGITS, kind=kind) == []
    else:
        assert attach(tmp_path, [node("Cast", ["logits"], "answer", to=kind)]) == []
    mask, p_mask, p_label = judge(tmp_path)
    assert (mask != wanted[0]).mean() < 0.01
    assert max(np.abs(found.astype(int) - one).max() for found, one in ((p_mask, wanted[1]), (p_label, wanted[2]))) <= 2


def test_a_class_that_is_impossible_everywhere_harms_no_other(tmp_path: Path) -> None:
    assert attach(tmp_path, [node("Add", ["logits", "impossible"], "answer")]) == []
    mask, p_mask, _ = judge(tmp_path)
    assert 1 not in mask and 255 not in mask and p_mask.min() > 0


def test_one_class_for_every_picture_is_reported(tmp_path: Path) -> None:
    warnings = attach(tmp_path, [node("Add", ["logits", "mostly"], "answer")])
    assert len(warnings) == 1 and "only the class `wheel`" in warnings[0] and "scale, mean, std" in warnings[0]


def test_pixels_without_a_number_have_no_class_in_the_mask(tmp_path: Path) -> None:
    """A fault that no earlier picture showed appears in the scan: 255 is no class."""
    bright = [
        node("ReduceMax", ["small", "axis"], "most"),
        node("Greater", ["most", "bright"], "is_bright"),
        node("Where", ["is_bright", "nan", "logits"], "answer"),
    ]
    path = network(tmp_path / "net.onnx", bright)
    dark = (PICTURES // 2).astype(np.uint8)
    attach_head(path, spec(), tmp_path / "scan.onnx", dark)
    mask, p_mask, p_label = judge(tmp_path)
    nowhere = PICTURES[0, ::4, ::4].max(-1) / 255 > 0.6
    assert 0 < nowhere.sum() < nowhere.size
    assert np.array_equal(mask == 255, nowhere)
    assert p_mask[nowhere].max() == p_label[nowhere].max() == 0


def test_inputs_of_the_wrong_shape_are_named_with_both_shapes(tmp_path: Path) -> None:
    cases: list[tuple[list[str | int], str]] = [
        ([1, 3, 48, 96], r"takes an input \[1, 3, 48, 96\], model.json says \[1, 3, 64, 64\].*oblong"),
        ([4, 3, 64, 64], "batch size 1"),
        (["N", 64, 64, 3], "set `layout`"),
        ([1, 1, 64, 64], "set `layout`|oblong"),
    ]
    for shape, message in cases:
        path = network(tmp_path / "net.onnx", LOGITS, shape=shape)
        with pytest.raises(TrainerError) as raised:
            attach_head(path, spec(), tmp_path / "scan.onnx", PICTURES)
        assert re.search(message, f"{raised.value.message}; {raised.value.hint}"), raised.value.message
