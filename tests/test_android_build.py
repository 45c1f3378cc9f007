"""The Gradle files of android/ state what the scripts in android/tools build."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ANDROID = ROOT / "android"
TOOLS = ANDROID / "tools"

# Gradle's name of a version → artifact in artifacts.txt.
ARTIFACTS = {
    "kotlin": "kotlin-compiler-embeddable",
    "tensorflow-lite": "tensorflow-lite",
    "junit": "junit:junit",
    "robolectric": "robolectric",
}


def catalog(section: str) -> dict[str, str]:
    """Return the lines of a section of the version catalog: name → text after the sign."""
    text = (ANDROID / "gradle/libs.versions.toml").read_text()
    lines = text.split(f"[{section}]\n")[1].split("\n\n")[0].splitlines()
    return {name.strip(): value.strip() for name, value in (line.split("=", 1) for line in lines)}


def artifact_version(name: str) -> str:
    """Return the version of an artifact in the table of the scripts."""
    match = re.search(rf"[:. ]{name}:([^:]+):\w+ ", (TOOLS / "artifacts.txt").read_text())
    assert match, name
    return match[1]


def gradle(module: str) -> str:
    return (ANDROID / module / "build.gradle.kts").read_text()


def script(name: str) -> str:
    return (TOOLS / name).read_text()


@pytest.mark.parametrize("name", ARTIFACTS)
def test_gradle_and_the_scripts_use_the_same_versions(name: str) -> None:
    assert catalog("versions")[name] == f'"{artifact_version(ARTIFACTS[name])}"'


def test_every_version_of_gradle_is_compared() -> None:
    assert set(catalog("versions")) == {*ARTIFACTS, "agp"}
    shrinker = artifact_version("r8")
    agp = catalog("versions")["agp"].strip('"')
    assert shrinker.split(".")[:2] == agp.split(".")[:2], "R8 is a part of AGP, with its version"


def test_the_modules_depend_on_what_the_scripts_put_on_the_class_path() -> None:
    def dependencies(module: str, configuration: str) -> set[str]:
        return set(re.findall(rf"^    {configuration}\((.+)\)$", gradle(module), re.MULTILINE))

    assert dependencies("sartor", "implementation") == {"libs.tensorflow.lite"}
    assert dependencies("app", "implementation") == {'project(":sartor")'}
    for module in ("sartor", "app"):
        assert dependencies(module, "testImplementation") == {"libs.junit", "libs.robolectric"}


@pytest.mark.parametrize("module", ["sartor", "app"])
def test_both_builds_compile_for_the_same_android(module: str) -> None:
    text, common = gradle(module), script("common.sh")
    least = re.search(r"minSdk = (\d+)", text)
    assert least
    assert f"min_sdk={least[1]}\n" in common
    assert f"gummy-bears-api-{least[1]}" in script("artifacts.txt")
    target = re.search(r"target_sdk=(\d+)\n", common)
    assert target
    assert f"compileSdk = {target[1]}" in text
    assert "JvmTarget.JVM_1_8" in text
    assert "-jvm-target 1.8" in script("compile.sh")


def test_both_builds_have_the_same_sources() -> None:
    compile_script = script("compile.sh")
    assert 'sourceSets["main"].kotlin.srcDir("../../contract/generated")' in gradle("sartor")
    assert '"$root/contract/generated"' in compile_script
    for module in ("sartor", "app"):
        assert f'"$android/{module}/src/main/kotlin"' in compile_script
        assert (ANDROID / module / "src/main/kotlin").is_dir()
        assert (ANDROID / module / "src/test/kotlin").is_dir()
        # Other folders of sources would be compiled by Gradle only.
        assert {path.name for path in (ANDROID / module / "src").iterdir()} == {"main", "test"}
    modules = set(re.findall(r'":(\w+)"', (ANDROID / "settings.gradle.kts").read_text()))
    assert modules == {"sartor", "app"}


def test_the_app_has_the_same_name_version_and_abis() -> None:
    text = gradle("app")
    assert 'applicationId = "org.sartor.camera"' in text
    assert 'package=\\"org.sartor.camera\\"' in script("compile.sh")
    version = re.search(r'versionName = "([\d.]+)"', text)
    assert version
    assert f'version = "{version[1]}"' in gradle("sartor")
    assert f'version = "{version[1]}"' in (ROOT / "pyproject.toml").read_text()
    assert f"--version-name {version[1]} " in script("compile.sh")
    abis = re.search(r"include\((.+)\)", text)
    assert abis
    names = " ".join(re.findall(r"[\w-]+", abis[1]))
    assert f"for abi in {names}; do" in script("package.sh")


def test_the_api_stays_explicit_and_warnings_are_errors() -> None:
    assert "explicitApi()" in gradle("sartor")
    assert "-Xexplicit-api=strict" in script("compile.sh")
    for module in ("sartor", "app"):
        assert "allWarningsAsErrors = true" in gradle(module)
    assert "-Werror" in script("common.sh")
