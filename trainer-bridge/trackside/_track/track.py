"""`trackside.track`: makes any training loop a session."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping
from typing import Any

from trackside._track import place, ranks, session
from trackside._track.launcher import is_notebook
from trackside._track.place import AlreadyRunning, Place, Wish
from trackside._track.run import Run
from trackside._track.warn import warn_once
from trackside._track.writer import Writer, finish_of

__all__ = ["AlreadyRunning", "Run", "track"]


def track(
    name: str,
    config: Mapping[str, Any] | Any | None = None,
    *,
    dataset: str | os.PathLike[str] | None = None,
    total: int | None = None,
    outputs: str | os.PathLike[str] | None = None,
    resume: str = "auto",
    on_conflict: str = "refuse",
    save_every: int | None = None,
    sample_every: int | None = None,
    keep: int | None = None,
    grace: float = 120.0,
) -> Run:
    """Makes a training loop a session, with progress, charts, log, Stop and Resume on the page; works without a page too.

    >>> with trackside.track("my-lora", config=vars(args)) as run:
    ...     if run.resume_from: load(run.resume_from)
    ...     for step in range(run.first_step, 1000):
    ...         run.log(step=step, total=1000, loss=train_step())
    ...         if run.should_save(step):
    ...             with run.saving_state(step) as folder: save(folder)
    ...         if run.stop_requested: break

    name: becomes the folder `outputs/<name>`. A script that the page started writes into the page's session instead.
    config: the settings, for the record: a mapping, an argparse.Namespace or a dataclass. Names of secrets are left out.
    dataset: the folder of the pictures, for the record.
    total: steps of the whole training, if known; `run.log(total=…)` says it too.
    outputs: the folder of all sessions; by default TRACKSIDE_OUTPUTS, else `outputs` here.
    resume: "auto" goes on with the newest whole state of an unfinished training; "must" raises without one; "never"
        begins a new version. A completed training's name begins a new version, always.
    on_conflict: "refuse", or "new" for the next version while a training of that name runs.
    save_every, sample_every: steps between states and samples; without the first, a state is due every ten minutes.
    keep: the number of states to keep; all by default.
    grace: seconds that the training may take to end after Stop, before it is killed.

    Raises AlreadyRunning while that training runs, and ValueError or TypeError for arguments that cannot be meant. A
    folder that cannot be written is no error: it is said, and the training runs unrecorded.
    """
    _refuse_nonsense(name, resume, on_conflict, grace)
    for what, steps in (("total", total), ("save_every", save_every), ("sample_every", sample_every), ("keep", keep)):
        _refuse_count(what, steps)
    settings = _settings(config)
    root = _absolute(os.fspath(outputs) if outputs is not None else os.environ.get("TRACKSIDE_OUTPUTS") or "outputs")
    wish = Wish(name, settings, os.fspath(dataset) if dataset else None, root, resume, on_conflict, float(grace))
    rank = ranks.rank()
    writes = rank == 0 and not ranks.is_worker()
    if ranks.is_worker():
        warn_once(f"{name} is not recorded from a process of multiprocessing: call track in the one that starts it")
    try:
        found = _place(wish, writes)
    except (AlreadyRunning, ValueError):
        raise
    except Exception as error:
        warn_once(f"{name} cannot be recorded in {root}", error)
        found = None
    writer = Writer(name, found, writes=writes, world=ranks.world(), grace=wish.grace)
    run = Run(writer, config=settings, total=total, save_every=save_every, sample_every=sample_every, keep=keep)
    if writes and found:
        kind = f", on from step {run.first_step}" if run.resume_from else ""
        writer.say(f"trackside: {os.path.basename(found.folder)}{kind}, recorded in {found.folder}")
        if not sys.platform.startswith("linux"):
            writer.say("trackside: this is no Linux, so a page here cannot tell whether the training lives.")
    return run


def _place(wish: Wish, writes: bool) -> Place | None:
    started_by_page = place.of_runner(writes or ranks.is_worker())
    if started_by_page:
        return started_by_page
    if ranks.is_worker():
        return None
    if not writes:
        return place.of_other_rank(wish)
    if is_notebook():
        _finish_earlier_cell(wish)
    return place.by_hand(wish)


def _finish_earlier_cell(wish: Wish) -> None:
    base = session.slug(wish.name)
    for version in session.versions(wish.outputs, base):
        finish_of(os.path.join(wish.outputs, session.version_folder(base, version)))


def _refuse_nonsense(name: str, resume: str, on_conflict: str, grace: float) -> None:
    if not isinstance(name, str):
        raise TypeError(f"track({name!r}): the name has to be a text.")
    session.slug(name)
    if resume not in ("auto", "must", "never"):
        raise ValueError(f"resume={resume!r}: it has to be 'auto', 'must' or 'never'.")
    if on_conflict not in ("refuse", "new"):
        raise ValueError(f"on_conflict={on_conflict!r}: it has to be 'refuse' or 'new'.")
    if not 0 <= grace <= 24 * 3600:
        raise ValueError(f"grace={grace!r}: it has to be a number of seconds, at most a day.")


def _refuse_count(what: str, count: Any) -> None:
    if count is None:
        return
    if not hasattr(type(count), "__index__"):
        if not (isinstance(count, float) and count.is_integer()):
            raise TypeError(f"{what}={count!r}: it has to be a whole number.")
    if count < 0:
        raise ValueError(f"{what}={count!r}: it has to be a whole number, not below 0.")


def _absolute(path: str) -> str:
    """As it is where the working folder is gone: then the folder is found to be unwritable, and no error."""
    try:
        return os.path.abspath(path)
    except OSError:
        return path


def _settings(config: Any) -> dict[str, Any]:
    if config is None:
        return {}
    if isinstance(config, Mapping):
        return {str(name): value for name, value in config.items()}
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        return {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    try:
        return dict(vars(config))
    except TypeError:
        raise TypeError(
            f"config has to be a mapping, a Namespace or a dataclass, not {type(config).__name__}."
        ) from None
