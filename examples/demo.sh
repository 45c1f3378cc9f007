#!/bin/sh
# The main job on real photos: convert, learn, judge, predict, bake. Called by `make demo`.
set -eu
shared=$1
base=$shared/models/tf2_mobilenet_v2_1.0_224_ptq.tflite
photos=$shared/data/clothing
if [ ! -f "$base" ] || [ ! -d "$photos/train" ]; then
    echo "make demo: no base ships with Sartor yet, so this needs $base and $photos," >&2
    echo "which are not there. With a .tflite and a folder of photos of your own:" >&2
    echo "  sartor convert BASE.tflite -o model.tflite --classes 10" >&2
    echo "  sartor fit model.tflite PHOTOS --checkpoint me.safetensors" >&2
    exit 1
fi
echo "No base ships with Sartor yet: this uses $base and $photos."
out=build/demo
mkdir -p "$out"
rm -f "$out"/*

run() {
    echo
    echo "\$ $*"
    "$@"
}
run sartor convert "$base" -o "$out/clothing.tflite" --classes 10
run sartor verify "$out/clothing.tflite"
run sartor fit "$out/clothing.tflite" "$photos/train" --checkpoint "$out/me.safetensors"
run sartor evaluate "$out/clothing.tflite" "$photos/validation" --checkpoint "$out/me.safetensors"
run sartor bake "$out/clothing.tflite" --checkpoint "$out/me.safetensors" -o "$out/mine.tflite"
run sartor predict "$out/mine.tflite" "$photos/validation/hat/"*.jpg
echo
echo "The same with your own: a .tflite for the first command, a folder a class for the third."
