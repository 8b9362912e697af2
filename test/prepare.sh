#!/usr/bin/env bash
# Installs what the tests need and a new Debian machine lacks, or says in one line what to install.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
command -v jq >/dev/null || missing+=(jq)
command -v openssl >/dev/null || missing+=(openssl)
command -v ps >/dev/null || missing+=(procps)
command -v python3 >/dev/null || missing+=(python3)
python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests: ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "The tests need: sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
fi

# The same engine without a window; where there is none, its tests take the whole browser, and longer.
if [ ! -x /usr/bin/chromium-headless-shell ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing for the tests: chromium-headless-shell"
  install_shell() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null 2>&1; }
  install_shell || { apt-get update -qq && install_shell; } || echo "Not to be had here: chromium-headless-shell." >&2
fi

# Slurm, for test/cluster/: its tests are skipped where it can't be installed. Its packages start no daemon here.
slurm=(slurmctld slurmd slurm-client munge)
if ! command -v sbatch >/dev/null || [ ! -x /usr/sbin/slurmctld ] || [ ! -x /usr/sbin/slurmd ] || [ ! -x /usr/sbin/munged ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests: ${slurm[*]}"
    policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then
      policy=
    else
      printf '#!/bin/sh\nexit 101\n' >"$policy"
      chmod 755 "$policy"
    fi
    install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${slurm[@]}" >/dev/null 2>&1; }
    install || { apt-get update -qq && install; } || echo "Not to be had here: ${slurm[*]}. The tests of clusters are skipped." >&2
    [ -z "$policy" ] || rm -f "$policy"
  else
    echo "The tests of clusters are skipped; they need: sudo apt-get install ${slurm[*]}" >&2
  fi
fi

# Nobody's package changes what the tests train, or makes each start of Python longer.
if ! .cache/bare/bin/python3 -c '' 2>/dev/null; then
  rm -rf .cache/bare
  python3 -m venv --without-pip .cache/bare
fi

# The real safetensors package loads what the practice trainer writes.
if ! PYTHONPATH=.cache/python .cache/bare/bin/python3 -c 'import safetensors.numpy' 2>/dev/null; then
  python3 -m pip install -q --disable-pip-version-check --target .cache/python -r test/python-packages.txt 2>&1 | grep -v WARNING || true
  PYTHONPATH=.cache/python .cache/bare/bin/python3 -c 'import safetensors.numpy'
fi

# For `npm run check` (lint.sh), again when their versions change.
if ! cmp -s test/lint-packages.txt .cache/lint/installed.txt; then
  rm -rf .cache/lint
  python3 -m pip install -q --disable-pip-version-check --target .cache/lint -r test/lint-packages.txt 2>&1 | grep -v WARNING || true
  PYTHONPATH=.cache/lint .cache/lint/bin/mypy --version >/dev/null
  .cache/lint/bin/ruff --version >/dev/null
  .cache/lint/bin/shellcheck --version >/dev/null
  cp test/lint-packages.txt .cache/lint/installed.txt
fi
