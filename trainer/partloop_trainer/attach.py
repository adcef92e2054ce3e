"""Give a foreign segmentation network partloop's scan head, inside ONNX.

image uint8 [N, S, S, 3] and label uint8 [N, H, W] in; mask, p_mask, p_label uint8 [N, H, W] out, as `export.ScanGraph`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, compose, helper, numpy_helper, version_converter

from .checkpoint import replace_durably
from .export import clean
from .preprocess import IGNORE
from .protocol import TrainerError

# From here on reductions take their axes as an input.
OPSET = 18
LARGEST_FILE = 4 * 2**30
PREFIX = "network/"
STANDARD_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}


@dataclass(frozen=True)
class Spec:
    """How the network wants its picture, and which of its logits make up each label value."""

    input: str | None
    output: str | None
    layout: str
    channels: str
    size: int
    scale: float
    mean: list[float]
    std: list[float]
    sources: list[list[int]]


def read_spec(path: Path) -> Spec:
    """Parse the file that partloop wrote; raises `job-invalid`."""
    try:
        raw: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return Spec(
            raw.get("input"), raw.get("output"), str(raw["layout"]), str(raw["channels"]), int(raw["size"]),
            float(raw["scale"]), [float(one) for one in raw["mean"]], [float(one) for one in raw["std"]],
            [[int(one) for one in logits] for logits in raw["sources"]],
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainerError("job-invalid", f"{path} is no description of a model: {error!r}") from error


def attach_head(model_path: Path, spec: Spec, out: Path) -> None:
    """Write `out`; raises `data-unusable` naming the model where it cannot be used."""
    model = _load(model_path)
    names = [one.name for one in model.graph.input if one.name not in {i.name for i in model.graph.initializer}]
    image = _chosen(model_path, "input", spec.input, names)
    logits = _chosen(model_path, "output", spec.output, [one.name for one in model.graph.output])
    for one in list(model.graph.output):
        if one.name != logits:
            model.graph.output.remove(one)
    network = compose.add_prefix(model, PREFIX)
    nodes = [*_normalise(spec, PREFIX + image), *network.graph.node, *_head(spec, PREFIX + logits)]
    size = spec.size
    graph = helper.make_graph(
        nodes,
        "partloop",
        [
            helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", size, size, 3]),
            helper.make_tensor_value_info("label", TensorProto.UINT8, ["N", "H", "W"]),
        ],
        [
            helper.make_tensor_value_info(name, TensorProto.UINT8, ["N", "H", "W"])
            for name in ("mask", "p_mask", "p_label")
        ],
        [*network.graph.initializer, *_constants(spec)],
    )
    joined = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    clean(joined, {"partloop.size": str(size), "partloop.classes": str(len(spec.sources))})
    try:
        onnx.checker.check_model(joined)
        _try(joined, spec)
    except TrainerError:
        raise
    except Exception as error:
        raise TrainerError("data-unusable", f"{model_path} cannot carry the scan head: {str(error)[:500]}") from error
    temporary = out.with_name(out.name + ".tmp")
    temporary.write_bytes(joined.SerializeToString(deterministic=True))
    replace_durably(temporary, out)


def _load(path: Path) -> onnx.ModelProto:
    """The model, weights inside the file, standard operators alone, at our opset or a later one."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise TrainerError("data-unusable", f"{path} is larger than {LARGEST_FILE >> 30} GB")
        model = onnx.load(str(path), load_external_data=False)
    except TrainerError:
        raise
    except Exception as error:
        raise TrainerError("data-unusable", f"{path} is not a readable ONNX file: {str(error)[:300]}") from error
    if any(one.data_location == TensorProto.EXTERNAL for one in model.graph.initializer):
        raise TrainerError("data-unusable", f"{path} keeps weights in other files", "export it as one file")
    foreign = {node.domain for node in model.graph.node} - STANDARD_DOMAINS
    if foreign:
        listed = ", ".join(sorted(foreign))
        raise TrainerError("data-unusable", f"{path} has operators of {listed}", "export it with standard operators")
    opset = next((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), 0)
    try:
        return model if opset >= OPSET else version_converter.convert_version(model, OPSET)
    except Exception as error:
        hint = f"export it with opset {OPSET}"
        message = f"{path} with opset {opset} cannot be brought to opset {OPSET}: {str(error)[:300]}"
        raise TrainerError("data-unusable", message, hint) from error


def _chosen(path: Path, what: str, asked: str | None, there: list[str]) -> str:
    if asked is None and len(there) == 1:
        return there[0]
    if asked in there:
        return str(asked)
    listed = ", ".join(there)
    hint = f"name one of them as `{what}` in model.json"
    raise TrainerError("data-unusable", f"{path} has the {what}s {listed}", hint)


def _normalise(spec: Spec, target: str) -> list[NodeProto]:
    nodes = [helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT)]
    colours = "pixels"
    if spec.channels == "BGR":
        nodes.append(helper.make_node("Gather", [colours, "reverse"], ["reversed"], axis=3))
        colours = "reversed"
    nodes += [
        helper.make_node("Mul", [colours, "scale"], ["scaled"]),
        helper.make_node("Sub", ["scaled", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "std"], ["normalised"]),
    ]
    if spec.layout == "NCHW":
        return [*nodes, helper.make_node("Transpose", ["normalised"], [target], perm=[0, 3, 1, 2])]
    return [*nodes, helper.make_node("Identity", ["normalised"], [target])]


