#!/bin/bash
# Shrink the app with R8, and write a signed APK for each ABI to build/android/apk.
# The key is one of this build folder: a release in a store needs a key of its own.
. "$(dirname "$0")/common.sh"
"$tools/compile.sh" app
[ -d "$lab" ] || exit 0
work=$out/apk
tflite=$lab/aar/tensorflow-lite
key=$out/release.keystore
rm -rf "$work"
mkdir -p "$work"

package() { # ABI
    local stage=$work/stage-$1 apk=$work/sartor-camera-$1.apk
    mkdir -p "$stage/lib/$1"
    cp "$out/app/resources.apk" "$stage/unsigned.apk"
    cp "$work"/dex/classes*.dex "$stage"
    cp "$tflite/jni/$1/libtensorflowlite_jni.so" "$stage/lib/$1"
    (cd "$stage" && zip -q -r unsigned.apk classes*.dex lib)
    zipalign -p 4 "$stage/unsigned.apk" "$stage/aligned.apk"
    apksigner sign --ks "$key" --ks-pass pass:android --min-sdk-version $min_sdk --out "$apk" "$stage/aligned.apk"
    apksigner verify --min-sdk-version $min_sdk "$apk"
    # Android 11 refuses compressed resources, and an app cannot map a compressed model.
    [ "$(unzip -v "$apk" assets/starter.tflite resources.arsc | grep -c ' Stored ')" = 2 ] ||
        { echo "$apk: the model or the resources are compressed" >&2; return 1; }
    rm -rf "$stage" "$apk.idsig"
    awk -v size="$(stat -c %s "$apk")" -v name="$(basename "$apk")" \
        'BEGIN { printf "%s: %.2f MB\n", name, size / 1e6 }'
}

[ -f "$key" ] || keytool -genkeypair -keystore "$key" -storepass android -keypass android -alias sartor \
    -keyalg RSA -keysize 2048 -validity 10000 -dname "CN=Sartor" 2>/dev/null
step "R8" "$tools/shrink.sh" dex "$work/dex"
for abi in arm64-v8a armeabi-v7a x86_64; do
    package "$abi"
done
