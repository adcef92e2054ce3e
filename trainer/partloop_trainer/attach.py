"""Give a foreign segmentation network partloop's scan head, inside ONNX.

image uint8 [N, S, S, 3] and label uint8 [N, H, W] in; mask, p_mask, p_label uint8 [N, H, W] out, as `export.ScanGraph`.
The network's own answers to real pictures are checked first (`answers.py`): the head would hide their faults.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, compose, helper, numpy_helper, version_converter

from .data.preprocess import IGNORE
from .export import OPSET, clean
from .process.answers import check_answers, shape_fault
from .process.checkpoint import replace_durably
from .process.protocol import TrainerError

LARGEST_FILE = 4 * 2**30
PREFIX = "network/"
STANDARD_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
# Types to which the pixels can be cast.
INPUT_TYPES = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.UINT8}
# The lowest value in use: an infinity would become NaN when two pixels are mixed.
LOWEST_LOGIT = -1e30
LOWEST_P = 1e-30


@dataclass(frozen=True)
class Spec:
    """The form in which the network takes its picture, and the outputs that make up each label value."""

    input: str | None
    output: str | None
    layout: str
    channels: str
    size: int
    scale: float
    mean: list[float]
    std: list[float]
    sources: list[list[int]]
    outputs: str = "logits"
    output_layout: str = "NCHW"
    # Names of the classes in the order of the outputs; only messages use them.
    names: tuple[str, ...] = ()


def read_spec(path: Path) -> Spec:
    """Parse the file that partloop wrote; raises `job-invalid`."""
    try:
        raw: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return Spec(
            raw.get("input"), raw.get("output"), str(raw["layout"]), str(raw["channels"]), int(raw["size"]),
            float(raw["scale"]), [float(one) for one in raw["mean"]], [float(one) for one in raw["std"]],
            [[int(one) for one in logits] for logits in raw["sources"]],
            str(raw.get("outputs", "logits")), str(raw.get("outputLayout", "NCHW")),
            tuple(str(one) for one in raw.get("names", [])),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainerError("job-invalid", f"{path} does not describe a model: {error!r}") from error


def read_pictures(path: Path, size: int) -> np.ndarray:
    """uint8 [n, S, S, 3], n at least 1; raises `job-invalid`."""
    values = np.fromfile(path, np.uint8)
    if values.size == 0 or values.size % (size * size * 3) != 0:
        raise TrainerError("job-invalid", f"{path} does not hold pictures of {size} x {size}")
    return values.reshape(-1, size, size, 3)


def attach_head(model_path: Path, spec: Spec, out: Path, pictures: np.ndarray | None = None) -> list[str]:
    """Write `out` and return warnings for a person; raises `data-unusable` naming a model that cannot be used.

    pictures: real ones, uint8 [n, S, S, 3], to try the network on.
    """
    model = _load(model_path)
    constants = {one.name for one in model.graph.initializer}
    image = _chosen(model_path, "input", spec.input, [o.name for o in model.graph.input if o.name not in constants])
    answer = _chosen(model_path, "output", spec.output, [one.name for one in model.graph.output])
    wanted = next(one.type.tensor_type for one in model.graph.input if one.name == image)
    _check_input(model_path, spec, wanted)
    for one in list(model.graph.output):
        if one.name != answer:
            model.graph.output.remove(one)
    network = compose.add_prefix(model, PREFIX)
    nodes = [
        *_normalise(spec, PREFIX + image, wanted.elem_type),
        *network.graph.node,
        *_logits(spec, PREFIX + answer),
        *_head(spec),
    ]
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
        warnings = _try(model_path, joined, spec, PREFIX + answer, pictures)
    except TrainerError:
        raise
    except Exception as error:
        raise TrainerError("data-unusable", f"{model_path} cannot carry the scan head: {str(error)[:500]}") from error
    temporary = out.with_name(out.name + ".tmp")
    temporary.write_bytes(joined.SerializeToString(deterministic=True))
    replace_durably(temporary, out)
    return warnings


def _load(path: Path) -> onnx.ModelProto:
    """The model: weights inside the file, standard operators only, at our opset or a later one."""
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
        raise TrainerError("data-unusable", f"{path} uses operators of {listed}", "export it with standard operators")
    opset = next((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), 0)
    try:
        return model if opset >= OPSET else version_converter.convert_version(model, OPSET)
    except Exception as error:
        hint = f"export it with opset {OPSET}"
        message = f"{path} cannot be converted from opset {opset} to opset {OPSET}: {str(error)[:300]}"
        raise TrainerError("data-unusable", message, hint) from error


def _chosen(path: Path, what: str, asked: str | None, there: list[str]) -> str:
    if asked is None and len(there) == 1:
        return there[0]
    if asked in there:
        return str(asked)
    listed = ", ".join(there)
    hint = f"name one of them as `{what}` in model.json"
    raise TrainerError("data-unusable", f"{path} has the {what}s {listed}", hint)


def _check_input(path: Path, spec: Spec, wanted: onnx.TypeProto.Tensor) -> None:
    """Refuse a wrong input in plain words; ONNX Runtime would name one of its nodes."""
    if wanted.elem_type not in INPUT_TYPES:
        name = TensorProto.DataType.Name(wanted.elem_type).lower()
        raise TrainerError("data-unusable", f"{path} takes {name}", "export it with a float32 input")
    if not wanted.HasField("shape"):
        return
    sides = [one.dim_value if one.HasField("dim_value") else None for one in wanted.shape.dim]
    size = spec.size
    asked = [1, 3, size, size] if spec.layout == "NCHW" else [1, size, size, 3]
    if len(sides) == 4 and all(there in (None, one) for there, one in zip(sides, asked, strict=True)):
        return
    listed = ", ".join("?" if one is None else str(one) for one in sides)
    if len(sides) == 4 and sides[0] not in (None, 1):
        hint = "export it with batch size 1 or a dynamic batch size"
    elif sides == [asked[0], asked[2], asked[3], asked[1]] or (sides[1:2] == [3]) != (asked[1] == 3):
        hint = "set `layout` in model.json: NCHW if the 3 colours come first, NHWC if they come last"
    else:
        hint = "`size` in model.json is the side of its square input; export an oblong one with dynamic sides"
    message = f"{path} takes an input [{listed}], model.json says [{', '.join(map(str, asked))}]"
    raise TrainerError("data-unusable", message, hint)


def _normalise(spec: Spec, target: str, kind: int) -> list[NodeProto]:
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
    ready = "normalised"
    if kind != TensorProto.FLOAT:
        nodes.append(helper.make_node("Cast", [ready], ["typed"], to=kind))
        ready = "typed"
    if spec.layout == "NCHW":
        return [*nodes, helper.make_node("Transpose", [ready], [target], perm=[0, 3, 1, 2])]
    return [*nodes, helper.make_node("Identity", [ready], [target])]


def _logits(spec: Spec, answer: str) -> list[NodeProto]:
    """float32 [N, classes, h, w] `logits`, whatever the network gives; NaN and infinities stay visible."""
    nodes = [helper.make_node("Cast", [answer], ["answer"], to=TensorProto.FLOAT)]
    values = "answer"
    if spec.output_layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [values], ["classes_first"], perm=[0, 3, 1, 2]))
        values = "classes_first"
    # Not Clip, which loses NaN on some devices.
    bounded = "bounded" if spec.outputs == "probabilities" else "logits"
    nodes += [
        helper.make_node("Less", [values, "lowest_value"], ["too_low"]),
        helper.make_node("Where", ["too_low", "lowest_value", values], [bounded]),
    ]
    if spec.outputs == "probabilities":
        nodes.append(helper.make_node("Log", [bounded], ["logits"]))
    return nodes


def _head(spec: Spec) -> list[NodeProto]:
    """Log-probabilities at the network's stride, upsampled to the label's grid, and the outputs made of them."""
    nodes = [helper.make_node("LogSoftmax", ["logits"], ["log_all"], axis=1)]
    if all(len(one) == 1 for one in spec.sources):
        nodes.append(helper.make_node("Gather", ["log_all", "order"], ["log_p_small"], axis=1))
    else:
        # Several logits may be one class here: their probabilities add up.
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
        helper.make_node("Cast", ["best"], ["found"], to=TensorProto.UINT8),
        helper.make_node("ReduceMax", ["log_p", "class_axis"], ["log_best"], keepdims=0),
        *_as_byte("log_best", "p_mask"),
        helper.make_node("Cast", ["label"], ["label_wide"], to=TensorProto.INT64),
        helper.make_node("Equal", ["label_wide", "ignore"], ["ignored"]),
        helper.make_node("Where", ["ignored", "nothing", "label_wide"], ["given"]),
        helper.make_node("Unsqueeze", ["given", "class_axis"], ["given_index"]),
        helper.make_node("GatherElements", ["log_p", "given_index"], ["log_given"], axis=1),
        helper.make_node("Squeeze", ["log_given", "class_axis"], ["log_label"]),
        *_as_byte("log_label", "p_label"),
        # A pixel for which the network gave no number has no class.
        helper.make_node("IsNaN", ["log_label"], ["nowhere"]),
        helper.make_node("Where", ["nowhere", "no_class", "found"], ["mask"]),
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
        "lowest_value": LOWEST_P if spec.outputs == "probabilities" else LOWEST_LOGIT,
    }  # fmt: skip
    integers: dict[str, Any] = {"ignore": IGNORE, "nothing": 0, "class_axis": [1]}
    if spec.channels == "BGR":
        integers["reverse"] = [2, 1, 0]
    if all(len(one) == 1 for one in spec.sources):
        integers["order"] = [one[0] for one in spec.sources]
    else:
        integers |= {f"logits_{value}": one for value, one in enumerate(spec.sources)}
    return [
        numpy_helper.from_array(np.asarray(IGNORE, np.uint8), "no_class"),
        *(numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in floats.items()),
        *(numpy_helper.from_array(np.asarray(value, np.int64), name) for name, value in integers.items()),
    ]


def _try(path: Path, model: onnx.ModelProto, spec: Spec, answer: str, pictures: np.ndarray | None) -> list[str]:
    """Run pictures through ONNX Runtime: only a run shows shapes, the number of classes and the sort of numbers."""
    import onnxruntime

    trial = onnx.ModelProto()
    trial.CopyFrom(model)
    trial.graph.output.append(helper.make_empty_tensor_value_info(answer))
    # Checked before the head, which would fail at another shape with a message about one of its nodes.
    network = onnxruntime.InferenceSession(_only(trial, answer), providers=["CPUExecutionProvider"])
    size, side = spec.size, 32
    shown = np.zeros((1, size, size, 3), np.uint8) if pictures is None else pictures
    classes = sum(len(one) for one in spec.sources)
    answers: list[np.ndarray] = []
    for picture in shown:
        values = np.asarray(network.run([answer], {"image": picture[None]})[0])
        shape_fault(path, values, classes, spec.output_layout)
        answers.append((np.moveaxis(values, 3, 1) if spec.output_layout == "NHWC" else values)[0])
    del network
    warnings = [] if pictures is None else check_answers(path, np.stack(answers), spec.outputs, spec.names)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = {"image": shown[:1], "label": np.full((1, side, side), IGNORE, np.uint8)}
    found = [np.asarray(one) for one in session.run(["mask", "p_mask", "p_label"], feed)]
    if any(one.shape != (1, side, side) for one in found):
        raise TrainerError("data-unusable", f"the scan head gives shapes {[list(one.shape) for one in found]}")
    return warnings


def _only(model: onnx.ModelProto, answer: str) -> bytes:
    """The graph up to the network's own output."""
    network = onnx.ModelProto()
    network.CopyFrom(model)
    last = next(at for at, node in enumerate(network.graph.node) if answer in node.output)
    del network.graph.node[last + 1 :]
    for one in list(network.graph.output):
        if one.name != answer:
            network.graph.output.remove(one)
    for one in list(network.graph.input):
        if one.name != "image":
            network.graph.input.remove(one)
    return network.SerializeToString()
