"""Puts the built page into the package: into the wheel, and into the sdist, from which the same wheel is built elsewhere."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sysconfig
import tempfile
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Of packages, what only developers read.
UNUSED = (".map", ".md", ".markdown", ".ts", ".mts", ".cts", ".flow", ".tsbuildinfo")
# The page takes its decoder of HEIC photos from one file.
OTHER_BUILDS = ("libheif.js", "libheif.wasm", "libheif-bundle.js")
OWN = (".build", "templates", "sidecar/hub/sources.toml", "CHANGELOG.md", "LICENSE", "package.json")
BRIDGE = ("trainer-bridge/example", "trainer-bridge/practice_train_network.py", "trainer-bridge/trackside")


class Sidecar(BuildHookInterface):
    """In a checkout the page is built and staged; in an unpacked sdist it is there already."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel":
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{_platform()}"
        if version == "editable":
            return
        if os.path.isdir(os.path.join(self.root, "trackside", "_sidecar")):
            return
        repository = os.path.dirname(os.path.abspath(self.root))
        if not os.path.exists(os.path.join(repository, "package-lock.json")):
            raise RuntimeError(
                "trackside is built from a checkout of its repository, or from its sdist; this is neither."
            )
        self._stage = tempfile.TemporaryDirectory(prefix="trackside-wheel-")
        stage = self._stage.name
        _build(repository)
        for path in (*OWN, *BRIDGE, *_packages(repository)):
            _copy(os.path.join(repository, path), os.path.join(stage, path))
        build_data["force_include"][stage] = "trackside/_sidecar"

    def finalize(self, version: str, build_data: dict[str, Any], artifact: str) -> None:
        if hasattr(self, "_stage"):
            self._stage.cleanup()


def _build(repository: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("Building trackside from a checkout needs Node and npm: the page is written in TypeScript.")
    if not os.path.isdir(os.path.join(repository, "node_modules")):
        subprocess.run([npm, "ci", "--silent"], cwd=repository, check=True)
    subprocess.run([npm, "run", "--silent", "build"], cwd=repository, check=True)


def _packages(repository: str) -> list[str]:
    """The folders of the packages that the page needs, relative to the repository."""
    listed = subprocess.run(
        ["npm", "ls", "--omit=dev", "--all", "--parseable"], cwd=repository, stdout=subprocess.PIPE, text=True
    ).stdout.split("\n")
    inside = os.path.join(os.path.realpath(repository), "node_modules", "")
    return sorted({os.path.relpath(path, os.path.realpath(repository)) for path in listed if path.startswith(inside)})


def _copy(source: str, target: str) -> None:
    if os.path.isfile(source):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(source, target)
    else:
        shutil.copytree(source, target, ignore=_ignored, dirs_exist_ok=True)


def _ignored(folder: str, names: list[str]) -> set[str]:
    ignored = {name for name in names if name in ("__pycache__", "_sidecar", "node_modules")}
    if "node_modules" in folder:
        ignored |= {
            name for name in names if name.endswith(UNUSED) and not name.lower().startswith(("licen", "notice"))
        }
    if "libheif-js" in folder:
        ignored |= {name for name in names if name in OTHER_BUILDS}
    return ignored


def _platform() -> str:
    """The page holds one native library, for pictures; like Node's own builds it needs glibc 2.28."""
    if platform.system() == "Linux":
        return f"manylinux_2_28_{platform.machine()}"
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")
