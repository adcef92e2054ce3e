#!/bin/sh
# Images per second, memory and share of the peak of a GPU for the training step; needs PyTorch, timm and this source
# tree, nothing else. Arguments: see `bench/train_gpu.sh --help`. PARTLOOP_PYTHON names another interpreter.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
python=${PARTLOOP_PYTHON:-"$root/.venv/bin/python"}
[ -x "$python" ] || python=python3
PYTHONPATH="$root/trainer${PYTHONPATH:+:$PYTHONPATH}" exec "$python" "$root/bench/train_gpu.py" "$@"
