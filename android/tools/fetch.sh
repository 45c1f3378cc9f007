#!/bin/bash
# Fetch what the other scripts need: artifacts from Maven Central, checked by their SHA-256.
. "$(dirname "$0")/common.sh"
need_programs
[ -n "${ANDROID_LAB:-}" ] && exit
cmp -s "$lab/artifacts.txt" "$tools/artifacts.txt" && exit
mkdir -p "$lab"
table=$(grep -v '^#' "$tools/artifacts.txt")

# Maven copies each artifact without its dependencies.
{
    echo '<project><modelVersion>4.0.0</modelVersion><groupId>org.sartor</groupId>' \
        '<artifactId>lab</artifactId><version>1</version><packaging>pom</packaging>' \
        '<build><plugins><plugin><artifactId>maven-dependency-plugin</artifactId>' \
        '<version>3.8.1</version><configuration><artifactItems>'
    while read -r folder coordinate _; do
        IFS=: read -r group artifact version type <<<"$coordinate"
        echo "<artifactItem><groupId>$group</groupId><artifactId>$artifact</artifactId>" \
            "<version>$version</version><type>$type</type>" \
            "<outputDirectory>$lab/$folder</outputDirectory></artifactItem>"
    done <<<"$table"
    echo '</artifactItems></configuration></plugin></plugins></build></project>'
} >"$lab/pom.xml"
mvn --quiet --batch-mode -Dmaven.repo.local="$lab/m2" -f "$lab/pom.xml" dependency:copy
rm -rf "$lab/m2"

while read -r folder coordinate sha256; do
    IFS=: read -r _ artifact version type <<<"$coordinate"
    echo "$sha256  $lab/$folder/$artifact-$version.$type"
done <<<"$table" | sha256sum --check --quiet

for name in tensorflow-lite tensorflow-lite-api; do
    rm -rf "$lab/aar/$name"
    mkdir -p "$lab/aar/$name"
    unzip -q "$lab/dl/$name"-[0-9]*.aar -d "$lab/aar/$name"
done
for aar in "$lab"/robo/*.aar; do
    unzip -p "$aar" classes.jar >"${aar%.aar}.jar"
done
# The part of the framework that apps see: the compilers read it four times faster than all of it.
zip -q -U "$(artifact dl/android-all)" --out "$(api_jar)" \
    'android/*' 'org/*' 'javax/*' 'dalvik/*' 'libcore/*' 'java/*' \
    -x 'android/car/*' -x 'android/adservices/*'
"$tools/shim/build.sh" "$lab/aar/tensorflow-lite/jni/x86_64/libtensorflowlite_jni.so" "$lab/native"
cp "$tools/artifacts.txt" "$lab/artifacts.txt"
