"""Label quality of a folder of photos by the usual parts: Pillow, ONNX Runtime, cleanlab's softmin.

Arguments: model.onnx (image uint8 [N, S, S, 3] -> logits [N, C, S/4, S/4]), folder with images/ and labels/<name>.png,
S, images, processes, threads of ONNX Runtime per process. Softmax at full size is computed inside the graph, as in cleanlab's
tutorial for segmentation, and leaves it whole. Prints {"imagesPerSecond": ..., "versions": {...}} as JSON.
"""

import json
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import cleanlab
import numpy as np
import onnx
import onnxruntime
import PIL
from cleanlab.segmentation.rank import get_label_quality_scores
from onnx import TensorProto, helper
from PIL import Image

WARM_UP = 4


def with_softmax(path: str, size: int) -> bytes:
    """The model with bilinear upsampling to [N, C, S, S] and a softmax over classes at its end."""
    model = onnx.load(path)
    graph = model.graph
    classes = graph.output[0].type.tensor_type.shape.dim[1].dim_value
    graph.initializer.append(helper.make_tensor("full_scales", TensorProto.FLOAT, [4], [1, 1, 4, 4]))
    graph.node.append(
        helper.make_node(
            "Resize",
            [graph.output[0].name, "", "full_scales"],
            ["full_logits"],
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
    )
    graph.node.append(helper.make_node("Softmax", ["full_logits"], ["probabilities"], axis=1))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", classes, size, size]))
    return model.SerializeToString()


def scan(model: bytes, paths: list[Path], size: int, threads: int) -> float:
    """Score the photos one by one; returns the seconds after the warm-up."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    start = 0.0
    for number, path in enumerate(paths):
        if number == WARM_UP:
            start = time.perf_counter()
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        with Image.open(path.parent.parent / "labels" / f"{path.name}.png") as opened:
            label = opened.convert("L")
        scale = size / max(image.size)
        content = (round(image.width * scale), round(image.height * scale))
        canvas = np.full((1, size, size, 3), 114, np.uint8)
        canvas[0, : content[1], : content[0]] = np.asarray(image.resize(content, Image.Resampling.BILINEAR))
        given = np.zeros((1, size, size), np.int64)
        given[0, : content[1], : content[0]] = np.asarray(label.resize(content, Image.Resampling.NEAREST))
        probabilities = np.asarray(session.run(None, {"image": canvas})[0])
        given[given >= probabilities.shape[1]] = 0
        get_label_quality_scores(given, probabilities, verbose=False)
    return time.perf_counter() - start


def main() -> None:
    """Split the photos over processes and report the rate of all of them together."""
    model_path, folder, size, images, processes, threads = sys.argv[1:]
    paths = sorted((Path(folder) / "images").iterdir())
    chosen = [paths[at % len(paths)] for at in range(int(images) + WARM_UP * int(processes))]
    model = with_softmax(model_path, int(size))
    parts = [(model, chosen[part :: int(processes)], int(size), int(threads)) for part in range(int(processes))]
    with get_context("spawn").Pool(int(processes)) as pool:
        seconds = pool.starmap(scan, parts)
    versions = {one.__name__: one.__version__ for one in (cleanlab, np, onnxruntime, PIL)}
    rate = sum((len(part[1]) - WARM_UP) / took for part, took in zip(parts, seconds, strict=True))
    print(json.dumps({"imagesPerSecond": rate, "versions": versions}))


if __name__ == "__main__":
    main()
