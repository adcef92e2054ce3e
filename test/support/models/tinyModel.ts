import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../binaries.js';

/** The Python with onnx, numpy and Pillow that the bootstrap installs. */
export const PYTHON = process.env.PARTLOOP_PYTHON ?? join(ROOT, '.venv', 'bin', 'python');
export const hasPython = existsSync(PYTHON);

export const run = promisify(execFile);

export interface TinyModel {
  /** Side of the canvas in pixels. */
  size: number;
  /** Products of two 1024×1024 matrices that one run computes for nothing: a run of some length on any machine. */
  products?: number;
  /** Other names of inputs and outputs than partloop's. */
  rename?: Record<string, string>;
  /** Canvas height if it is not `size`. */
  height?: number;
  /** Channels of the output `mask`: more than one is wrong. */
  maskChannels?: number;
}

const SCRIPT = `
import json, sys
import onnx
from onnx import TensorProto as T, helper as h
path, o = sys.argv[1], json.loads(sys.argv[2])
size, products, names = o["size"], o.get("products", 0), o.get("rename", {})
height, many = o.get("height", size), o.get("maskChannels", 1)
name = lambda key: names.get(key, key)
const = lambda key, kind, dims, values: h.make_tensor(key, kind, dims, values)
inits = [const("zero", T.INT64, [], [0]), const("one", T.INT64, [], [1]), const("side", T.INT64, [2], [1024, 1024])]
nodes = [
    h.make_node("Gather", [name("image"), "zero"], ["red"], axis=3),
    h.make_node("Gather", [name("image"), "one"], [name("p_mask")], axis=3),
    h.make_node("Identity", [name("label")], [name("p_label")]),
    h.make_node("Cast", ["red"], ["red_f"], to=T.FLOAT),
    h.make_node("ReduceMean", ["red_f"], ["mean"], keepdims=0),
    h.make_node("ConstantOfShape", ["side"], ["grid"]),
    h.make_node("Mul", ["grid", "mean"], ["m0"]),
]
for i in range(products):
    nodes.append(h.make_node("MatMul", [f"m{i}", f"m{i}"], [f"m{i + 1}"]))
nodes += [
    h.make_node("ReduceMax", [f"m{products}"], ["most"], keepdims=0),
    h.make_node("Add", ["red_f", "most"], ["sum"]),
    h.make_node("Cast", ["sum"], ["plane"], to=T.UINT8),
    h.make_node("Concat", ["plane"] * many, [name("mask")], axis=1),
]
shape = ["N", size, size]
graph = h.make_graph(nodes, "tiny",
    [h.make_tensor_value_info(name("image"), T.UINT8, ["N", height, size, 3]), h.make_tensor_value_info(name("label"), T.UINT8, shape)],
    [h.make_tensor_value_info(name(key), T.UINT8, ["N", "H", "W"]) for key in ("mask", "p_mask", "p_label")], inits)
model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, path)
`;

const SEER = `
import sys
import onnx
from onnx import TensorProto as T, helper as h
path, size, classes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
const = lambda key, kind, dims, values: h.make_tensor(key, kind, dims, values)
inits = [const("zero", T.INT64, [], [0]), const("ignore", T.INT64, [], [255]), const("half", T.FLOAT, [], [127.5]),
    const("table", T.UINT8, [classes + 1], [255] * (classes + 1))]
nodes = [
    h.make_node("Gather", ["image", "zero"], ["red"], axis=3),
    h.make_node("Cast", ["red"], ["red_f"], to=T.FLOAT),
    h.make_node("Greater", ["red_f", "half"], ["bright"]),
    h.make_node("Cast", ["bright"], ["mask"], to=T.UINT8),
    h.make_node("Shape", ["mask"], ["sides"]),
    h.make_node("ConstantOfShape", ["sides"], ["p_mask"], value=const("sure", T.UINT8, [1], [255])),
    h.make_node("Cast", ["label"], ["wide"], to=T.INT64),
    h.make_node("Equal", ["wide", "ignore"], ["ignored"]),
    h.make_node("Where", ["ignored", "zero", "wide"], ["given"]),
    h.make_node("Gather", ["table", "given"], ["p_label"]),
]
shape = ["N", size, size]
graph = h.make_graph(nodes, "seer",
    [h.make_tensor_value_info("image", T.UINT8, [*shape, 3]), h.make_tensor_value_info("label", T.UINT8, shape)],
    [h.make_tensor_value_info(key, T.UINT8, ["N", "H", "W"]) for key in ("mask", "p_mask", "p_label")], inits)
model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, path)
`;

/** Whether the processor ends a process that divides the lowest whole number by −1; others answer something. */
export const canCrash = process.arch === 'x64';

/** The effect of a picture on `writeFaulty`: the green of its top left pixel. */
export const FAULTS = { none: 20, hang: 1, crash: 2, nan: 3, class40: 4, olderNan: 5 } as const;
export type Fault = keyof typeof FAULTS;

