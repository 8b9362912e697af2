"""The adapters with the real packages, on a CPU. A package that is not installed skips its tests."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

BRIDGE = Path(__file__).resolve().parents[3] / "trainer-bridge"
EXAMPLES = BRIDGE / "examples"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(BRIDGE), "WANDB_MODE": "disabled"}


def run(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )


def stop_at(folder: Path, command: list[str], name: str, step: int) -> int:
    """Runs a training, and asks it to stop once it has logged a step. Returns its exit code."""
    metrics = folder / "outputs" / name / "metrics.ndjson"
    with subprocess.Popen(
        [sys.executable, *command], cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL
    ) as training:
        while training.poll() is None and not (metrics.exists() and f'"step":{step},' in metrics.read_text()):
            time.sleep(0.02)
        training.send_signal(signal.SIGTERM)
        return training.wait(timeout=120)


def record(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "outputs" / name / "ui_state.json").read_text())
    return found


def logged(folder: Path, name: str, metric: str) -> list[int]:
    lines = [json.loads(line) for line in (folder / "outputs" / name / "metrics.ndjson").read_text().splitlines()]
    return [line["step"] for line in lines if metric in line]


def test_transformers_is_stopped_at_a_step_and_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    command = [str(EXAMPLES / "hugging_face_trainer.py"), "--steps", "40"]
    assert stop_at(tmp_path, command, "hugging-face", 10) == 0
    assert record(tmp_path, "hugging-face")["status"] == "stopped"
    done = run(tmp_path, command)
    assert done.returncode == 0, done.stderr
    found = record(tmp_path, "hugging-face")
    assert [each["kind"] for each in found["attempts"]] == ["start", "resume"]
    assert found["status"] == "completed"
    assert found["arguments"]["max_steps"] == 40
    alone = run(tmp_path, [*command, "--name", "alone"])
    assert alone.stdout.splitlines()[-1] == done.stdout.splitlines()[-1]


ACCELERATE = """
import sys, accelerate, trackside
if sys.argv[1] == "name" and trackside.AccelerateTracker.register():
    accelerator = accelerate.Accelerator(cpu=True, log_with="trackside")
else:
    accelerator = accelerate.Accelerator(cpu=True, log_with=trackside.AccelerateTracker("cat"))
accelerator.init_trackers("cat", config={"lr": 0.1})
for step in range(3): accelerator.log({"loss": 1.0 / (step + 1)}, step=step)
accelerator.end_training()
"""


@pytest.mark.parametrize("way", ["name", "instance"])
def test_accelerate_logs_through_its_tracker(tmp_path: Path, way: str) -> None:
    pytest.importorskip("accelerate")
    done = run(tmp_path, ["-c", ACCELERATE, way])
    assert done.returncode == 0, done.stderr
    assert logged(tmp_path, "cat", "loss") == [0, 1, 2]
    assert record(tmp_path, "cat")["arguments"] == {"lr": 0.1}
    assert record(tmp_path, "cat")["status"] == "completed"


LIGHTNING = """
import sys, torch, trackside, lightning.pytorch as pl
class Line(pl.LightningModule):
    def __init__(self): super().__init__(); torch.manual_seed(0); self.layer = torch.nn.Linear(4, 1)
    def training_step(self, batch, index):
        loss = self.layer(batch).pow(2).mean(); self.log("loss", loss)
        if index == int(sys.argv[2]): raise KeyError("mine")
        return loss
    def configure_optimizers(self): return torch.optim.Adam(self.parameters())
logger = trackside.LightningLogger("cat", save_every=10)
trainer = pl.Trainer(accelerator="cpu", max_steps=int(sys.argv[1]), logger=logger, callbacks=[logger.callback()], log_every_n_steps=5,
                     enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False, barebones=False)
data = torch.utils.data.DataLoader(torch.randn(4000, 4, generator=torch.Generator().manual_seed(1)), batch_size=4)
trainer.fit(Line(), data, ckpt_path=logger.ckpt_path)
"""


def test_lightning_is_stopped_resumed_and_its_failure_told(tmp_path: Path) -> None:
    pytest.importorskip("lightning")
    assert stop_at(tmp_path, ["-c", LIGHTNING, "1000000", "-1"], "cat", 20) in (0, 143)
    assert record(tmp_path, "cat")["status"] == "stopped"
    further = str(max(logged(tmp_path, "cat", "loss")) + 50)
    done = run(tmp_path, ["-c", LIGHTNING, further, "-1"])
    assert done.returncode == 0, done.stderr
    found = record(tmp_path, "cat")
    assert ([each["kind"] for each in found["attempts"]], found["status"]) == (["start", "resume"], "completed")
    failed = run(tmp_path, ["-c", LIGHTNING.replace('"cat"', '"dog"'), "50", "7"])
    assert failed.returncode == 1
    assert record(tmp_path, "dog")["error"] == "KeyError: 'mine'"


# All that a process shares, which a package could change: said before and after `import trackside`.
SHARED = """
import atexit, logging, os, signal, sys, threading, warnings
{frameworks}
def shared():
    loggers = [logging.root, *(each for _, each in sorted(logging.root.manager.loggerDict.items()) if isinstance(each, logging.Logger))]
    return {{
        "loggers": [(each.name, each.level, each.propagate, each.disabled, list(map(id, each.handlers)), list(map(id, each.filters))) for each in loggers],
        "logging": (logging.getLoggerClass(), logging.getLogRecordFactory(), logging.raiseExceptions, logging.lastResort, logging.root.manager.disable, logging._srcfile),
        "warnings": (list(warnings.filters), warnings.showwarning, warnings.formatwarning),
        "signals": [signal.getsignal(each) for each in signal.valid_signals()],
        "hooks": (sys.excepthook, sys.unraisablehook, threading.excepthook, sys.displayhook, sys.gettrace(), sys.getprofile()),
        "streams": [(id(each), each.write) for each in (sys.stdout, sys.stderr)],
        "threads": threading.enumerate(),
        "exit": (atexit._ncallbacks(), sys.exit, os._exit),
        "import": (list(sys.path), list(sys.meta_path), list(sys.path_hooks), __import__),
        "environment": dict(os.environ), "folder": os.getcwd(),
    }}
before = shared()
import trackside
{more}
after = shared()
print({{name: (before[name], after[name]) for name in before if before[name] != after[name]}})
"""
FRAMEWORKS = "import accelerate, lightning.pytorch, torch, transformers, transformers.integrations.integration_utils\nfrom transformers import Trainer"


@pytest.mark.parametrize(
    "more",
    [
        "",
        "trackside.track, trackside.launch, trackside.TransformersCallback, trackside.AccelerateTracker, trackside.LightningLogger",
    ],
)
def test_importing_trackside_changes_nothing_that_the_frameworks_share(tmp_path: Path, more: str) -> None:
    for package in ("accelerate", "lightning", "torch", "transformers"):
        pytest.importorskip(package)
    done = run(tmp_path, ["-c", SHARED.format(frameworks=FRAMEWORKS, more=more)])
    assert (done.returncode, done.stdout) == (0, "{}\n"), done.stderr


def test_logging_of_a_trainer_is_the_same_with_trackside_imported(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    program = """
import sys
if sys.argv[1:]: import trackside
import logging, accelerate, transformers
from accelerate import tracking
from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK
print(sorted(INTEGRATION_TO_CALLBACK), sorted(map(str, tracking.LOGGER_TYPE_TO_CLASS)), logging.root.handlers)
"""
    assert run(tmp_path, ["-c", program]).stdout == run(tmp_path, ["-c", program, "with"]).stdout
