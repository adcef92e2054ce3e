"""ONNX export: `model.onnx` (logits at stride 4) and `scan.onnx` (a few bytes per pixel), checked against PyTorch.

Equal weights give equal bytes: no times, no paths, no exporter metadata.
"""

from __future__ import annotations

import copy
import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import __version__
from .data.preprocess import IGNORE, PAD_RGB
from .job import Job
from .model.knet import KNet
from .process.checkpoint import replace_durably, sha256_file
from .process.protocol import TrainerError
from .process.room import bytes_of, room_for


@dataclass(frozen=True)
class Bounds:
    """How far an export may deviate from PyTorch.

    logit, relative: bounds of a logit's difference, absolute and as a share of the largest logit, since rounding grows
    with the values; the larger counts. mask: share of pixels. steps: of 255, of a probability.

    In 16 bits the rounding of all layers adds up: 0.2 to 0.7 % of the largest logit if training ended well, 2 % after
    60 iterations. The mask and the probabilities, which are made of the logits, have tighter bounds.
    """

    logit: float
    relative: float
    mask: float
    steps: int


# Since opset 18 reductions take their axes as an input.
OPSET = 18

BOUNDS = {"float32": Bounds(1e-3, 1e-4, 1e-3, 2), "float16": Bounds(2e-2, 5e-2, 2e-2, 8)}


@dataclass(frozen=True)
class Exported:
    """The two files of a model; difference: largest absolute difference of a logit between ONNX Runtime and PyTorch."""

    model: Path
    scan: Path
    model_sha256: str
    scan_sha256: str
    difference: float


class ModelGraph(nn.Module):
    """image uint8 [N, S, S, 3] RGB → logits float32 [N, C, S/4, S/4], whatever the network's own precision."""

    def __init__(self, network: KNet) -> None:
        super().__init__()
        self.network = network
        self._dtype = network.kernels.weight.dtype

    def forward(self, image: Tensor) -> Tensor:
        return self.network(image.permute(0, 3, 1, 2).to(self._dtype)).float()


