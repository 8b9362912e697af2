#!/usr/bin/env bash
# Builds the Python package, sdist and wheel, and installs it into a clean virtual environment where git does not look.
set -euo pipefail
cd "$(dirname "$0")/../.."
cache=.cache/wheel
rm -rf "$cache/dist" "$cache/straight" "$cache/venv"
mkdir -p "$cache"
if ! [ -x "$cache/tools/bin/python" ]; then
  python3 -m venv "$cache/tools"
  "$cache/tools/bin/python" -m pip install -q --disable-pip-version-check build==1.3.0 hatchling==1.33.0
fi
# The wheel is built from the sdist; and once straight from the checkout, to compare.
"$cache/tools/bin/python" -m build --no-isolation --outdir "$cache/dist" trainer-bridge >/dev/null
"$cache/tools/bin/python" -m build --no-isolation --wheel --outdir "$cache/straight" trainer-bridge >/dev/null
python3 -m venv "$cache/venv"
"$cache/venv/bin/python" -m pip install -q --disable-pip-version-check "$cache"/dist/*.whl
