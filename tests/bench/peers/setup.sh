#!/usr/bin/env bash
# Installs and bundles the peers under target/bench/peers/, from the versions pinned beside this file.
#   setup.sh [node] [python]    those; both where none is named
# A call that finds everything as it is does nothing.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=$root/tests/bench/work
out=${CARGO_TARGET_DIR:-$root/target}/bench/peers

# missing WHAT [ADVICE]
missing() {
  printf '%s\n' "error: $1" "${@:2}" >&2
  exit 1
}

# need PROGRAM ADVICE PEER
need() {
  command -v "$1" >/dev/null || missing "$1 is missing, which the ${3} peer needs." "$2"
}

# What the files and words given are, in one word.
state() {
  { printf '%s\n' "$words"; find "$@" -type f -not -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum; } | sha256sum | cut -c1-64
}

# is_done STAMP STATE: whether the step that left the stamp found this state.
is_done() {
  [ -f "$1" ] && [ "$(<"$1")" = "$2" ]
}

# The headers beside node, so that they are not fetched; nothing where there are none.
node_headers() {
  local prefix
  prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  if [ -f "$prefix/include/node/node.h" ]; then printf -- '--nodedir=%s' "$prefix"; fi
}

# Its add-on, as its own install scripts build it, but for npm between them: newer ones do not run such scripts.
build_runtime_client() (
  cd "$out/node/node_modules/aws-lambda-ric"
  sh scripts/preinstall.sh
  node ../node-gyp/bin/node-gyp.js rebuild --python="$(command -v python3)" "$(node_headers)"
  cp build/Release/rapid-client.node dist/
  rm -rf deps build
)

node_modules() {
  local tool packages='cmake make g++ autoconf automake libtool'
  for tool in cmake make g++ autoconf automake libtoolize tar python3; do
    need "$tool" "Its runtime client is compiled; on Debian or Ubuntu: apt-get install $packages python3" Node.js
  done
  python3 -c 'import distutils' 2>/dev/null || missing "python3 has no distutils, which node-gyp needs." \
    'From Python 3.12 on it comes with setuptools: python3 -m pip install setuptools'
  echo 'installing the packages of the Node.js peer and compiling its runtime client (two minutes, once)'
  rm -rf "$out/node"
  mkdir -p "$out/node"
  cp "$here/node/package.json" "$here/node/package-lock.json" "$out/node/"
  npm --prefix "$out/node" ci --ignore-scripts --no-audit --no-fund --loglevel=error >"$out/npm.log" 2>&1 ||
    { cat "$out/npm.log" >&2; missing 'npm ci failed.'; }
  build_runtime_client >"$out/runtime-client.log" 2>&1 ||
    { tail -n 30 "$out/runtime-client.log" >&2; missing "The runtime client does not compile: $out/runtime-client.log"; }
}

setup_node() {
  local installed bundled words
  need node 'Install Node.js 20: https://nodejs.org' Node.js
  need npm 'It comes with Node.js; on Debian or Ubuntu: apt-get install npm' Node.js
  (($(node -p 'process.versions.node.split(".")[0]') >= 20)) || missing "node is $(node --version), expected 20 or newer."
  words="$(node --version) $(readlink -f "$(command -v node)")"
  installed=$(state "$here/setup.sh" "$here/node/package-lock.json")
  if ! is_done "$out/node/installed" "$installed"; then
    node_modules
    ln -s "$(readlink -f "$(command -v node)")" "$out/node/node"
    echo "$installed" >"$out/node/installed"
  fi
  words=$installed
  bundled=$(state "$here/node/src" "$here/node/build.mjs" "$work")
  if ! is_done "$out/node/bundled" "$bundled"; then
    rm -rf "$out/node/src"
    cp -R "$here/node/src" "$here/node/build.mjs" "$out/node/"
    (cd "$out/node" && BENCH_WORK=$work ./node build.mjs)
    echo "$bundled" >"$out/node/bundled"
  fi
}

# install NAME: what the function's zip has of packages.
install() {
  "$out/python/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$out/python/$1" \
    --requirement "$here/python/requirements-$1.txt"
}

setup_python() {
  local installed copied words
  need python3 'Install Python 3.11: https://www.python.org/downloads/' Python
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || missing "$(python3 --version), expected 3.11 or newer."
  python3 -c 'import ensurepip' 2>/dev/null ||
    missing 'python3 has no ensurepip, which the Python peer needs.' 'On Debian or Ubuntu: apt-get install python3-venv'
  words="$(python3 --version) $(command -v python3)"
  installed=$(state "$here/setup.sh" "$here"/python/requirements-*.txt)
  if ! is_done "$out/python/installed" "$installed"; then
    echo 'installing the packages of the Python peer'
    rm -rf "$out/python"
    python3 -m venv "$out/python/venv"
    "$out/python/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
      --requirement "$here/python/requirements-runtime.txt"
    install intake
    install processor
    echo "$installed" >"$out/python/installed"
  fi
  words=$installed
  copied=$(state "$here/python/src" "$work")
  if ! is_done "$out/python/copied" "$copied"; then
    cp "$here/python/src/intake.py" "$out/python/intake/"
    for part in processor.py order.py formats transports; do cp -R "$here/python/src/$part" "$out/python/processor/"; done
    cp "$work/erp-order.json.j2" "$work/columns.json" "$out/python/processor/formats/"
    # As pip has compiled the packages: Lambda cannot write what it compiles at a cold start.
    "$out/python/venv/bin/python" -m compileall -q "$out/python/intake"/*.py "$out/python/processor"/*.py \
      "$out/python/processor"/{formats,transports}
    echo "$copied" >"$out/python/copied"
  fi
}

mkdir -p "$out"
for peer in "${@:-node python}"; do
  for name in $peer; do
    case $name in
      node | python) "setup_$name" ;;
      *) missing "$name is no peer: expected node or python." ;;
    esac
  done
done
