"""A tracker for accelerate: `Accelerator(log_with=…)`."""

from __future__ import annotations

from typing import Any

from accelerate import tracking
from accelerate.tracking import GeneralTracker

from trackside._track.run import Run
from trackside._track.track import track


class AccelerateTracker(GeneralTracker):  # type: ignore[misc]
    """Logs into a session what `accelerator.log` gets.

    >>> trackside.AccelerateTracker.register()             # accelerate 1.15 and newer
    >>> accelerator = Accelerator(log_with="trackside")
    >>> accelerator.init_trackers("my-lora", config=vars(args))

    With an older accelerate: `Accelerator(log_with=trackside.AccelerateTracker("my-lora"))`. `options` are those of
    `trackside.track`. `accelerator.get_tracker("trackside").run` is the run, with Stop, states and samples.
    """

    name = "trackside"
    requires_logging_directory = False
    main_process_only = False

    def __init__(self, run_name: str, logging_dir: str | None = None, **options: Any) -> None:
        self.run_name, self._options = run_name, options
        self._run: Run | None = None
        super().__init__()

    @classmethod
    def register(cls) -> bool:
        """Makes `log_with="trackside"` work. False with an accelerate that cannot: give it an instance."""
        known = getattr(tracking, "register_tracker_class", None)
        if known is None:
            return False
        if "trackside" not in getattr(tracking, "LOGGER_TYPE_TO_CLASS", {}):
            known(cls)
        return True

    def start(self) -> None:
        """Begins the run, if nothing has."""
        _ = self.run

    @property
    def run(self) -> Run:
        if self._run is None:
            self._run = track(self.run_name, **self._options)
        return self._run

    @property
    def tracker(self) -> Run:
        return self.run

    def store_init_configuration(self, values: dict[str, Any]) -> None:
        self.run._record_config(values)

    def log(self, values: dict[str, Any], step: int | None = None, **more: Any) -> None:
        self.run.log(values, step=step)

    def log_images(self, values: dict[str, Any], step: int | None = None, **more: Any) -> None:
        for name, pictures in values.items():
            for picture in pictures:
                self.run.sample(picture, prompt=name, step=step)

    def finish(self) -> None:
        self.run.finish()
