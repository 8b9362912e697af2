"""A notebook: a real kernel of Jupyter, driven as JupyterLab drives it. Without ipykernel its tests are skipped."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

manager = pytest.importorskip("jupyter_client.manager")
pytest.importorskip("ipykernel")
BRIDGE = Path(__file__).resolve().parents[3] / "trainer-bridge"

LOOP = """
with trackside.track("cat", total={total}, save_every=10) as run:
    for step in range(run.first_step, {total}):
        run.log(step=step, loss=1 / (step + 1))
        if run.should_save(step):
            with run.saving_state(step) as folder: open(f"{{folder}}/model", "w").write("weights")
        time.sleep(0.02)
print("from", run.first_step)
"""


class Notebook:
    """One kernel in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {"PRIVATE": str(folder / "private"), "LAUNCHER": "local"}.items():
            monkeypatch.setenv(f"TRACKSIDE_{name}", value)
        monkeypatch.setenv("PYTHONPATH", str(BRIDGE))
        self.folder = folder
        self.kernel = manager.KernelManager()
        self.kernel.start_kernel(cwd=str(folder))
        self.client = self.kernel.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def cell(self, code: str) -> str:
        """Runs a cell; what it shows, as one text."""
        shown: list[str] = []

        def keep(message: dict[str, Any]) -> None:
            content = message["content"]
            shown.append(content.get("text") or content.get("data", {}).get("text/html") or content.get("ename") or "")

        self.client.execute_interactive(f"import time, trackside\n{code}", output_hook=keep, timeout=120)
        return "".join(shown)

    def record(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "outputs" / name / "ui_state.json").read_text())
        return found

    def interrupt_at(self, step: int) -> None:
        metrics = self.folder / "outputs" / "cat" / "metrics.ndjson"
        while not (metrics.exists() and f'"step":{step},' in metrics.read_text()):
            time.sleep(0.02)
        self.kernel.interrupt_kernel()


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    started = Notebook(tmp_path, monkeypatch)
    yield started
    started.client.stop_channels()
    started.kernel.shutdown_kernel(now=True)


def test_an_interrupted_cell_reads_as_stopped_and_the_cell_run_again_goes_on_from_its_state(notebook: Notebook) -> None:
    threading.Thread(target=notebook.interrupt_at, args=(25,)).start()
    assert "KeyboardInterrupt" in notebook.cell(LOOP.format(total=1000))
    assert notebook.record("cat")["status"] == "stopped"
    assert "from 20\n" in notebook.cell(LOOP.format(total=30))
    assert notebook.record("cat")["status"] == "completed"
    start = json.loads((notebook.folder / "outputs" / "cat" / "launch.json").read_text())
    assert (start["why_not"], start["line"]) == ("it ran in a notebook", "trackside.track('cat')")


def test_a_cell_run_anew_takes_over_and_a_restarted_kernel_completes_nothing(notebook: Notebook) -> None:
    once = "run = trackside.track('cat', total=1000); run.log(loss=1.0); print(run.folder)"
    assert str(notebook.folder / "outputs" / "cat") + "\n" in notebook.cell(once)
    assert str(notebook.folder / "outputs" / "cat") + "\n" in notebook.cell(once)
    notebook.kernel.restart_kernel()
    notebook.client.wait_for_ready(timeout=60)
    assert notebook.record("cat")["status"] == "stopped"


def test_a_cell_shows_the_link_or_the_page_which_survives_its_interrupts(notebook: Notebook) -> None:
    shown = notebook.cell("page = trackside.launch(); page.url")
    if "holds no page" in shown:
        pytest.skip("npm run build has not run")
    notebook.cell("time.sleep(0.1)")
    assert "<iframe" in notebook.cell("again = trackside.launch(inline=True); again.url; time.sleep(0.2)")
    threading.Timer(0.5, notebook.kernel.interrupt_kernel).start()
    notebook.cell("time.sleep(30)")
    assert "True True" in notebook.cell("print(page._lives(), again.joined)")
