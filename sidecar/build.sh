#!/bin/sh
# Builds into a folder of its own, writes down which code it is (`id`), and takes the place of the build before. Nothing of
# an older build stays importable, and a build of the same code touches nothing: tests and sidecars may be running from it.
set -eu
cd "$(dirname "$0")/.."
fresh=".build.$$"
trap 'rm -rf "$fresh" "$fresh.old"' EXIT
node_modules/.bin/rolldown --config sidecar/rolldown.config.mjs --dir "$fresh/sidecar" >/dev/null
(cd "$fresh" && find . -name '*.js' | LC_ALL=C sort | xargs cksum) | sha256sum | cut -c1-16 >"$fresh/id"
if cmp -s "$fresh/id" .build/id; then exit 0; fi
if [ -e .build ]; then mv .build "$fresh.old"; fi
mv "$fresh" .build
