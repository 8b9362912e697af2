#!/usr/bin/env bash
# Says what a run against a real sd-scripts lacks, all at once, and how to get it.
set -euo pipefail
cd "$(dirname "$0")/../.."
checkout=${TRACKSIDE_SD_SCRIPTS:-}
python=${TRACKSIDE_PYTHON:-}
packages='torch torchvision accelerate transformers diffusers safetensors toml voluptuous einops cv2 imagesize ftfy rich tensorboard'
lacks=()
[ -f "$checkout/train_network.py" ] || lacks+=("TRACKSIDE_SD_SCRIPTS, the folder of a checkout: git clone https://github.com/kohya-ss/sd-scripts")
if [ -z "$python" ] || ! "$python" -c '' 2>/dev/null; then
  lacks+=("TRACKSIDE_PYTHON, the Python that runs it: python3 -m venv sd-scripts/venv, then sd-scripts/venv/bin/python")
else
  for package in $packages; do
    "$python" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$package') is None)" || lacks+=("$package in $python")
  done
fi
if [ ${#lacks[@]} -gt 0 ]; then
  echo "npm run test:sd-scripts drives a real kohya-ss/sd-scripts on the CPU. It lacks:" >&2
  printf '  %s\n' "${lacks[@]}" >&2
  echo "Versions that work, and what to do about torchvision on a CPU: test/sd-scripts/README.md" >&2
  exit 1
fi