const FAULTY = `
import sys
import onnx
from onnx import TensorProto as T, helper as h
path, size, classes, always = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
const = lambda key, kind, dims, values: h.make_tensor(key, kind, dims, values)
node = h.make_node
named = {"nought": 0, "one": 1, "ignore": 255, "many": 2**60, "lowest": -2**63, "minus": -1, "unknown": 40, "all": always}
inits = [const(key, T.INT64, [], [value]) for key, value in named.items()]
inits += [const(f"is{code}", T.INT64, [], [code]) for code in (1, 2, 3, 4, 5)]
inits += [const("zero", T.INT64, [], [0]), const("corner", T.INT64, [4], [0, 0, 0, 1]), const("corner_end", T.INT64, [4], [1, 1, 1, 2]),
    const("half", T.FLOAT, [], [127.5]), const("sure", T.INT64, [], [255]), const("scalar", T.INT64, [0], []), const("seed", T.FLOAT, [1], [1.0]),
    const("table", T.UINT8, [classes + 1], [255] * (classes + 1))]
body = h.make_graph([node("Identity", ["c"], ["c2"]), node("Add", ["v", "v"], ["v2"])], "body",
    [h.make_tensor_value_info("i", T.INT64, []), h.make_tensor_value_info("c", T.BOOL, []), h.make_tensor_value_info("v", T.FLOAT, [1])],
    [h.make_tensor_value_info("c2", T.BOOL, []), h.make_tensor_value_info("v2", T.FLOAT, [1])])
nodes = [
    node("Slice", ["image", "corner", "corner_end"], ["green"]),
    node("Cast", ["green"], ["green_wide"], to=T.INT64),
    node("Reshape", ["green_wide", "scalar"], ["shown"]),
    node("Equal", ["all", "nought"], ["by_picture"]),
    node("Where", ["by_picture", "shown", "all"], ["code"]),
    *[node("Equal", ["code", f"is{code}"], [f"does{code}"]) for code in (1, 2, 3, 4, 5)],
    # A loop without an end.
    node("Where", ["does1", "many", "nought"], ["trips"]),
    node("Loop", ["trips", "", "seed"], ["spun"], body=body),
    # The one division of whole numbers that has no result: the processor ends the process.
    node("Where", ["does2", "minus", "one"], ["divisor"]),
    node("Div", ["lowest", "divisor"], ["quotient"]),
    node("Gather", ["image", "zero"], ["red"], axis=3),
    node("Cast", ["red"], ["red_f"], to=T.FLOAT),
    node("Greater", ["red_f", "half"], ["bright"]),
    node("Cast", ["bright"], ["class"], to=T.INT64),
    node("Mul", ["quotient", "nought"], ["no_quotient"]),
    node("Cast", ["spun"], ["spun_wide"], to=T.INT64),
    node("Mul", ["spun_wide", "nought"], ["no_spin"]),
    node("Add", ["class", "no_quotient"], ["class1"]),
    node("Add", ["class1", "no_spin"], ["class2"]),
    node("Where", ["does3", "ignore", "class2"], ["class3"]),
    node("Where", ["does4", "unknown", "class3"], ["class4"]),
    node("Where", ["does5", "nought", "class4"], ["class5"]),
    node("Cast", ["class5"], ["mask"], to=T.UINT8),
    node("Where", ["does5", "nought", "sure"], ["p"]),
    node("Shape", ["mask"], ["sides"]),
    node("Expand", ["p", "sides"], ["p_all"]),
    node("Cast", ["p_all"], ["p_mask"], to=T.UINT8),
    node("Cast", ["label"], ["wide"], to=T.INT64),
    node("Equal", ["wide", "ignore"], ["ignored"]),
    node("Where", ["ignored", "zero", "wide"], ["given"]),
    node("Gather", ["table", "given"], ["p_label"]),
]
shape = ["N", size, size]
graph = h.make_graph(nodes, "faulty",
    [h.make_tensor_value_info("image", T.UINT8, [*shape, 3]), h.make_tensor_value_info("label", T.UINT8, shape)],
    [h.make_tensor_value_info(key, T.UINT8, ["N", "H", "W"]) for key in ("mask", "p_mask", "p_label")], inits)
model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, path)
`;

/**
 * A picture whose left half is red, which is class 1; its green is what it does to `writeFaulty`. Blue is as red if
 * omitted.
 */
export function faultyPicture(side: number, fault: Fault, blue?: number): Uint8Array {
  return Uint8Array.from({ length: side * side * 3 }, (_, at) => {
    if (at % 3 === 1) return FAULTS[fault];
    if (at % 3 === 2 && blue !== undefined) return blue;
    return Math.floor(at / 3) % side < side / 2 ? 220 : 20;
  });
}

/**
 * Write a real ONNX file that sees class 1 where red is above half, and that hangs, ends its process or answers
 * nonsense for pictures that ask for it (`FAULTS`), or for every picture. It hangs in a loop without end; the process
 * ends by a division that x86 processors refuse. A file that is there already is taken for the one that was asked for.
 */
export async function writeFaulty(path: string, size: number, classes: number, always?: Fault): Promise<string> {
  const code = always === undefined ? 0 : FAULTS[always];
  if (!existsSync(path)) await run(PYTHON, ['-c', FAULTY, path, String(size), String(classes), String(code)]);
  return path;
}

/**
 * Write a real ONNX file that sees class 1 where red is above half, and is sure of it. As in a trained network, p_label
 * is looked up by the label's value: one beyond `classes` ends the run.
 */
export async function writeSeer(path: string, size: number, classes: number): Promise<string> {
  await run(PYTHON, ['-c', SEER, path, String(size), String(classes)]);
  return path;
}

/**
 * Write a real ONNX file that judges by rule: the mask is the picture's red channel, p_mask the green one, p_label the
 * label itself.
 */
export async function writeTinyModel(path: string, model: TinyModel): Promise<string> {
  await run(PYTHON, ['-c', SCRIPT, path, JSON.stringify(model)]);
  return path;
}
