#!/usr/bin/env bash
# Runs each argument as a command, all beside each other, prints what they said in their order, and fails if one failed.
# `--watch` before them shows the last one's words as they come.
set -euo pipefail
cd "$(dirname "$0")/.."
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
watch=
if [ "$1" = --watch ]; then
  watch=1
  shift
fi
commands=("$@")
for at in "${!commands[@]}"; do
  if [ -n "$watch" ] && [ "$at" = $((${#commands[@]} - 1)) ]; then
    bash -c "${commands[at]}" &
  else
    bash -c "${commands[at]}" >"$said/$at" 2>&1 &
  fi
  running[at]=$!
done
failed=0
for at in "${!commands[@]}"; do
  status=0
  wait "${running[at]}" || status=$?
  if [ -f "$said/$at" ]; then cat "$said/$at"; fi
  if [ "$status" != 0 ]; then
    echo "✗ ${commands[at]} ended with $status" >&2
    failed=1
  fi
done
exit "$failed"
