#!/bin/bash
# build.sh path/to/android/x86_64/lib*.so... outdir  -> libc.so libm.so libdl.so liblog.so libbionic_impl.so (shims) next to the UNMODIFIED libraries
set -e; out=$(realpath -m "${@: -1}"); so=("${@:1:$#-1}"); mkdir -p $out; w=$(mktemp -d); src="$(cd "$(dirname "$0")"; pwd)"
for s in "${so[@]}"; do readelf --dyn-syms -W "$s"; done | awk '$7=="UND"&&$8~/@LIBC/{sub(/@/," ",$8);print $8,$9}' | awk '$1!="__sF"{print $1,$2}' | sort -u > $w/nv; cut -d' ' -f1 $w/nv > $w/names
# one version node per bionic version (LIBC, LIBC_N, LIBC_O, ...), each symbol in its own
{ cut -d' ' -f2 $w/nv; for s in "${so[@]}"; do readelf -VW "$s" | grep -oP 'Name: \KLIBC\w*'; done; echo LIBC; } | sort -u > $w/vers
{ p=; while read v; do echo "$v { global: $(awk -v v=$v '$2==v{printf "%s; ",$1}' $w/nv) shim_$v; };"; done < $w/vers; } > $w/v.map
{ echo 'extern const char*const shim_names[];extern void*shim_tab[];'; for f in $(grep -oP '\bb_\w+(?=\()' $src/impl.c | sort -u); do echo "void $f();"; done
  echo 'const char*const shim_names[]={'; sed 's/.*/"&",/' $w/names; echo '0};void*shim_tab[]={'; while read f; do grep -qP "\bb_$f\(" $src/impl.c && echo "b_$f," || echo '0,'; done < $w/names; echo '0};'; } > $w/tab.c
{ echo '.text'; i=0; while read f; do printf '.globl %s\n.type %s,@function\n%s: movq shim_tab@GOTPCREL(%%rip),%%r11\n jmp *%d(%%r11)\n.size %s,.-%s\n' $f $f $f $((8*i)) $f $f; i=$((i+1)); done < $w/names; while read v; do echo ".globl shim_$v"; echo "shim_$v: ret"; done < $w/vers; echo '.section .note.GNU-stack,"",@progbits'; } > $w/pass.s
echo 'LIBC { global: __sF; }; SHIM { global: b_*; shim_*; local: *; };' > $w/impl.map
gcc -O1 -w -fno-builtin -fno-stack-protector -U_FORTIFY_SOURCE -fPIC -shared $src/impl.c $w/tab.c -Wl,-soname,libbionic_impl.so -Wl,--version-script,$w/impl.map -o $out/libbionic_impl.so -ldl
gcc -nostdlib -shared $w/pass.s -Wl,-soname,libc.so -Wl,--version-script,$w/v.map -L$out -lbionic_impl -Wl,-rpath,'$ORIGIN' -o $out/libc.so
for l in m dl; do sed 's/.*/int shim_&;/' $w/vers | gcc -nostdlib -shared -fPIC -x c - -Wl,-soname,lib$l.so -Wl,--version-script,$w/v.map -o $out/lib$l.so; done
gcc -O1 -shared -fPIC $src/log.c -Wl,-soname,liblog.so -o $out/liblog.so
cp -f "${so[@]}" $out/; rm -r $w
