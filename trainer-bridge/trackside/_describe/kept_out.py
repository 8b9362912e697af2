"""What a script must not begin before its parser: a session, another process, the work of another library."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

import trackside
from trackside._describe.source import OTHERS, other_library

Answer = Callable[[dict[str, Any]], None]


def keep_out(target: str, end: Answer) -> None:
    """A session or a page that a script begins before its parser would be none: nothing trains here."""

    def refuse(name: str) -> Callable[..., Any]:
        def refused(*_: Any, **__: Any) -> None:
            end({"error": f"{target} calls trackside.{name}() before it reads its arguments: read them first."})

        return refused

    for name in ("track", "launch"):
        setattr(trackside, name, refuse(name))
    process_class: Any = BaseProcess
    start = process_class.start

    def start_of_another(process: Any) -> None:
        # It imports the script anew, without our hook, and would train.
        work = getattr(process, "_target", None)
        if getattr(work, "__module__", None) == "__main__" and getattr(process, "_start_method", None) != "fork":
            name = getattr(work, "__name__", "its work")
            end(
                {
                    "error": f"{target} starts {name}() in another process before it reads its arguments: read them first."
                }
            )
        start(process)

    process_class.start = start_of_another


# What runs a command line in other libraries, by module: reached in spite of the look at the source.
_RUNS = {
    "click.core": ("click", (("Command", "main"), ("BaseCommand", "main"))),
    "typer.main": ("typer", (("Typer", "__call__"), (None, "run"))),
    "fire.core": ("fire", ((None, "Fire"),)),
    "fire": ("fire", ((None, "Fire"),)),
    "hydra._internal.utils": ("hydra", ((None, "_run_hydra"),)),
    "hydra.main": ("hydra", ((None, "_run_hydra"),)),
    "tyro._cli": ("tyro", ((None, "cli"),)),
    "tyro": ("tyro", ((None, "cli"),)),
    "absl.app": ("absl", ((None, "run"),)),
    "docopt": ("docopt", ((None, "docopt"),)),
    "cyclopts.core": ("cyclopts", (("App", "__call__"),)),
    "traitlets.config.application": ("traitlets", (("Application", "launch_instance"),)),
}
assert {library for library, _ in _RUNS.values()} <= set(OTHERS)


def guard(target: str, end: Answer) -> None:
    """Ends with a refusal where another library is about to run the script's work, as soon as it is imported."""
    imports = builtins.__import__
    waiting = dict(_RUNS)

    def guarded(*given: Any, **named: Any) -> Any:
        found = imports(*given, **named)
        for name in [name for name in waiting if name in sys.modules]:
            module, (library, places) = sys.modules[name], waiting[name]
            spec = getattr(module, "__spec__", None)
            if spec is not None and getattr(spec, "_initializing", False):
                continue
            del waiting[name]
            for owner, attribute in places:
                holder = getattr(module, owner, None) if owner else module
                if holder is not None and hasattr(holder, attribute):
                    setattr(holder, attribute, refuse(library))
        return found

    def refuse(library: str) -> Callable[..., Any]:
        def refused(*_: Any, **__: Any) -> None:
            end({"error": str(other_library(target, library))})

        return refused

    builtins.__import__ = guarded
