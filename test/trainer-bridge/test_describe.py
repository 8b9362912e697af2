"""Scripts of many shapes are described right, or refused in words; none is run. See scripts.py for the table."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from scripts import SHAPES, TRAINS, Script

TOOL = str(Path(__file__).parents[2] / "trainer-bridge" / "trackside" / "_describe" / "__main__.py")


class AScriptIsDescribedRightOrRefusedInWords(unittest.TestCase):
    def test_each_of_the_table_and_none_trains(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            paths = {name: write(Path(folder, f"{at}"), script) for at, (name, script) in enumerate(SHAPES.items())}
            waiting = paths.pop("an endless wait")
            quick = ask("--limit", "1", str(waiting))
            answers = dict(zip([*paths, "an endless wait"], ask(*map(str, paths.values())) + quick))
            for name, script in SHAPES.items():
                with self.subTest(name):
                    self.compare(script, answers[name])
            self.assertEqual(list(Path(folder).rglob("*.trained")), [], "it trained")

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
            self.assertNotIn("error", ask(str(path))[0])
            self.assertFalse(Path("/proc", pid.read_text()).exists())

    def test_programs_of_installed_packages_are_described_without_a_start(self) -> None:
        shown = {"http.server": "port", "json.tool": "infile", "compileall": "compile_dest", "venv": "dirs"}
        answers = ask(*(word for module in [*shown, "tabnanny", "no.such.module"] for word in ("-m", module)))
        for module, found in zip(shown, answers):
            with self.subTest(module):
                self.assertIn(shown[module], by_name(found))
        self.assertRegex(answers[-2]["error"], "reads no arguments with argparse")
        self.assertRegex(answers[-1]["error"], "no module no.such.module")

    def test_the_command_line_answers_one_line_a_script(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            # Names of Python's own modules beside it.
            for name in ("ast.py", "json.py", "select.py", "parser.py"):
                Path(folder, name).write_text("raise RuntimeError('not this one')")
            path = Path(folder, "train.py")
            path.write_text("import argparse\nargparse.ArgumentParser().parse_args()")
            described, gone = ask(str(path), "gone.py", cwd=folder)
            self.assertEqual(described["arguments"][0]["name"], "help")
            self.assertEqual(gone["error"], "There is no script gone.py.")


def write(folder: Path, script: Script) -> Path:
    for beside, text in {**script.beside, "train.py": script.source + TRAINS}.items():
        Path(folder, beside).parent.mkdir(exist_ok=True, parents=True)
        Path(folder, beside).write_text(text)
    return Path(folder, "train.py")


def ask(*argv: str, cwd: str = "/") -> list[dict[str, Any]]:
    """The answers of one command for several scripts."""
    ran = subprocess.run([sys.executable, TOOL, *argv], cwd=cwd, stdout=subprocess.PIPE, check=False)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def by_name(found: dict[str, Any]) -> dict[str, Any]:
    """Arguments by name, and commands by value, at every depth."""
    known = {each["name"]: each for each in found.get("arguments", [])}
    for command in (found.get("commands") or {}).get("choices", []):
        known |= by_name(command)
        known[command["value"]] = command
    return known
