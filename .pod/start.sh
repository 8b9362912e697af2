#!/usr/bin/env bash
# Serves Trackside on a pod, and again whenever it ends. Never ends by itself: the pod stays, whatever is wrong with us.
# As a template's start command: bash -c 'bash /workspace/trackside/.pod/start.sh'
# From a start script of its own:  bash /workspace/trackside/.pod/start.sh &
cd "$(dirname "$0")/.." || echo "trackside: $(dirname "$0")/.. is gone"

volume=${TRACKSIDE_VOLUME:-/workspace}
[ -d "$volume" ] || volume=$PWD
export TRACKSIDE_HOST=${TRACKSIDE_HOST:-0.0.0.0}
export TRACKSIDE_OUTPUTS=${TRACKSIDE_OUTPUTS:-$volume/outputs}
export TRACKSIDE_DATASETS=${TRACKSIDE_DATASETS:-$volume/datasets}
export TRACKSIDE_MODELS=${TRACKSIDE_MODELS:-$volume/models}
export TRACKSIDE_PRIVATE=${TRACKSIDE_PRIVATE:-$volume/.trackside}

served=
# Waits for it: when the first process of a container ends, all others are killed at once.
trap '[ -n "$served" ] && kill "$served" 2>/dev/null && wait "$served"; exit 0' TERM INT
pause=1
while true; do
  began=$SECONDS
  if [ -d node_modules ] && [ -f .build/sidecar/main.js ] || npm ci; then
    sh sidecar/trackside.sh serve "$@" &
    served=$!
    wait "$served"
  fi
  echo "trackside: ended ($?), starting again in $pause s; trainings go on"
  sleep "$pause" &
  wait $!
  # One that had served comes back at once, however often it is killed.
  pause=$((SECONDS - began > 5 ? 1 : pause < 30 ? pause * 2 : 60))
done
