#!/bin/sh
# Builds into a folder of its own, writes down which code it is (`id`), and takes the place of the build before. Nothing of
# an older build stays importable, and a build of the same code touches nothing: tests and sidecars may be running from it.
set -eu
cd "$(dirname "$0")/.."
fresh=".build.$$"
trap 'rm -rf "$fresh" "$fresh.old"' EXIT
node_modules/.bin/rolldown --config sidecar/rolldown.config.mjs --dir "$fresh/sidecar" >/dev/null
(cd "$fresh" && node --version && find . -name '*js' | LC_ALL=C sort | xargs cksum) | sha256sum | cut -c1-16 >"$fresh/id"
if cmp -s "$fresh/id" .build/id; then exit 0; fi
# A whole start, of which load.ts keeps the compiled code; it ends with its input.
true | TRACKSIDE_KEEP_CODE=1 TRACKSIDE_UNTIL_STDIN_ENDS=1 TRACKSIDE_PRIVATE="$fresh/tried/private" TRACKSIDE_LOG=error \
  timeout 60 node "$fresh/sidecar/main.js" serve --no-login --host 127.0.0.1 --port 0 --outputs "$fresh/tried/outputs" \
  --datasets "$fresh/tried/datasets" >"$fresh/tried.log" 2>&1 ||
  echo "build: the compiled code could not be kept, so the program starts slower: $(tail -n 1 "$fresh/tried.log")" >&2
rm -rf "$fresh/tried" "$fresh/tried.log"
if [ -e .build ]; then mv .build "$fresh.old"; fi
mv "$fresh" .build
