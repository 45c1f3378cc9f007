#!/bin/bash
# Build the shim: libraries that translate Android's C library (bionic) to that of Linux (glibc).
#   build.sh path/to/android/x86_64/library.so ... FOLDER
#
# The unmodified Android library is copied into FOLDER beside libc.so, libm.so, libdl.so and liblog.so. These define
# the symbols that it imports, in the versions that it asks for. Each is a jump through a table that impl.c fills at the
# start: with the function b_NAME of impl.c if there is one, and with the function of glibc otherwise.
# Start Java with LD_LIBRARY_PATH=FOLDER and -Djava.library.path=FOLDER.
set -euo pipefail
folder=$(realpath -m "${!#}")
libraries=("${@:1:$#-1}")
source=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"

# The imported symbols, one per line: name, version. __sF is data, which impl.c defines.
for library in "${libraries[@]}"; do
    readelf --dyn-syms --wide "$library"
done | awk '$7 == "UND" && $8 ~ /@LIBC/ { sub(/@/, " ", $8); print $8, $9 }' |
    awk '$1 != "__sF" { print $1, $2 }' | sort -u >"$work/symbols"
cut -d' ' -f1 "$work/symbols" >"$work/names"
{
    cut -d' ' -f2 "$work/symbols"
    for library in "${libraries[@]}"; do
        readelf --version-info --wide "$library" | grep -oP 'Name: \KLIBC\w*'
    done
    echo LIBC
} | sort -u >"$work/versions"

# The linker's map of the versions: each symbol in its own.
while read -r version; do
    echo "$version { global: $(awk -v v="$version" '$2 == v { printf "%s; ", $1 }' "$work/symbols") shim_$version; };"
done <"$work/versions" >"$work/versions.map"

# The table: names, and the functions of impl.c; 0 stands for the function of glibc.
own() { grep -qP "\bb_$1\(" "$source/impl.c"; }
{
    echo 'extern const char *const shim_names[]; extern void *shim_tab[];'
    for name in $(grep -oP '\bb_\w+(?=\()' "$source/impl.c" | sort -u); do
        echo "void $name();"
    done
    echo 'const char *const shim_names[] = {'
    sed 's/.*/"&",/' "$work/names"
    echo '0}; void *shim_tab[] = {'
    while read -r name; do
        if own "$name"; then echo "b_$name,"; else echo '0,'; fi
    done <"$work/names"
    echo '0};'
} >"$work/table.c"

# The jumps.
{
    echo '.text'
    offset=0
    while read -r name; do
        printf '.globl %s\n.type %s,@function\n%s:\n' "$name" "$name" "$name"
        printf ' movq shim_tab@GOTPCREL(%%rip),%%r11\n jmp *%d(%%r11)\n.size %s,.-%s\n' "$offset" "$name" "$name"
        offset=$((offset + 8))
    done <"$work/names"
    while read -r version; do
        printf '.globl shim_%s\nshim_%s: ret\n' "$version" "$version"
    done <"$work/versions"
    echo '.section .note.GNU-stack,"",@progbits'
} >"$work/jumps.s"

echo 'LIBC { global: __sF; }; SHIM { global: b_*; shim_*; local: *; };' >"$work/impl.map"
gcc -O1 -w -fno-builtin -fno-stack-protector -U_FORTIFY_SOURCE -fPIC -shared "$source/impl.c" "$work/table.c" \
    -Wl,-soname,libbionic_impl.so -Wl,--version-script,"$work/impl.map" -o "$folder/libbionic_impl.so" -ldl
gcc -nostdlib -shared "$work/jumps.s" -Wl,-soname,libc.so -Wl,--version-script,"$work/versions.map" \
    -L"$folder" -lbionic_impl -Wl,-rpath,'$ORIGIN' -o "$folder/libc.so"
for name in m dl; do
    sed 's/.*/int shim_&;/' "$work/versions" | gcc -nostdlib -shared -fPIC -x c - \
        -Wl,-soname,lib$name.so -Wl,--version-script,"$work/versions.map" -o "$folder/lib$name.so"
done
gcc -O1 -shared -fPIC "$source/log.c" -Wl,-soname,liblog.so -o "$folder/liblog.so"
cp -f "${libraries[@]}" "$folder/"
