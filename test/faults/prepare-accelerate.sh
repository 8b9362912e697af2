#!/usr/bin/env bash
# Installs a real accelerate and a CPU PyTorch (about 3 GB, with what they pull in) where git does not look.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=.cache/accelerate/bin/python
if ! [ -x $python ] || ! $python -c 'import accelerate, torch, safetensors' 2>/dev/null; then
  python3 -m venv .cache/accelerate
  $python -m pip install -q --disable-pip-version-check accelerate==1.6.0 torch==2.13.0
fi
