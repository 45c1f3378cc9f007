#!/bin/bash
# Shrink the app and the library with R8 and the rules that apps get.
#   shrink.sh dex FOLDER        what an APK contains
#   shrink.sh classes JAR       class files, which the tests of the app can run on a JVM
. "$(dirname "$0")/common.sh"
form=$1
output=$2
tflite=$lab/aar/tensorflow-lite
tflite_api=$lab/aar/tensorflow-lite-api
jdk=$(dirname "$(dirname "$(realpath "$(command -v javac)")")")
rules=$out/r8-$form.pro

# What the Android Gradle plugin adds to the rules of the library.
printf '%s\n' '-keepattributes *Annotation*' '-dontwarn org.jetbrains.annotations.**' \
    '-dontwarn com.android.internal.**' >"$rules"
if [ "$form" = dex ]; then
    options=(--min-api $min_sdk --pg-map-output "$output/../mapping.txt" "$(artifact lib/kotlin-stdlib)")
    mkdir -p "$output"
else
    # The tests use the app's own names, and Robolectric loads no class of the package of TFLite.
    printf '%s\n' '-keep class org.sartor.camera.** { *; }' '-keepnames class org.sartor.** { *; }' \
        "-repackageclasses 'org.tensorflow.lite.r8'" >>"$rules"
    options=(--classfile --classpath "$(artifact lib/kotlin-stdlib)")
fi
# The platform has no java.lang: the JDK provides it, and the API gate has refused what Android lacks.
short_java -cp "$(artifact dl/r8)" com.android.tools.r8.R8 --release \
    --lib "$(api_jar)" --lib "$jdk" --output "$output" \
    --pg-conf "$rules" --pg-conf "$out/app/resources.pro" \
    --pg-conf "$android/app/proguard-rules.pro" --pg-conf "$android/sartor/consumer-rules.pro" \
    --pg-conf "$tflite/proguard.txt" --pg-conf "$tflite_api/proguard.txt" \
    "$out/app/app.jar" "$out/sartor/sartor.jar" \
    "$tflite/classes.jar" "$tflite_api/classes.jar" "${options[@]}"
