"""The package `trackside` as a person imports it."""

import json
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BRIDGE = os.path.join(ROOT, "trainer-bridge")


def python(program: str, *options: str) -> str:
    """What a program prints that runs in a Python of its own, with nothing but the package beside the standard library."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", *options, "-c", f"import sys; sys.path.insert(0, {BRIDGE!r})\n{program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_import_is_quick_and_brings_in_nothing_else() -> None:
    program = """
import time
begun = time.process_time(); import trackside; took = time.process_time() - begun
print(took, sorted(name for name in sys.modules if name.split('.')[0] not in sys.stdlib_module_names | {'__main__'}))
"""
    runs = [python(program).split(" ", 1) for _ in range(3)]
    assert min(float(took) for took, _ in runs) <= 0.05
    assert runs[0][1].strip() == "['trackside']"


def test_every_public_name_is_there_and_others_are_refused() -> None:
    names = python("import trackside\nfor name in trackside.__all__: assert getattr(trackside, name) is not None, name")
    assert names == ""
    answer = python("import trackside\ntry: trackside.nonsense\nexcept AttributeError as error: print(error)")
    assert answer == "module 'trackside' has no attribute 'nonsense'\n"


def test_the_version_is_the_sidecars() -> None:
    with open(os.path.join(ROOT, "package.json"), encoding="utf-8") as file:
        version = json.load(file)["version"]
    assert python("import trackside; print(trackside.__version__)") == f"{version}\n"


def test_the_page_of_all_names_is_that_of_the_docstrings() -> None:
    import api_page

    assert api_page.PAGE.read_text(encoding="utf-8") == api_page.page(), "run python3 test/trainer-bridge/api_page.py"
