"""Where a tracked training writes: the session that the page started, or one of its own by name."""

from __future__ import annotations

import os
import time
from typing import Any, NamedTuple

from trackside._attempt import contract, processes, regular
from trackside._attempt import record as attempt_file
from trackside._track import owner, ranks, session, states
from trackside._track.launcher import find_start, start_of, without_secrets
from trackside._track.owner import Held, Owner
from trackside._track.settings import settings_of

TRAINER = "tracked"


class AlreadyRunning(RuntimeError):
    """A training of this name is running; nothing was changed. `on_conflict="new"` makes the next version instead."""


class Place(NamedTuple):
    """`owner` is None inside an attempt that a runner holds, and on ranks that write nothing."""

    folder: str
    attempt: str
    number: int
    owner: Owner | None
    resumed: states.State | None


class Wish(NamedTuple):
    """What `track` was asked for."""

    name: str
    config: dict[str, Any]
    dataset: str | None
    outputs: str
    resume: str
    on_conflict: str
    grace: float


def of_runner(writes: bool) -> Place | None:
    """The session that the page started this process for; None for any other process. All ranks of it are in there, and
    one of them `writes`."""
    folder, attempt = os.environ.get(contract.SESSION), os.environ.get(contract.MARK)
    if not folder or not attempt:
        return None
    record = _load(folder)
    if record.get("id") != attempt or record.get("ended_at") or (writes and _is_taken(folder, attempt)):
        return None
    resume = os.environ.get(contract.RESUME)
    return Place(folder, attempt, int(str(record["number"])), None, states.read(resume) if resume else None)


def by_hand(wish: Wish) -> Place:
    """Takes the session of that name: goes on with an unfinished one, begins a new version of a completed one.

    Raises AlreadyRunning, ValueError, and OSError for a folder that cannot be written.
    """
    base = session.slug(wish.name)
    os.makedirs(wish.outputs, exist_ok=True)
    version = max(session.versions(wish.outputs, base), default=1)
    if _is_over(os.path.join(wish.outputs, session.version_folder(base, version)), wish.resume):
        version += 1
    while True:
        folder = os.path.join(wish.outputs, session.version_folder(base, version))
        try:
            return _take(wish, folder, version)
        except Held as held:
            if wish.on_conflict != "new":
                raise AlreadyRunning(
                    f"{os.path.basename(folder)} is already training. {held} Nothing was changed. Stop it first, or use "
                    'track(…, on_conflict="new") for the next version.'
                ) from None
            version += 1


def of_other_rank(wish: Wish) -> Place | None:
    """Where rank 0 writes: this rank reads the same state, and writes nothing. None when it cannot be found."""
    base, deadline = session.slug(wish.name), time.monotonic() + 10
    group = ranks.group(find_start().pid)
    while True:
        for version in reversed(session.versions(wish.outputs, base) or [1]):
            folder = os.path.join(wish.outputs, session.version_folder(base, version))
            record = _load(folder)
            if record and not record.get("ended_at") and _group_of(folder) == group:
                return Place(
                    folder, str(record["id"]), 0, None, states.newest(folder) if wish.resume != "never" else None
                )
        if time.monotonic() > deadline:
            return None
        time.sleep(0.05)


def _take(wish: Wish, folder: str, version: int) -> Place:
    os.makedirs(folder, exist_ok=True)
    before = session.read(folder) or {}
    last = session.attempts(before)[-1:]
    resumed = states.newest(folder) if wish.resume != "never" else None
    if wish.resume == "must" and resumed is None:
        raise ValueError(f"{folder} holds no whole state to resume from, and resume is 'must'.")
    kind = "resume" if resumed else "relaunch" if last else "start"
    earlier = _load(folder)
    number = max(attempt_file.number_of(each) for each in [*session.attempts(before), earlier]) + 1
    start, line = start_of(wish.name)
    if not before:  # before the attempt is there to see: a sidecar asks the record how to read it
        session.edit(folder, lambda record: record.update(lora_name=wish.name, trainer=TRAINER, version=version))
    held = Owner(folder, number, kind, start, without_secrets(start.argv), wish.grace)
    place = Place(folder, held.id, number, held, resumed)
    try:
        states.remove_unfinished(folder)
        owner.write_launch(folder, wish.name, start, line)
        owner.write_tracked(folder, held.id, wish.grace, os.getpid())
        session.edit(folder, lambda record: _begin(record, wish, place, kind, version, earlier))
    except BaseException:
        held.let_go()
        raise
    return place


