#!/usr/bin/env bash
# Installs the frameworks that the adapters are for, and a CPU PyTorch (about 3 GB) where git does not look.
set -euo pipefail
cd "$(dirname "$0")/../../.."
python=.cache/packages/bin/python
if ! [ -x $python ] || ! $python -c 'import accelerate, ipykernel, jupyter_client, lightning, torch, transformers, PIL, pytest' 2>/dev/null; then
  python3 -m venv .cache/packages
  $python -m pip install -q --disable-pip-version-check accelerate ipykernel jupyter_client lightning pillow pytest torch transformers
fi
