#!/usr/bin/env bash
# Runs each argument as a command, all beside each other, prints what they said in their order, and fails if one failed.
set -euo pipefail
cd "$(dirname "$0")/.."
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
commands=("$@")
for at in "${!commands[@]}"; do
  bash -c "${commands[at]}" >"$said/$at" 2>&1 &
  running[at]=$!
done
failed=0
for at in "${!commands[@]}"; do
  status=0
  wait "${running[at]}" || status=$?
  cat "$said/$at"
  if [ "$status" != 0 ]; then
    echo "✗ ${commands[at]} ended with $status" >&2
    failed=1
  fi
done
exit "$failed"
