#!/usr/bin/env bash
# Sends generated requests to a Trackside of its own, and checks that each answer is as openapi.json says. Options go to
# schemathesis: npm run test:api -- --max-examples 100
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=.cache/schemathesis
if ! cmp -s test/api/packages.txt "$venv/installed.txt"; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check -r test/api/packages.txt
  cp test/api/packages.txt "$venv/installed.txt"
fi

place=$(mktemp -d)
served=''
# shellcheck disable=SC2329 # the trap calls it
leave() {
  [ -z "$served" ] || { kill "$served" && wait "$served"; } || true
  rm -rf "$place"
}
trap leave EXIT
export TRACKSIDE_TOKEN='token-of-this-test-0123456789'
# Nothing is asked of the real hub.
TRACKSIDE_OUTPUTS="$place/outputs" TRACKSIDE_DATASETS="$place/datasets" TRACKSIDE_MODELS="$place/models" \
  TRACKSIDE_PRIVATE="$place/private" HF_ENDPOINT=http://127.0.0.1:9 \
  node .build/sidecar/main.js serve --port 0 >"$place/said" 2>"$place/log" &
served=$!
for _ in $(seq 200); do
  url=$(grep -o 'http://[^ ]*' "$place/said" || true)
  [ -z "$url" ] || break
  sleep 0.1
done
for name in cat dog; do
  curl -sf -o /dev/null -H "Authorization: Bearer $TRACKSIDE_TOKEN" -H 'Content-Type: application/json' "${url}sessions" \
    -d '{"lora_name": "'"$name"'", "dataset": "example", "max_train_epochs": 1, "resolution": 64, "sample_every_n_steps": 0}'
done

# Left out: streams, which do not end; what ends other programs of this machine; what sends to addresses that were generated;
# bodies that the tool can't make (zip). Closed doors have tests of their own (test/security).
status=0
"$venv/bin/schemathesis" --config-file test/api/schemathesis.toml run "${url}openapi.json" \
  --url "$url" \
  --header "Authorization: Bearer $TRACKSIDE_TOKEN" --header 'Accept: application/json' \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,unsupported_method \
  --exclude-path-regex 'events$|^/by-hand/|^/notices/channels|^/pod|/archives/' \
  --phases examples,coverage,fuzzing --max-examples 10 --request-timeout 60 --continue-on-failure --no-color "$@" || status=$?
[ "$status" = 0 ] || tail -20 "$place/log"
exit "$status"
