#!/bin/bash
# Run a program of this folder on the genuine Android library of TFLite.
#   run.sh workload MODEL FOLDER                                  answers benchmarks/android.py
#   run.sh memory MODEL CALLS library|runSignature                 resident memory over calls of train
. "$(dirname "$0")/../../android/tools/common.sh"
here=$(cd "$(dirname "$0")" && pwd)
"$tools/compile.sh" sartor >&2
[ -d "$lab" ] || exit 1

classes=$out/benchmarks/classes
train_calls=$android/sartor/src/test/kotlin/org/sartor/litert/TrainCalls.kt
libraries=$out/sartor/classes:$(tflite_jars):$(kotlin_jars):$(jars robo)$(artifact dl/android-all)
kotlin "$classes" "$libraries" -jvm-target 17 -module-name benchmarks \
    -Xfriend-paths="$out/sartor/classes" -- "$here" "$train_calls" >&2

opens=()
for package in java.lang java.util java.io java.net java.nio jdk.internal.access; do
    opens+=(--add-opens "java.base/$package=ALL-UNNAMED")
done
options=(-Djava.library.path="$lab/native" -cp "$classes:$libraries")
export LD_LIBRARY_PATH=$lab/native
if [ "$1" = workload ]; then
    # TFLite's classes stay with the loader of the application: a native library belongs to one loader.
    exec java -Xmx1g "${opens[@]}" -Drobolectric.offline=true -Drobolectric.dependency.dir="$lab/sdk" \
        -Dorg.robolectric.packagesToNotAcquire=org.tensorflow.lite -Djava.awt.headless=true \
        -Dsartor.model="$2" -Dsartor.folder="$3" "${options[@]}" \
        org.junit.runner.JUnitCore org.sartor.benchmarks.Workload
fi
# A heap of one size: what grows is native.
exec java -Xms200m -Xmx200m -XX:+AlwaysPreTouch -XX:+UseSerialGC "${options[@]}" \
    org.sartor.litert.TrainCallsKt "$2" "$3" "$4" 2>/dev/null
