"""A function with @trackside.trainer is a form, a command line, and still a function."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_describe import by_name

BRIDGE = str(Path(__file__).parents[2] / "trainer-bridge")
sys.path.insert(0, BRIDGE)
trackside = importlib.import_module("trackside")
parser_of = importlib.import_module("trackside._trainer").parser_of

SCRIPT = '''
from __future__ import annotations
import enum, json
from pathlib import Path
from typing import Literal, Optional
import trackside

class Kind(enum.Enum):
    SMALL = 1
    LARGE = 2

@trackside.trainer
def train(steps: int, lr: float = 1e-4, optimizer: Literal["adam", 8] = "adam", kind: Kind = Kind.SMALL, ema: bool = True,
          out: Optional[Path] = None, tags: list[str] = (), size: tuple[int, int] = (1, 2), guessed=3):
    """Trains on the pictures, 100% of them.

    Args:
        steps: how many optimizer steps
            in all
        lr (float): learning rate
    """
    print(json.dumps({name: repr(value) for name, value in locals().items()}))

if __name__ == "__main__":
    train()
'''


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "my_train.py"
    path.write_text(SCRIPT)
    return path


def test_type_hints_become_fields_and_docstring_lines_their_help(script: Path) -> None:
    found = trackside.describe(script)
    fields = by_name(found)
    assert found["description"] == "Trains on the pictures, 100% of them."
    assert fields["steps"]["required"] and fields["steps"]["type"] == "int"
    assert fields["steps"]["help"] == "how many optimizer steps in all"
    assert (fields["lr"]["type"], fields["lr"]["default"], fields["lr"]["help"]) == ("float", 1e-4, "learning rate")
    assert fields["optimizer"]["tokens"] == ["adam", "8"]
    assert fields["kind"]["tokens"] == ["SMALL", "LARGE"]
    assert fields["ema"]["action"] == "boolean_optional"
    assert fields["out"]["type"] == "Path"
    assert (fields["tags"]["nargs"], fields["size"]["nargs"], fields["guessed"]["type"]) == ("*", 2, "int")


def test_it_still_works_as_a_script(script: Path) -> None:
    flags = [
        "--steps=5",
        "--optimizer=8",
        "--kind=LARGE",
        "--no-ema",
        "--out=a/b",
        "--tags",
        "x",
        "y",
        "--size",
        "3",
        "4",
    ]
    ran = subprocess.run(
        [sys.executable, str(script), *flags],
        env={**os.environ, "PYTHONPATH": BRIDGE},
        capture_output=True,
        text=True,
        check=True,
    )
    for said in ('"steps": "5"', '"optimizer": "8"', "Kind.LARGE", '"ema": "False"', "PosixPath('a/b')", "['x', 'y']"):
        assert said in ran.stdout
    assert '"size": "(3, 4)"' in ran.stdout and '"guessed": "3"' in ran.stdout


def test_imported_or_called_with_arguments_it_is_the_plain_function() -> None:
    @trackside.trainer
    def double(n: int = 2) -> int:
        return 2 * n

    assert (double(), double(4), double(n=5)) == (4, 8, 10)


def test_what_no_command_line_can_give_is_refused_in_words() -> None:
    def takes_any(**options: int) -> None: ...
    def takes_dict(options: dict[str, int]) -> None: ...
    def takes_either(n: int | str) -> None: ...

    for function in (takes_any, takes_dict, takes_either):
        with pytest.raises(TypeError, match=f"{function.__name__}.*can't be an argument of a command line"):
            parser_of(function)


def test_a_script_that_never_calls_its_function_is_told_how(script: Path) -> None:
    script.write_text(SCRIPT.rpartition("if __name__")[0])
    assert 'if __name__ == "__main__": train()' in trackside.describe(script)["error"]
