#!/bin/sh
# Starts main.js so that it gives back the memory that pictures took: glibc keeps some for every thread, and with ten gigabytes
# of them that was 25 MB. It reads this when a process starts; whatever we start gets what was there before (memory.ts).
export TRACKSIDE_MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX-}" MALLOC_ARENA_MAX=1
exec node "$(dirname "$(readlink -f "$0")")/../.build/sidecar/main.js" "$@"
