# Paths and functions of the scripts in this folder.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
android=$(dirname "$tools")
root=$(dirname "$android")
out=$root/build/android
# What fetch.sh fetches. ANDROID_LAB names a folder that has it already.
lab=${ANDROID_LAB:-$out/lab}

min_sdk=24
target_sdk=34

# Print the path of an artifact, whose version is in artifacts.txt: `artifact dl/r8`.
artifact() { printf '%s' "$lab/$1"-[0-9]*.jar; }

# Print all jars of a folder as a class path.
jars() { printf '%s:' "$lab/$1"/*.jar; }

# A short run is faster without the second compiler and with one collector thread.
short_java() { java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "$@"; }

# Run a step, and print how long it took.
step() { # name, command...
    local start=$EPOCHREALTIME name=$1
    shift
    "$@"
    awk -v a="$start" -v b="$EPOCHREALTIME" -v n="$name" 'BEGIN { printf "%s: %.1f s\n", n, b - a }'
}

# Exit if a program is missing: with an error in CI, with a message elsewhere.
need_programs() {
    local pair missing=()
    for pair in javac:openjdk-17-jdk-headless mvn:maven gcc:gcc readelf:binutils zip:zip \
        unzip:unzip aapt2:aapt zipalign:zipalign apksigner:apksigner; do
        command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    [ "${#missing[@]}" -eq 0 ] && return
    echo "NOT RUN: the Android library and app. Install what is missing, then repeat:" \
        "apt-get install ${missing[*]}" >&2
    [ -z "${CI:-}" ] && exit 0
    exit 1
}

# The class path that an app of the library sees, apart from the library.
api_jar() { printf '%s' "$lab/android-34.jar"; }
tflite_jars() { printf '%s' "$lab/aar/tensorflow-lite/classes.jar:$lab/aar/tensorflow-lite-api/classes.jar"; }
kotlin_jars() { printf '%s' "$(artifact lib/kotlin-stdlib):$(artifact lib/annotations)"; }

# Compile Kotlin into a folder, unless it is newer than the sources: `kotlin FOLDER CLASSPATH OPTIONS -- SOURCES`.
# -Xjdk-release and not -jvm-target alone: otherwise code binds to methods of the JDK that no Android has.
kotlin() {
    local folder=$1 classpath=$2 options=() sources
    shift 2
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    sources=$(find "$@" -name '*.kt' | sort)
    if [ "$(cat "$folder.sources" 2>/dev/null)" = "${options[*]} $sources" ] &&
        [ -z "$(find $sources ${classpath//:/ } -newer "$folder.sources" -type f -print -quit)" ]; then
        return
    fi
    rm -rf "$folder" "$folder.sources"
    mkdir -p "$folder"
    touch "$folder.start"
    short_java -Xmx1500m -cp "$(jars kotlinc)$(kotlin_jars):$(artifact lib/kotlinx-coroutines-core-jvm)" \
        org.jetbrains.kotlin.cli.jvm.K2JVMCompiler -no-stdlib -no-reflect -Werror \
        "${options[@]}" -cp "$classpath" -d "$folder" $sources
    printf '%s' "${options[*]} $sources" >"$folder.sources"
    touch -r "$folder.start" "$folder.sources"
}

# Convert the starter base for the tests and the app, unless it is newer than the converter.
starter_model() {
    local model=$out/models/starter.tflite assets=$android/app/src/main/assets
    if [ ! -f "$model" ] || [ -n "$(find "$root/src/sartor" -name '*.py' -newer "$model" -print -quit)" ]; then
        mkdir -p "$out/models"
        sartor convert starter --classes 10 -o "$model" --quiet
    fi
    mkdir -p "$assets"
    cmp -s "$model" "$assets/starter.tflite" || cp "$model" "$assets/starter.tflite"
}

# Write where Robolectric finds the manifest and the resources of the app, into a folder of the class path.
app_properties() { # folder
    mkdir -p "$1/com/android/tools"
    cat >"$1/com/android/tools/test_config.properties" <<END
android_merged_manifest=$out/app/AndroidManifest.xml
android_merged_assets=$android/app/src/main/assets
android_resource_apk=$out/app/resources.apk
android_custom_package=org.sartor.camera
END
}
