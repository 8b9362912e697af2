"""Scripts of many shapes are described right, or refused in words; none is run. See scripts.py for the table."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

BRIDGE = Path(__file__).parents[2] / "trainer-bridge"
sys.path[:0] = [str(BRIDGE), str(Path(__file__).parent)]

from scripts import SHAPES, TRAINS, Script  # noqa: E402
from trackside._describe.__main__ import describe  # noqa: E402


class AScriptIsDescribedRightOrRefusedInWords(unittest.TestCase):
    def test_each_of_the_table_and_none_trains(self) -> None:
        for name, script in SHAPES.items():
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "train.py")
                path.write_text(script.source + TRAINS)
                for beside, text in script.beside.items():
                    Path(folder, beside).parent.mkdir(exist_ok=True)
                    Path(folder, beside).write_text(text)
                found = describe(str(path), False, 1.0 if name == "an endless wait" else 20.0)
                self.compare(script, found)
                self.assertFalse(Path(folder, "train.py.trained").exists(), "it trained")

    def compare(self, script: Script, found: dict[str, Any]) -> None:
        if script.refused:
            self.assertRegex(found.get("error", f"described: {list(found)}"), script.refused)
            return
        self.assertNotIn("error", found)
        known = {"": found, **by_name(found)}
        for argument, facts in script.shown.items():
            self.assertIn(argument, known)
            self.assertEqual({key: known[argument].get(key) for key in facts}, facts)

    def test_nothing_of_a_script_is_left_running(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path, pid = Path(folder, "train.py"), Path(folder, "pid")
            left = (
                "import argparse, os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
                f"        open({str(pid)!r}, 'w').write(str(os.getpid()))\n        time.sleep(600)\n    os._exit(0)\n"
                f"while not os.path.exists({str(pid)!r}) or not open({str(pid)!r}).read(): time.sleep(0.01)\n"
            )
            path.write_text(left + "argparse.ArgumentParser().parse_args()")
            self.assertNotIn("error", describe(str(path), False, 20.0))
            self.assertFalse(Path("/proc", pid.read_text()).exists())

    def test_programs_of_installed_packages_are_described_without_a_start(self) -> None:
        shown = {"http.server": "port", "json.tool": "infile", "compileall": "compile_dest", "venv": "dirs"}
        for module, argument in shown.items():
            with self.subTest(module):
                self.assertIn(argument, by_name(describe(module, True, 20.0)))
        self.assertRegex(describe("pip", True, 20.0)["error"], "reads no arguments with argparse")
        self.assertRegex(describe("no.such.module", True, 20.0)["error"], "no module no.such.module")

    def test_the_command_line_answers_one_line_a_script(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            # Names of Python's own modules beside it.
            for name in ("ast.py", "json.py", "select.py", "parser.py"):
                Path(folder, name).write_text("raise RuntimeError('not this one')")
            path = Path(folder, "train.py")
            path.write_text("import argparse\nargparse.ArgumentParser().parse_args()")
            tool = [sys.executable, str(BRIDGE / "trackside" / "_describe" / "__main__.py")]
            began = time.monotonic()
            ran = subprocess.run([*tool, str(path), "gone.py"], cwd=folder, capture_output=True, text=True)
            self.assertLess(time.monotonic() - began, 10)
            self.assertEqual((ran.returncode, len(ran.stdout.splitlines())), (1, 2), ran.stderr)
            self.assertIn("There is no script gone.py", ran.stdout)


def by_name(found: dict[str, Any]) -> dict[str, Any]:
    """Arguments by name, and commands by value, at every depth."""
    known = {each["name"]: each for each in found.get("arguments", [])}
    for command in (found.get("commands") or {}).get("choices", []):
        known |= by_name(command)
        known[command["value"]] = command
    return known


if __name__ == "__main__":
    os.environ.pop("TRACKSIDE_DESCRIBING", None)
    unittest.main()
