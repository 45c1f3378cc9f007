#!/bin/bash
# Run a program of this folder on the genuine Android library of TFLite.
#   run.sh Workload|FormerWorkload MODEL FOLDER          answers android.py or android_2019.py
#   run.sh Start MODEL FOLDER prepare|start|memory       answers android_start.py
#   run.sh AppStart MODEL FOLDER prepare|first|again     answers android_start.py: the app itself
#   run.sh leak MODEL CALLS library|runSignature         resident memory over calls of train
. "$(dirname "$0")/../../android/tools/common.sh"
here=$(cd "$(dirname "$0")" && pwd)
"$tools/compile.sh" app >&2
[ -d "$lab" ] || exit 1

classes=$out/benchmarks/classes
train_calls=$android/sartor/src/test/kotlin/org/sartor/litert/TrainCalls.kt
libraries=$out/app/classes:$out/app/R:$out/sartor/classes:$(tflite_jars):$(kotlin_jars):$(jars robo)$(artifact dl/android-all)
kotlin "$classes" "$libraries" -jvm-target 17 -module-name benchmarks \
    -Xfriend-paths="$out/sartor/classes" -- "$here" "$train_calls" >&2

opens=()
for package in java.lang java.util java.io java.net java.nio jdk.internal.access; do
    opens+=(--add-opens "java.base/$package=ALL-UNNAMED")
done
properties=
if [ "$1" = AppStart ]; then
    properties=$out/app/properties:
    app_properties "$out/app/properties"
fi
options=(-Djava.library.path="$lab/native" -cp "$properties$classes:$libraries")
export LD_LIBRARY_PATH=$lab/native
# A heap of one size: what grows is native.
heap=(-Xms400m -Xmx400m -XX:+AlwaysPreTouch -XX:+UseSerialGC)
if [ "$1" = leak ]; then
    exec java "${heap[@]}" "${options[@]}" org.sartor.litert.TrainCallsKt "$2" "$3" "$4" 2>/dev/null
fi
[ "${4:-}" = memory ] || heap=(-Xmx1g)
# TFLite's classes stay with the loader of the application: a native library belongs to one loader.
exec java "${heap[@]}" "${opens[@]}" -Drobolectric.offline=true -Drobolectric.dependency.dir="$lab/sdk" \
    -Dorg.robolectric.packagesToNotAcquire=org.tensorflow.lite -Djava.awt.headless=true \
    -Dsartor.model="$2" -Dsartor.folder="$3" -Dsartor.task="${4:-}" "${options[@]}" \
    org.junit.runner.JUnitCore "org.sartor.benchmarks.$1"
