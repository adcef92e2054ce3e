"""Trains K-Net part segmentation and exports ONNX: a subprocess with a contract (`job.json` in, JSON lines out)."""

__version__ = "0.1.0"