class ScanGraph(nn.Module):
    """image uint8 [N, S, S, 3], label uint8 [N, H, W] → mask, p_mask, p_label, uint8 [N, H, W] each.

    p_* are round(255 p) of the found and of the given class. Log-probabilities are taken at stride 4 and upsampled.
    That keeps the argmax of upsampled logits (each pixel's classes shift by one number), while a softmax at full size
    costs more than the network itself. So p is the geometric interpolation: a little below the exact softmax at
    borders, equal to it elsewhere. The outputs have the label's grid, which the caller chooses. An ignored label (255)
    is looked up as class 0. If the network gives no number for a pixel, mask is 255.
    """

    def __init__(self, network: KNet) -> None:
        super().__init__()
        self.network = network
        self._dtype = network.kernels.weight.dtype

    def forward(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        log_p = self.network(image.permute(0, 3, 1, 2).to(self._dtype)).float().log_softmax(1)
        log_p = F.interpolate(log_p, size=label.shape[1:], mode="bilinear", align_corners=False)
        best, mask = log_p.max(dim=1)
        given = torch.where(label == IGNORE, torch.zeros_like(label), label).long()
        p_label = log_p.gather(1, given.unsqueeze(1)).squeeze(1)
        # A NaN makes all classes of its pixel NaN: that pixel has no class.
        mask = torch.where(p_label.isnan(), torch.full_like(mask, IGNORE), mask)
        return mask.to(torch.uint8), as_byte(best), as_byte(p_label)


def as_byte(log_p: Tensor) -> Tensor:
    """Log-probability → round(255 p) as uint8, halves up as JavaScript rounds."""
    return (log_p.exp() * 255 + 0.5).floor().clamp(0, 255).to(torch.uint8)


def export(network: KNet, job: Job, folder: Path) -> Exported:
    """Write both files into `folder`, compared with PyTorch in 32 bits; raises `internal` if they differ.

    In a 16-bit export, K-Net's sums over pixels stay in 32 bits (`model.group_features`): they leave the range of
    16-bit floats.
    """
    network = network.cpu().float().eval()
    # All of it in evaluation mode: the exporter restores the outer module's mode, and that of everything inside it.
    reference = ModelGraph(network).eval(), ScanGraph(network).eval()
    graphs: tuple[nn.Module, nn.Module] = reference
    if job.settings.exportPrecision == "float16":
        half = copy.deepcopy(network).half()
        graphs = ModelGraph(half).eval(), ScanGraph(half).eval()
    size = job.settings.imageSize
    image, label = probe_images(2, size), torch.zeros(2, size, size, dtype=torch.uint8)
    model = _write(graphs[0], (image,), ["image"], ["logits"], folder / "model.onnx", job)
    outputs = ["mask", "p_mask", "p_label"]
    scan = _write(graphs[1], (image, label), ["image", "label"], outputs, folder / "scan.onnx", job)
    difference = compare(reference, (model, scan), job)
    return Exported(model, scan, sha256_file(model), sha256_file(scan), difference)


def probe_images(count: int, size: int) -> Tensor:
    """[count, S, S, 3] uint8 with smooth and noisy parts, the same on every machine."""
    random = np.random.Generator(np.random.Philox(key=(7, count)))
    coarse = random.integers(0, 256, (count, size // 16, size // 16, 3)).repeat(16, axis=1).repeat(16, axis=2)
    fine = random.integers(-20, 21, (count, size, size, 3))
    return torch.from_numpy(np.clip(coarse + fine, 0, 255).astype(np.uint8))


def _write(
    graph: nn.Module, inputs: tuple[Tensor, ...], names: list[str], outputs: list[str], path: Path, job: Job
) -> Path:
    temporary = path.with_name(path.name + ".tmp")
    dynamic = {name: {0: "N"} for name in [*names, *outputs]}
    if "label" in names:
        # The caller chooses the label's grid for every batch.
        dynamic |= {name: {0: "N", 1: "H", 2: "W"} for name in ["label", *outputs]}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        # The TorchScript exporter: the newer one needs onnxscript, takes several times as long, and writes paths.
        with room_for(temporary, bytes_of(graph.state_dict()), path.name):
            torch.onnx.export(
                graph, inputs, str(temporary), input_names=names, output_names=outputs, dynamic_axes=dynamic,
                opset_version=OPSET, dynamo=False,
            )  # fmt: skip
    model = onnx.load(str(temporary))
    clean(model, metadata(job))
    onnx.checker.check_model(model)
    content = model.SerializeToString(deterministic=True)
    with room_for(temporary, len(content), path.name):
        temporary.write_bytes(content)
    replace_durably(temporary, path)
    return path


def metadata(job: Job) -> dict[str, str]:
    """The properties that a reader of the file needs to use it."""
    return {
        "partloop.version": __version__,
        "partloop.classes": json.dumps(job.classes),
        "partloop.taxonomyDigest": job.taxonomyDigest,
        "partloop.trainingSetDigest": job.trainingSetDigest,
        "partloop.preset": job.settings.preset,
        "partloop.opset": str(OPSET),
        "partloop.batch": "N",
        "partloop.precision": job.settings.exportPrecision,
        "partloop.size": str(job.settings.imageSize),
        "partloop.pad": json.dumps(PAD_RGB),
        "partloop.layout": "NHWC uint8 RGB, longest side scaled to size, top left, normalisation inside",
        "partloop.ignore": str(IGNORE),
    }


def clean(model: onnx.ModelProto, properties: dict[str, str]) -> None:
    """Remove traces of the machine and the exporter, and set the properties."""
    model.doc_string = ""
    model.producer_name, model.producer_version, model.domain = "partloop", __version__, ""
    del model.metadata_props[:]
    for key in sorted(properties):
        model.metadata_props.add(key=key, value=properties[key])
    graph = model.graph
    graph.doc_string, graph.name = "", "partloop"
    del graph.value_info[:]
    del graph.metadata_props[:]
    for one in [*graph.node, *graph.initializer, *graph.input, *graph.output]:
        one.doc_string = ""
        del one.metadata_props[:]


def allowed_ties(pixels: int, share: float) -> float:
    """How many pixels of masks may differ: a share of them, but always a few, since one of 768 is already 0.13 %."""
    return max(4, share * pixels)


def compare(graphs: tuple[nn.Module, nn.Module], files: tuple[Path, Path], job: Job) -> float:
    """Largest absolute difference of a logit, over several batches and over labels of several sizes.

    graphs: logits and scan head in PyTorch, 32 bits; files: their exports. Raises `internal` if they differ.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    sessions = [onnxruntime.InferenceSession(str(one), options, providers=["CPUExecutionProvider"]) for one in files]
    bounds = BOUNDS[job.settings.exportPrecision]
    size, classes = job.settings.imageSize, len(job.classes)
    largest = 0.0
    for count, height, width in ((1, size, size), (3, size // 2, size // 2), (2, size * 3 // 4, size)):
        image = probe_images(count, size)
        label = torch.arange(count * height * width).view(count, height, width).remainder(classes + 1)
        label = torch.where(label == classes, IGNORE, label).to(torch.uint8)
        with torch.inference_mode():
            wanted = graphs[0](image).numpy()
            wanted_scan = [one.numpy() for one in graphs[1](image, label)]
        found = np.asarray(sessions[0].run(["logits"], {"image": image.numpy()})[0])
        # `np.maximum` keeps NaN, `max` would lose it.
        largest = float(np.maximum(largest, np.abs(found - wanted).max()))
        limit = max(bounds.logit, bounds.relative * float(np.abs(wanted).max()))
        feed = {"image": image.numpy(), "label": label.numpy()}
        found_scan = [np.asarray(one) for one in sessions[1].run(["mask", "p_mask", "p_label"], feed)]
        # Ties between classes and halves between bytes may fall either way; a larger difference is another function.
        unequal = int((found_scan[0] != wanted_scan[0]).sum())
        steps = max(int(np.abs(found_scan[i].astype(int) - wanted_scan[i]).max()) for i in (1, 2))
        ties = allowed_ties(wanted_scan[0].size, bounds.mask)
        if not (largest <= limit and unequal <= ties and steps <= bounds.steps):
            raise TrainerError(
                "internal",
                f"the exported files differ from PyTorch: logits by {largest:.2g}, "
                f"{unequal} of {wanted_scan[0].size} mask pixels, probabilities by {steps}/255",
                "this version of PyTorch or ONNX Runtime is not the tested one; compare with the lock file",
            )
    return largest
