#!/bin/bash
# Everything: fetch, compile, API gate, tests of the library and of the app, and the APKs.
. "$(dirname "$0")/common.sh"
need_programs
step "artifacts" "$tools/fetch.sh"
"$tools/test.sh" sartor
"$tools/test.sh" app
"$tools/test.sh" shrunk
"$tools/package.sh"