def _begin(
    record: session.Record, wish: Wish, place: Place, kind: str, version: int, earlier: dict[str, object]
) -> None:
    """Writes the new attempt into ui_state.json, and the end of the last one, if no sidecar has done so."""
    assert place.owner
    own = place.owner.record
    for each in session.attempts(record)[-1:]:
        _settle(each, earlier, record.get("error"))
    record.setdefault("lora_name", wish.name)
    record.setdefault("version", version)
    record.setdefault("schema_version", 1)
    record.setdefault("created_at", own["started_at"])
    record.setdefault("enable_checkpointing", True)
    record.update(trainer=TRAINER, status="running", arguments=settings_of(wish.config))
    if kind != "resume" or "timestamp" not in record:
        record["timestamp"] = time.time()
    if wish.dataset:
        dataset = record.get("dataset")
        record["dataset"] = {**(dataset if isinstance(dataset, dict) else {}), "path": os.path.abspath(wish.dataset)}
    for stale in ("error", "completed_at", "status_found"):
        record.pop(stale, None)
    step = place.resumed.step if place.resumed else 0
    entry = {name: own[name] for name in ("number", "kind", "id", "started_at", "argv", "cwd", "log_start")}
    job = {"launcher": "local", "attempt": place.attempt, "id": str(own["pid"]), "cluster": None}
    resumed_from = place.resumed.path if place.resumed else None
    entry.update(resumed_from=resumed_from, first_epoch=1, step_offset=step, begun_step=step, job=job)
    record["attempts"] = [*session.attempts(record), entry]


def _settle(entry: session.Record, ended: dict[str, object], error: object) -> None:
    """Writes down how the last attempt ended; `error` is what it said itself, as nobody reads its log any more."""
    if entry.get("outcome"):
        return
    if ended.get("id") == entry.get("id") and ended.get("ended_at"):
        code = ended.get("exit_code")
        stopped = ended.get("stop_signal")
        entry["outcome"] = "stopped" if stopped else "completed" if code == 0 else "failed"
        failed = f"The trainer stopped with an error: {error}" if error else f"Ended with exit code {code}."
        entry["reason"] = f"Stopped by {stopped}." if stopped else None if code == 0 else failed
        entry.update({name: ended.get(name) for name in ("exit_code", "signal", "ended_at", "log_end")})
    else:
        entry["outcome"] = "interrupted"
        entry["reason"] = "Its process, or the pod, disappeared during the training."


def _is_over(folder: str, resume: str) -> bool:
    """Is a new version due: the last one is complete, is not to be gone on with, or is another trainer's?"""
    record = session.read(folder)
    if not record:
        return False
    if not _is_of_ours(record.get("trainer")):
        return True
    if not session.attempts(record):
        return False
    if resume == "never":
        return True
    last = session.attempts(record)[-1]
    ended = _load(folder)
    by_itself = ended.get("id") == last.get("id") and ended.get("exit_code") == 0 and not ended.get("stop_signal")
    return last.get("outcome") == "completed" or (
        not last.get("outcome") and by_itself and record.get("status") == "completed"
    )


def _is_of_ours(trainer: object) -> bool:
    """A script's, or of nobody yet (sidecar/trainers/dialects.ts); the settings of others must not be written over."""
    return trainer in (None, TRAINER) or str(trainer).startswith("script/")


def _is_taken(folder: str, attempt: str) -> bool:
    """Has another process of this attempt called `track` before us, and does it live?"""
    try:
        told: Any = regular.parse_json(regular.read_text(os.path.join(folder, owner.TRACKED)))
        process = processes.read(int(told["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False
    ours = told.get("id") == attempt and process is not None and process.start_ticks == told.get("start_ticks")
    return ours and process is not None and process.pid != os.getpid()


def _group_of(folder: str) -> str | None:
    try:
        told: Any = regular.parse_json(regular.read_text(os.path.join(folder, owner.LAUNCH)))
        group: str | None = told.get("group")
    except (OSError, ValueError, AttributeError):
        return None
    return group


def _load(folder: str) -> dict[str, object]:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return {}
    try:
        return attempt_file.load(descriptor) or {}
    finally:
        os.close(descriptor)
