#!/bin/bash
# Compile the library, or the library and the app, and refuse calls that Android 7.0 (API 24) does not have.
#   compile.sh sartor|app
. "$(dirname "$0")/common.sh"
"$tools/fetch.sh"
[ -d "$lab" ] || exit 0

strict=(-Xjdk-release=1.8 -jvm-target 1.8)

library() {
    kotlin "$out/sartor/classes" "$(api_jar):$(tflite_jars):$(kotlin_jars)" \
        "${strict[@]}" -Xexplicit-api=strict -module-name sartor -- \
        "$android/sartor/src/main/kotlin" "$root/contract/generated"
}

# The resources and the model as an APK without code, and the class R.
# The model is stored, not compressed, so that an app can map it.
resources() {
    starter_model
    local app=$android/app/src/main work=$out/app
    if [ -f "$work/resources.apk" ] &&
        [ -z "$(find "$app/res" "$app/assets" "$app/AndroidManifest.xml" "$tools/compile.sh" -newer "$work/resources.apk" -print -quit)" ]; then
        return
    fi
    rm -rf "$work/R"
    mkdir -p "$work/R"
    # The Android Gradle plugin takes these from build.gradle.kts.
    sed "s|<manifest |<manifest package=\"org.sartor.camera\" |" "$app/AndroidManifest.xml" >"$work/AndroidManifest.xml"
    aapt2 compile --dir "$app/res" -o "$work/resources.zip"
    aapt2 link -I "$(artifact dl/android-all)" --manifest "$work/AndroidManifest.xml" --java "$work/R" \
        --proguard "$work/resources.pro" --min-sdk-version $min_sdk --target-sdk-version $target_sdk \
        -A "$app/assets" -0 .tflite --version-code 1 --version-name 0.1.0 --auto-add-overlay -o "$work/resources.apk" "$work/resources.zip" \
        2>"$work/aapt2.log" || { cat "$work/aapt2.log" >&2; return 1; }
    javac -nowarn -Xlint:none --release 8 -d "$work/R" "$work/R/org/sartor/camera/R.java" 2>/dev/null
}

app() {
    kotlin "$out/app/classes" "$out/sartor/classes:$out/app/R:$(api_jar):$(kotlin_jars)" \
        "${strict[@]}" -module-name app -- "$android/app/src/main/kotlin"
}

gate() { # module
    local classes=$out/$1/classes jar=$out/$1/$1.jar
    [ "$jar" -nt "$classes.sources" ] && return
    mkdir -p "$out/tools"
    javac -d "$out/tools" -cp "$(artifact dl/animal-sniffer)" "$tools/java/ApiGate.java"
    jar --create --file "$jar.new" -C "$classes" .
    short_java -cp "$out/tools:$(artifact dl/animal-sniffer):$(artifact robo/asm)" ApiGate \
        "$(echo "$lab"/dl/gummy-bears-api-$min_sdk-*.signature)" "$jar.new"
    mv "$jar.new" "$jar"
}

step "library" library
step "API gate" gate sartor
if [ "$1" = app ]; then
    step "resources" resources
    step "app" app
    step "API gate" gate app
fi
