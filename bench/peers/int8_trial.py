"""Static int8 quantisation of a model's backbone, compared with the model as it is: CPU time per image, agreement.

Reads one JSON object from argv[1]: model (ONNX, image uint8 [N, S, S, 3] -> logits [N, C, h, w]), folder (JPEG files), size,
calibration and images (counts), work (a folder to write to). Prints one JSON object. Percentile calibration, one scale per
channel, QDQ; everything behind the backbone stays float.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

job = json.loads(sys.argv[1])
files = sorted(Path(job["folder"]).glob("*.jpg"))
work = Path(job["work"])


def picture(path: Path) -> np.ndarray:
    """uint8 [1, S, S, 3]."""
    side = job["size"]
    return np.asarray(Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BILINEAR), np.uint8)[None]


def session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Pictures(CalibrationDataReader):
    def __init__(self, name: str) -> None:
        self.rest = iter(files[: job["calibration"]])
        self.name = name

    def get_next(self) -> dict[str, np.ndarray] | None:
        path = next(self.rest, None)
        return None if path is None else {self.name: picture(path)}


source, prepared, quantised = Path(job["model"]), work / "prepared.onnx", work / "int8.onnx"
plain = session(source)
name = plain.get_inputs()[0].name
quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
backbone = [node.name for node in onnx.load(prepared).graph.node if node.op_type == "Conv" and "backbone" in node.name]
quantize_static(
    prepared,
    quantised,
    Pictures(name),
    quant_format=QuantFormat.QDQ,
    per_channel=True,
    weight_type=QuantType.QInt8,
    activation_type=QuantType.QUInt8,
    calibrate_method=CalibrationMethod.Percentile,
    nodes_to_quantize=backbone,
    op_types_to_quantize=["Conv"],
    extra_options={"CalibPercentile": 99.99},
)
integer = session(quantised)
held_out = [picture(path) for path in files[job["calibration"] : job["calibration"] + job["images"]]]
same = [
    float((plain.run(None, {name: x})[0].argmax(1) == integer.run(None, {name: x})[0].argmax(1)).mean())
    for x in held_out
]
seconds: dict[str, list[float]] = {"plain": [], "integer": []}
for _ in range(3):
    for key, one in (("plain", plain), ("integer", integer)):
        start = time.process_time()
        for x in held_out:
            one.run(None, {name: x})
        seconds[key].append((time.process_time() - start) / len(held_out))
print(
    json.dumps(
        {
            "floatMs": 1000 * min(seconds["plain"]),
            "int8Ms": 1000 * min(seconds["integer"]),
            "quantisedConvolutions": len(backbone),
            "agreement": float(np.mean(same)),
        }
    )
)
