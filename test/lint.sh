#!/usr/bin/env bash
# Checks Python and shell with the tools of lint-packages.txt, which prepare.sh installs. `test/lint.sh --fix` mends what it can.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.cache/lint/bin:$PATH"
for tool in mypy ruff shellcheck; do
  if ! command -v "$tool" >/dev/null; then
    echo "npm run check needs $tool, which is installed by: bash test/prepare.sh" >&2
    exit 1
  fi
done
if [ "${1:-}" = --fix ]; then
  ruff check --quiet --fix .
  ruff format --quiet .
fi
ruff check --quiet .
ruff format --check .
python3 test/checkReads.py
PYTHONPATH="$PWD/.cache/lint" mypy --no-error-summary --config-file trainer-bridge/pyproject.toml
find .ci .pod sidecar test \( -name '*.sh' -o -path .ci/run \) -print0 | xargs -0 shellcheck
