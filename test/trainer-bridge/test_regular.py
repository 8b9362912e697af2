"""Run with `npm run test:python`."""

import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "trainer-bridge"))

from trackside._attempt import folder as attempt_folder
from trackside._attempt import record, regular


class OddFiles(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = Path(place.name)
        self.descriptor = os.open(self.folder, os.O_RDONLY)
        self.addCleanup(os.close, self.descriptor)

    def put(self, kind: str, name: str) -> Path:
        path = self.folder / name
        if kind == "a pipe":
            os.mkfifo(path)
        elif kind == "a folder":
            path.mkdir()
        elif kind == "a device":
            path.symlink_to("/dev/zero")
        elif kind == "a link to nothing":
            path.symlink_to("/nowhere/at/all")
        elif kind == "3 GB":
            path.touch()
            os.truncate(path, 3_000_000_000)
        else:
            path.write_text('{"a":' + "[" * 1_000_000 + "]" * 1_000_000 + "}")
        return path

    def test_what_is_no_small_file_is_refused_at_once(self) -> None:
        for kind in ("a pipe", "a folder", "a device", "a link to nothing", "3 GB"):
            with self.subTest(kind), self.assertRaises(OSError):
                regular.read_bytes(self.put(kind, kind))

    def test_a_file_is_read_up_to_its_limit(self) -> None:
        path = self.folder / "text"
        path.write_text("four")
        self.assertEqual(regular.read_text(path, 4), "four")
        with self.assertRaisesRegex(OSError, "larger than"):
            regular.read_text(path, 3)

    def test_an_attempt_begins_whatever_lies_in_the_place_of_its_record(self) -> None:
        for kind in ("a pipe", "a device", "3 GB", "a million brackets"):
            with self.subTest(kind):
                path = self.put(kind, record.ATTEMPT)
                self.assertIn(record.load(self.descriptor), (None, {}))
                record.save(self.descriptor, {"id": "mine"})
                self.assertEqual(record.load(self.descriptor), {"id": "mine"})
                path.unlink()

    def test_a_log_that_is_no_file_is_refused_in_words(self) -> None:
        for kind in ("a pipe", "a folder", "a device", "a link to nothing"):
            with self.subTest(kind):
                path = self.put(kind, "training.log")
                with self.assertRaisesRegex(OSError, "Move it away"):
                    attempt_folder.open_log(self.descriptor)
                path.rmdir() if kind == "a folder" else path.unlink()

    def test_a_log_keeps_its_lines_and_takes_more(self) -> None:
        (self.folder / "training.log").write_text("before\n")
        log = attempt_folder.open_log(self.descriptor)
        os.write(log, b"after\n")
        self.assertTrue(os.get_blocking(log))
        os.close(log)
        self.assertEqual((self.folder / "training.log").read_text(), "before\nafter\n")


if __name__ == "__main__":
    unittest.main()
