#!/bin/bash
# Compile a module, and run its tests on the JVM: the genuine Android library of TFLite, and Robolectric.
#   test.sh sartor|app [TestClass | TestClass.method ...]
#   test.sh shrunk                    a test of the app on the classes that R8 leaves
. "$(dirname "$0")/common.sh"
module=$1
shift
is_shrunk=
if [ "$module" = shrunk ]; then
    is_shrunk=1
    module=app
    set -- AppTest.learnsFourClassesAndKeepsThem
fi
"$tools/compile.sh" "$module"
[ -d "$lab" ] || exit 0

classes=$out/sartor/classes
friends=$classes
if [ "$module" = app ]; then
    classes=$out/app/classes:$out/app/R:$classes
    friends=$out/app/classes
fi
sources=$android/$module/src/test
test_classes=$out/$module/test-classes
libraries=$classes:$(tflite_jars):$(kotlin_jars):$(jars robo)$(artifact dl/android-all)

step "tests" kotlin "$test_classes" "$libraries" -jvm-target 17 -module-name "$module-test" \
    -Xfriend-paths="$friends" -- "$sources/kotlin"
if [ -n "$is_shrunk" ]; then
    rm -f "$out/shrunk.jar"
    step "R8" "$tools/shrink.sh" classes "$out/shrunk.jar"
    # Without the classes of the modules and of TFLite, apart from the IDs of resources.
    libraries=$out/shrunk.jar:$out/app/R:$(kotlin_jars):$(jars robo)$(artifact dl/android-all)
fi
mkdir -p "$out/tools" "$out/$module/screens"
[ "$out/tools/Tests.class" -nt "$tools/java/Tests.java" ] ||
    javac -d "$out/tools" -cp "$(jars robo)" "$tools/java/Tests.java"

starter_model

[ "$module" != app ] || app_properties "$out/app/properties"

opens=()
for package in java.lang java.util java.io java.net java.nio jdk.internal.access; do
    opens+=(--add-opens "java.base/$package=ALL-UNNAMED")
done
set +e
# TFLite's classes stay with the loader of the application: a native library belongs to one loader.
LD_LIBRARY_PATH=$lab/native java -Xmx2g "${opens[@]}" \
    -Drobolectric.offline=true -Drobolectric.dependency.dir="$lab/sdk" \
    -Dorg.robolectric.packagesToNotAcquire=org.tensorflow.lite \
    -Djava.library.path="$lab/native" -Djava.awt.headless=true \
    -Dsartor.root="$root" -Dsartor.models="$out/models" -Dsartor.screens="$out/$module/screens" \
    -XX:ErrorFile="$out/$module/crash.log" -XX:+IgnoreUnrecognizedVMOptions -XX:-CreateCoredumpOnCrash \
    -cp "$out/tools:$out/$module/properties:$test_classes:$sources/resources:$libraries" \
    Tests "$test_classes" "$@" 2>&1 |
    grep --text --line-buffered -vE '^(INFO|VERBOSE|[A-Z]/tflite|\[Robolectric\] WARN)|^[A-Z][a-z]{2} [0-9]+, 20'
exit "${PIPESTATUS[0]}"
