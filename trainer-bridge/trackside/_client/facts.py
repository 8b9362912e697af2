"""What a Trackside answers, by the names of its openapi.json. More fields may come; these stay.

Times are ISO 8601 in UTC, sizes bytes, durations seconds. Steps and epochs count over all attempts of a session; None is
unknown.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Status = Literal["draft", "pending", "starting", "running", "stopping", "stopped", "completed", "failed"]


class Progress(TypedDict):
    """How far a training is."""

    phase: str | None
    step: int | None
    total_steps: int | None
    epoch: int | None
    epochs: int | None
    percent: float | None
    loss: float | Literal["nan"] | None
    seconds_per_step: float | None
    eta_seconds: float | None
    eta_guessed: bool
    updated_at: str | None


class Attempt(TypedDict):
    """One start, resume or relaunch of a trainer."""

    number: int
    kind: Literal["start", "resume", "relaunch"]
    started_at: str
    ended_at: str | None
    pid: int | None
    alive: bool
    resumed_from: str | None
    first_epoch: int
    step_offset: int
    exit_code: int | None
    signal: str | None
    reason: str | None
    reason_code: str | None


class Resume(TypedDict):
    """The state that a resume would go on from."""

    state: str
    epoch: int
    step: int


class State(TypedDict):
    """A folder that a training can be resumed from."""

    name: str
    path: str
    epoch: int | None
    step: int | None
    bytes: int
    saved_at: str
    complete: bool
    reason: str | None


class Checkpoint(TypedDict):
    """A file of weights."""

    name: str
    path: str
    kind: Literal["epoch", "step", "final", "other"]
    epoch: int | None
    step: int | None
    bytes: int
    saved_at: str


class Metric(TypedDict):
    """A value that a training reported: `wall_time` in seconds since 1970."""

    tag: str
    step: int
    value: float | None
    attempt: int
    wall_time: float


class Session(TypedDict):
    """A training with its settings, attempts and files."""

    name: str
    lora_name: str
    version: int
    trainer: str | None
    status: Status
    interrupted: bool
    reason: str | None
    reason_code: str | None
    description: str
    notes: str
    output_path: str
    dataset_path: str | None
    log_path: str
    final_checkpoint: str | None
    timestamp: float | None
    created_at: str
    completed_at: str | None
    progress: Progress
    attempts: list[Attempt]
    resume: Resume | None
    settings: dict[str, Any]
