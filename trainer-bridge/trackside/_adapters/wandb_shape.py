"""`init`, `log` and `finish` in the shape of wandb's: what calls that one needs another import, no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trackside._track.run import Run
from trackside._track.track import track
from trackside._track.warn import warn_once

_run: Run | None = None


def init(
    project: str | None = None,
    name: str | None = None,
    config: Mapping[str, Any] | Any | None = None,
    *,
    resume: Any = None,
    **more: Any,
) -> Run:
    """Begins a run called `name`, or else `project`; a run that is open is finished first.

    `resume` is wandb's: "must" raises without a state, "never" begins a new version, anything else goes on where there is
    something to go on from. Further keywords are those of `track`; those of wandb that mean nothing here are ignored.
    """
    global _run
    if _run is not None:
        _run.finish()
    known = ("dataset", "total", "outputs", "on_conflict", "save_every", "sample_every", "keep", "grace")
    options = {key: value for key, value in more.items() if key in known}
    _run = track(name or project or "run", config, resume=resume if resume in ("must", "never") else "auto", **options)
    return _run


def log(data: Mapping[str, Any], step: int | None = None, commit: bool | None = None) -> None:
    """Logs numbers of one step, and pictures as samples. Without `step` each call is a step, unless `commit` is False."""
    run = _run
    if run is None:
        warn_once("trackside.log was called before trackside.init")
        return
    if step is None and commit is False:
        step = run.first_step if run.step is None else run.step
    numbers = {}
    for name, value in data.items():
        picture = (
            getattr(value, "image", None) if type(value).__name__ == "Image" and hasattr(value, "_caption") else value
        )
        if hasattr(picture, "save") and hasattr(picture, "size") and hasattr(picture, "mode"):
            run.sample(picture, prompt=str(getattr(value, "_caption", None) or name), step=step)
        else:
            numbers[name] = value
    run.log(numbers, step=step)


def finish(exit_code: int | None = None) -> None:
    """Ends the run; an exit code other than 0 as failed."""
    global _run
    run, _run = _run, None
    if run is not None:
        run.finish(SystemExit(exit_code) if exit_code else None)