def _head(spec: Spec, logits: str) -> list[NodeProto]:
    """Log-probabilities at the network's stride, upsampled to the label's grid, and what of them leaves the graph."""
    nodes = [helper.make_node("LogSoftmax", [logits], ["log_all"], axis=1)]
    if all(len(one) == 1 for one in spec.sources):
        nodes.append(helper.make_node("Gather", ["log_all", "order"], ["log_p_small"], axis=1))
    else:
        # Several logits that are one class here: their probabilities add up.
        for value in range(len(spec.sources)):
            nodes.append(helper.make_node("Gather", ["log_all", f"logits_{value}"], [f"group_{value}"], axis=1))
            nodes.append(
                helper.make_node("ReduceLogSumExp", [f"group_{value}", "class_axis"], [f"log_{value}"], keepdims=1)
            )
        nodes.append(
            helper.make_node("Concat", [f"log_{value}" for value in range(len(spec.sources))], ["log_p_small"], axis=1)
        )
    return [
        *nodes,
        helper.make_node("Shape", ["log_p_small"], ["small_batch"], end=2),
        helper.make_node("Shape", ["label"], ["label_sides"], start=1),
        helper.make_node("Concat", ["small_batch", "label_sides"], ["full_shape"], axis=0),
        helper.make_node(
            "Resize",
            ["log_p_small", "", "", "full_shape"],
            ["log_p"],
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        ),
        helper.make_node("ArgMax", ["log_p"], ["best"], axis=1, keepdims=0),
        helper.make_node("Cast", ["best"], ["mask"], to=TensorProto.UINT8),
        helper.make_node("ReduceMax", ["log_p", "class_axis"], ["log_best"], keepdims=0),
        *_as_byte("log_best", "p_mask"),
        helper.make_node("Cast", ["label"], ["label_wide"], to=TensorProto.INT64),
        helper.make_node("Equal", ["label_wide", "ignore"], ["ignored"]),
        helper.make_node("Where", ["ignored", "nothing", "label_wide"], ["given"]),
        helper.make_node("Unsqueeze", ["given", "class_axis"], ["given_index"]),
        helper.make_node("GatherElements", ["log_p", "given_index"], ["log_given"], axis=1),
        helper.make_node("Squeeze", ["log_given", "class_axis"], ["log_label"]),
        *_as_byte("log_label", "p_label"),
    ]


def _as_byte(log_p: str, out: str) -> list[NodeProto]:
    return [
        helper.make_node("Exp", [log_p], [f"{out}_p"]),
        helper.make_node("Mul", [f"{out}_p", "full_scale"], [f"{out}_255"]),
        helper.make_node("Add", [f"{out}_255", "half"], [f"{out}_half"]),
        helper.make_node("Floor", [f"{out}_half"], [f"{out}_floor"]),
        helper.make_node("Clip", [f"{out}_floor", "lowest", "full_scale"], [f"{out}_clipped"]),
        helper.make_node("Cast", [f"{out}_clipped"], [out], to=TensorProto.UINT8),
    ]


def _constants(spec: Spec) -> list[TensorProto]:
    floats = {
        "scale": spec.scale, "mean": spec.mean, "std": spec.std, "full_scale": 255.0, "half": 0.5, "lowest": 0.0,
    }  # fmt: skip
    integers: dict[str, Any] = {"ignore": IGNORE, "nothing": 0, "class_axis": [1]}
    if spec.channels == "BGR":
        integers["reverse"] = [2, 1, 0]
    if all(len(one) == 1 for one in spec.sources):
        integers["order"] = [one[0] for one in spec.sources]
    else:
        integers |= {f"logits_{value}": one for value, one in enumerate(spec.sources)}
    return [
        *(numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in floats.items()),
        *(numpy_helper.from_array(np.asarray(value, np.int64), name) for name, value in integers.items()),
    ]


def _try(model: onnx.ModelProto, spec: Spec) -> None:
    """One picture through ONNX Runtime: shapes and the number of logits only show there."""
    import onnxruntime

    trial = onnx.ModelProto()
    trial.CopyFrom(model)
    trial.graph.output.append(helper.make_tensor_value_info("log_all", TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(trial.SerializeToString(), providers=["CPUExecutionProvider"])
    size, side = spec.size, 32
    feed = {"image": np.zeros((1, size, size, 3), np.uint8), "label": np.full((1, side, side), IGNORE, np.uint8)}
    *found, logits = [np.asarray(one) for one in session.run(["mask", "p_mask", "p_label", "log_all"], feed)]
    wanted = sum(len(one) for one in spec.sources)
    if logits.ndim != 4 or logits.shape[1] != wanted:
        raise TrainerError(
            "data-unusable",
            f"the network gives an output of shape {list(logits.shape)}, model.json names {wanted} classes",
            "the output must be logits [N, classes, h, w]",
        )
    if any(one.shape != (1, side, side) for one in found):
        raise TrainerError("data-unusable", f"the scan head gives shapes {[list(one.shape) for one in found]}")
