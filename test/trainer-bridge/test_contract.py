"""The runner writes what the contract says. Run by `npm test` with pytest."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

BRIDGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "trainer-bridge")
sys.path.insert(0, BRIDGE)

from trackside._attempt import contract  # noqa: E402

TYPES = {"text": (str,), "texts": (list,), "integer": (int,), "number": (int, float), "boolean": (bool,)}


def keeps(value: object, of: str | list[str | None]) -> bool:
    if isinstance(of, list):
        return value in of
    if value is None:
        return of.endswith("?")
    return type(value) in TYPES[of.rstrip("?")]


class Contract(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.number = 0

    def run_attempt(
        self, *command: str, output: str | None = None, words: int = subprocess.PIPE
    ) -> subprocess.CompletedProcess[str]:
        self.number += 1
        options = ["--output", output or self.folder.name, "--attempt", "a", "--number", str(self.number)]
        options += ["--kind", "start"]
        runner = os.path.join(BRIDGE, "trackside", "runner.py")
        return subprocess.run(
            [sys.executable, runner, *options, "--cwd", "/", "--", *command],
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
        )

    def read(self, name: str) -> str:
        with open(os.path.join(self.folder.name, contract.FILES[name]), encoding="utf-8") as file:
            return file.read()

    def test_fields(self) -> None:
        """Of an attempt that ended by itself, was killed, or could not be started: the fields, in their order and types."""
        for command in (["true"], ["sh", "-c", "kill -9 $$"], ["/no/such/trainer"]):
            with self.subTest(command):
                self.assertEqual(self.run_attempt(*command).returncode, 0)
                record = json.loads(self.read("attempt"))
                self.assertEqual(list(record), list(contract.ATTEMPT))
                self.assertEqual(
                    {name: value for name, value in record.items() if not keeps(value, contract.ATTEMPT[name])}, {}
                )

    def test_files_and_mark(self) -> None:
        """While it runs there are record, PID file and log, and the trainer carries the mark."""
        self.run_attempt(
            "sh", "-c", f'cat "$0/{contract.FILES["pid"]}"; echo ${contract.MARK}; ls "$0"', self.folder.name
        )
        _, pid, mark, *files = self.read("log").splitlines()
        self.assertEqual(int(pid), json.loads(self.read("attempt"))["pid"])
        self.assertEqual(mark, "a")
        self.assertEqual(sorted(files), sorted(contract.FILES[name] for name in ("attempt", "pid", "log")))

    def test_unwritable(self) -> None:
        self.assertEqual(self.run_attempt("true", output="/no/such").returncode, contract.EXIT_CODES["unwritable"])

    def test_unwritable_without_a_word(self) -> None:
        """The code tells, though the disk that its words would go to is full."""
        with open("/dev/full", "wb") as full:
            refused = self.run_attempt("true", output="/no/such", words=full.fileno())
        self.assertEqual(refused.returncode, contract.EXIT_CODES["unwritable"])


if __name__ == "__main__":
    unittest.main()
