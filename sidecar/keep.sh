#!/bin/sh
# Starts Trackside, and again when it crashed: killed, aborted, out of memory. Trainings go on meanwhile. Ends when it is told
# to, when Trackside has ended by itself, and when it can't even begin (its exit code says so).
cd "$(dirname "$0")/.." || exit 1
told='' child='' pause=1
trap 'told=1; [ -n "$child" ] && kill "$child" 2>/dev/null' TERM HUP
# A terminal sends it to all processes: only one that did not get it is told again.
trap 'told=1; { sleep 2; [ -n "$child" ] && kill "$child"; } 2>/dev/null &' INT
while true; do
  began=$(date +%s)
  sh sidecar/trackside.sh "$@" &
  child=$!
  wait "$child"; code=$?
  while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
  [ -z "$told" ] || exit 0
  # Only a signal ends it above 128.
  [ "$code" -gt 128 ] || exit "$code"
  [ $(($(date +%s) - began)) -lt 5 ] || pause=1
  echo "trackside: ended ($code), starting again in $pause s; trainings go on" >&2
  sleep "$pause"
  pause=$((pause < 30 ? pause * 2 : 60))
  [ -z "$told" ] || exit 0
done
