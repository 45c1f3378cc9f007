#!/bin/sh
# The tests in the browser. If CI is set, a missing program fails them; otherwise they are left out.
set -eu
cd "$(dirname "$0")"

leave_out() { # reason, package
    echo "NOT RUN: the tests in the browser, because $1. Install it, then repeat: apt-get install $2" >&2
    [ -z "${CI:-}" ] && exit 0
    exit 1
}
command -v npm >/dev/null || leave_out "npm is missing" "nodejs npm"
node -e 'const [a, b] = process.versions.node.split(".").map(Number)
process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' || leave_out "Node.js is older than 20.19" nodejs
[ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null ||
    command -v google-chrome >/dev/null || leave_out "Chromium is missing and CHROMIUM is not set" chromium

[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund
npm run check

base=../../shared/models/tf2_mobilenet_v2_1.0_224_ptq.tflite
if [ -f "$base" ]; then
    vectors=$(mktemp -d)
    trap 'rm -rf "$vectors"' EXIT
    python ../contract/make.py --base "$base" -o "$vectors"
    export CONTRACT_VECTORS="$vectors${CONTRACT_VECTORS:+:$CONTRACT_VECTORS}"
else
    echo "NOT RUN: the cases on a real model, because $base is missing" >&2
fi
npm test
