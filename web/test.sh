#!/bin/sh
# The browser's part of the tests. With CI set, a missing program is a failure; else it is said.
set -eu
cd "$(dirname "$0")"

leave_out() {
    echo "web tests left out: $1" >&2
    [ -z "${CI:-}" ] && exit 0
    exit 1
}
command -v npm >/dev/null || leave_out "there is no npm"
node -e 'const [a, b] = process.versions.node.split(".").map(Number)
process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' || leave_out "Node is older than 20.19"
[ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null ||
    command -v google-chrome >/dev/null || leave_out "there is no Chromium; install it, or set CHROMIUM to its path"

[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund
npm run check

base=../../shared/models/tf2_mobilenet_v2_1.0_224_ptq.tflite
if [ -f "$base" ]; then
    vectors=$(mktemp -d)
    trap 'rm -rf "$vectors"' EXIT
    python ../contract/make.py --base "$base" -o "$vectors"
    export CONTRACT_VECTORS="$vectors${CONTRACT_VECTORS:+:$CONTRACT_VECTORS}"
else
    echo "no $base: only the committed cases are run" >&2
fi
npm test
