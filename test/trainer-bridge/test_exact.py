"""`trackside.exact` on a small stand-in of torch, accelerate and sd-scripts' loop (exact/README.md)."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
STARTER = HERE.parent.parent / "trainer-bridge" / "trackside" / "exact.py"
SCRIPT = HERE / "exact" / "checkout" / "train_network.py"
PAUSED = 75
WORKERS = ["--max_data_loader_n_workers=2"]
KEPT = [*WORKERS, "--persistent_data_loader_workers"]


def environment(packages: Path = HERE / "exact" / "packages", **more: str) -> dict[str, str]:
    numpy = HERE.parent.parent / ".cache" / "python"
    return {**os.environ, "PYTHONPATH": f"{packages}:{numpy}", "PYTHONDONTWRITEBYTECODE": "1", **more}


def start(folder: Path, *flags: str, starter: bool = True, **more: str) -> subprocess.Popen[str]:
    begin = [str(STARTER), "--cpu"] if starter else []
    command = [sys.executable, *begin, str(SCRIPT), f"--output_dir={folder}", "--output_name=cat", *flags]
    return subprocess.Popen(
        command, env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def train(folder: Path, *flags: str, starter: bool = True) -> tuple[int, str]:
    process = start(folder, *flags, starter=starter)
    said, _ = process.communicate(timeout=60)
    return process.returncode, said


def chain(folder: Path, steps: list[int], *flags: str) -> None:
    """Pauses by SIGTERM in each of these steps, and goes on."""
    resume: list[str] = []
    for step in steps:
        code, said = train(folder, *flags, *resume, f"--term_after={step}")
        assert code == PAUSED, said
        assert f"paused at step {step}:" in said, said
        resume = ["--resume", str(folder / f"cat-step{step:08d}-state")]
    code, said = train(folder, *flags, *resume)
    assert code == 0, said
    assert not steps or f"goes on exactly after step {steps[-1]}" in said, said


def equal(a: Path, b: Path) -> None:
    assert (a / "points.txt").read_text() == (b / "points.txt").read_text()
    assert (a / "cat.safetensors").read_text() == (b / "cat.safetensors").read_text()


@pytest.mark.parametrize(
    ("flags", "steps"),
    [
        ([], [3, 7, 8]),
        (WORKERS, [1, 4, 5, 14]),
        (KEPT, [2, 7, 8, 15]),
        ([*KEPT, "--gradient_accumulation_steps=3", "--save_state"], [1, 2, 3, 7]),
    ],
)
def test_a_training_paused_at_steps_goes_on_bit_for_bit(tmp_path: Path, flags: list[str], steps: list[int]) -> None:
    assert train(tmp_path / "whole", *flags)[0] == 0
    chain(tmp_path / "paused", steps, *flags)
    equal(tmp_path / "whole", tmp_path / "paused")
    # Each pause's state went once the next one was whole.
    left = [path.name for path in (tmp_path / "paused").glob("*step*-state")]
    assert left == ([] if "--save_state" in flags else [f"cat-step{steps[-1]:08d}-state"])
    assert not list((tmp_path / "paused").glob(".*"))


def test_the_starter_changes_nothing_of_what_is_trained(tmp_path: Path) -> None:
    """Without rich, whose log records draw from Python's generator."""
    packages = tmp_path / "packages"
    shutil.copytree(HERE / "exact" / "packages", packages)
    (packages / "rich" / "style.py").write_text("randint = None\ndef link(): pass\n")
    for name, starter in (("plain", False), ("exact", True)):
        begin = [str(STARTER), "--cpu"] if starter else []
        command = [
            sys.executable,
            *begin,
            str(SCRIPT),
            f"--output_dir={tmp_path / name}",
            "--output_name=cat",
            *WORKERS,
        ]
        subprocess.run(command, env=environment(packages), check=True, timeout=60, capture_output=True)
    equal(tmp_path / "plain", tmp_path / "exact")


def test_a_state_that_the_trainer_saves_by_itself_is_gone_on_with_exactly_after_a_kill(tmp_path: Path) -> None:
    flags = [*KEPT, "--save_every_n_steps=4", "--save_state"]
    assert train(tmp_path / "whole", *flags)[0] == 0
    killed = tmp_path / "killed"
    assert train(killed, *flags, "--kill_after=10")[0] == -signal.SIGKILL
    points = (killed / "points.txt").read_text().splitlines(keepends=True)
    (killed / "points.txt").write_text("".join(points[:8]))
    code, said = train(killed, *flags, "--resume", str(killed / "cat-step00000008-state"), "--initial_epoch=2")
    assert code == 0 and "goes on exactly after step 8, in epoch 2" in said, said
    equal(tmp_path / "whole", killed)
    (whole, again) = (tmp_path / "whole", killed)
    assert {path.name for path in whole.iterdir()} == {path.name for path in again.iterdir()}


@pytest.mark.parametrize("flags", [[], WORKERS, KEPT, ["--gradient_accumulation_steps=3"]])
def test_the_last_state_goes_on_with_more_epochs_as_if_they_had_been_asked_for(
    tmp_path: Path, flags: list[str]
) -> None:
    flags = [*flags, "--save_state"]
    longer, further = tmp_path / "longer", tmp_path / "further"
    assert train(longer, *flags, "--max_train_epochs=4")[0] == 0
    assert train(further, *flags, "--max_train_epochs=2")[0] == 0
    resume = ["--resume", str(further / "cat-state"), "--initial_epoch=3"]
    code, said = train(further, *flags, "--max_train_epochs=4", *resume)
    assert code == 0 and "goes on exactly after step" in said, said
    equal(longer, further)


def test_a_training_that_was_finished_early_goes_on_with_its_next_step(tmp_path: Path) -> None:
    flags = ["--save_state", "--step_seconds=0.02"]
    longer, further = tmp_path / "longer", tmp_path / "further"
    assert train(longer, *flags)[0] == 0
    process = start(further, *flags, TRACKSIDE_SESSION=str(further), TRACKSIDE_ATTEMPT="a")
    wait_for(lambda: (further / "points.txt").exists() and (further / "points.txt").read_text())
    (further / ".attempt.json.ask").write_text(json.dumps({"attempt": "a", "verb": "finish"}))
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "finishing at step" in said, said
    step = json.loads((further / "cat-state" / "exact_0.json").read_text())["step"]
    assert 0 < step < 21
    code, said = train(further, *flags, "--resume", str(further / "cat-state"))
    assert code == 0 and f"goes on exactly after step {step}, " in said, said
    equal(longer, further)


def test_a_state_is_gone_on_with_plainly_and_the_difference_is_said(tmp_path: Path) -> None:
    assert train(tmp_path, "--term_after=9")[0] == PAUSED
    resume = ["--resume", str(tmp_path / "cat-step00000009-state"), "--initial_epoch=2"]
    code, said = train(tmp_path, *resume, *WORKERS)
    assert code == 0 and "not exactly: 0 workers loaded the pictures, now 2 do. Goes on plainly after step 7" in said, (
        said
    )
    code, said = train(tmp_path, *resume, "--pictures=8")
    assert "not exactly: the pictures, their captions or their repeats differ" in said, said
    (tmp_path / "cat-step00000009-state" / "exact_0.json").write_text('{"format": 1')
    code, said = train(tmp_path, *resume)
    assert code == 0 and "not exactly: the state has none of what that needs" in said, said


def test_nothing_is_saved_while_nothing_is_trained_and_the_earlier_state_is_named(tmp_path: Path) -> None:
    for resume, words in (
        ([], "no step was trained"),
        (["--resume", "some-state"], "some-state is still the newest state"),
    ):
        folder = tmp_path / "cat"
        process = start(folder, "--loading_seconds=30", *resume)
        wait_for(folder.is_dir)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=20)
        assert process.returncode == PAUSED and words in said, said
        assert not list(folder.iterdir())
        folder.rmdir()


def test_samples_are_cut_short_by_a_pause_and_the_rest_is_equal(tmp_path: Path) -> None:
    flags = ["--sample_every_n_steps=4"]
    assert train(tmp_path / "whole", *flags)[0] == 0
    paused = tmp_path / "paused"
    process = start(paused, *flags, "--sample_seconds=60", "--term_after=4")
    said, _ = process.communicate(timeout=20)
    assert process.returncode == PAUSED and "paused at step 4" in said, said
    assert train(paused, *flags, "--resume", str(paused / "cat-step00000004-state"))[0] == 0
    equal(tmp_path / "whole", paused)
    assert not (paused / "sample_000004.png").exists()


def test_save_sample_and_finish_are_asked_for_by_a_file_and_change_nothing(tmp_path: Path) -> None:
    assert train(tmp_path / "whole")[0] == 0
    folder = tmp_path / "asked"
    folder.mkdir()
    process = start(
        folder, "--step_seconds=0.1", "--sample_prompts=x", TRACKSIDE_SESSION=str(folder), TRACKSIDE_ATTEMPT="a1"
    )
    for number, verb in enumerate(("save", "sample")):
        (folder / ".attempt.json.ask").write_text(json.dumps({"attempt": "a1", "verb": verb, "asked": number}))
        pattern = "cat-step*.safetensors" if verb == "save" else "sample_*.png"
        wait_for(lambda pattern=pattern: list(folder.glob(pattern)))  # type: ignore[misc]
    # Whoever stops it waits for a state of 100 MB with AdamW's two moments, on a slow volume too.
    assert json.loads((folder / ".attempt.json.tracked").read_text())["stop_grace"] >= 15 + 30
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    equal(tmp_path / "whole", folder)
    (state,) = folder.glob("cat-step*-state")
    step = int(state.name[8:16])
    # What was saved goes on exactly, and "finish" at that step leaves the same weights.
    again = tmp_path / "again"
    shutil.copytree(folder, again)
    (again / "points.txt").write_text("".join((folder / "points.txt").read_text().splitlines(keepends=True)[:step]))
    assert train(again, "--resume", str(again / state.name))[0] == 0
    equal(tmp_path / "whole", again)
    finished = start(
        again,
        "--step_seconds=0.2",
        "--resume",
        str(again / state.name),
        TRACKSIDE_SESSION=str(again),
        TRACKSIDE_ATTEMPT="a2",
    )
    (again / ".attempt.json.ask").write_text(json.dumps({"attempt": "a2", "verb": "finish"}))
    said, _ = finished.communicate(timeout=30)
    assert finished.returncode == 0 and "finishing at step" in said, said
    assert json.loads((again / "cat.safetensors").read_text())["steps"] == int(
        said.split("finishing at step ")[1].split()[0]
    )


def test_a_signal_to_the_whole_group_spares_the_workers_and_pauses(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(STARTER),
        "--cpu",
        str(SCRIPT),
        f"--output_dir={tmp_path}",
        "--output_name=cat",
        *KEPT,
    ]
    process = subprocess.Popen(
        [*command, "--step_seconds=0.1"], env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(lambda: (tmp_path / "points.txt").exists() and (tmp_path / "points.txt").read_text())
    os.killpg(process.pid, signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == PAUSED and "paused at step" in said, said


def test_a_missing_name_trains_plainly_and_is_named(tmp_path: Path) -> None:
    for change, words in (
        (("accelerate/data_loader.py", "def end(", "def ended("), "DataLoaderShard has no end here"),
        (("rich/style.py", "randint", "draw"), "rich.style has no randint here"),
    ):
        packages = tmp_path / words.split()[0]
        shutil.copytree(HERE / "exact" / "packages", packages)
        name, old, new = change
        text = (packages / name).read_text().replace(old, new).replace("self.end()", f"self.{new[4:-1]}()")
        (packages / name).write_text(text.replace("import draw", "import randint as draw"))
        command = [
            sys.executable,
            str(STARTER),
            "--cpu",
            str(SCRIPT),
            f"--output_dir={tmp_path / 'out'}",
            "--output_name=cat",
        ]
        done = subprocess.run(command, env=environment(packages), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and f"exact pause not available: {words}" in done.stdout, done.stdout + done.stderr
    script = tmp_path / "train_network.py"
    script.write_text(SCRIPT.read_text().replace("progress_bar", "bar"))
    command = [
        sys.executable,
        str(STARTER),
        "--cpu",
        str(script),
        f"--output_dir={tmp_path / 'out2'}",
        "--output_name=cat",
    ]
    done = subprocess.run([*command, "--term_after=5"], env=environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGTERM
    assert "exact pause not available: the script has no progress_bar" in done.stdout


def test_a_full_disk_in_a_pause_is_said_and_the_training_goes_on(tmp_path: Path) -> None:
    whole, full = tmp_path / "whole", tmp_path / "full"
    assert train(whole)[0] == 0
    full.mkdir()
    # As a full disk: the folder of the state cannot be made.
    (full / ".cat-step00000004-state.making").write_text("")
    code, said = train(full, "--term_after=4")
    assert code == 0 and "could not pause at step 4: File exists. The training goes on" in said, said
    equal(whole, full)


def test_a_signal_whose_pause_failed_asks_again_until_there_is_room(tmp_path: Path) -> None:
    in_the_way = [tmp_path / f".cat-step{step:08d}-state.making" for step in range(60)]
    for path in in_the_way:
        path.write_text("")
    process = start(tmp_path, "--step_seconds=0.2", "--term_after=4")
    said = ""
    for line in process.stdout or ():
        said += line
        if "could not pause" in line:
            for path in in_the_way:
                path.unlink(missing_ok=True)
    assert process.wait(timeout=60) == PAUSED, said
    assert said.count("could not pause") == 1 and "paused at step" in said, said


def test_what_a_pause_left_that_was_killed_is_removed_by_the_next_start(tmp_path: Path) -> None:
    halves = [".cat-step00000003-state.making", ".cat-step00000002-state.replaced", ".dog-step00000003-state.making"]
    for name in (*halves, "cat-step00000002-state", ".cat-step00000004-state.replaced"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_text("half")
    assert train(tmp_path, "--max_train_epochs=1")[0] == 0
    assert [path.name for path in tmp_path.glob(".*")] == [".dog-step00000003-state.making"]
    states = ["cat-step00000002-state", "cat-step00000004-state"]
    assert sorted(path.name for path in tmp_path.glob("cat*-state")) == states


def wait_for(found: object, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not found():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_random_chains_of_pauses_are_equal(tmp_path: Path) -> None:
    """More of them: EXACT_CHAINS=100, EXACT_SEED=7."""
    seed = int(os.environ.get("EXACT_SEED", "0")) or random.SystemRandom().randint(1, 10**6)
    chance = random.Random(seed)
    print("EXACT_SEED", seed)
    for number in range(int(os.environ.get("EXACT_CHAINS", "1"))):
        flags = chance.choice([[], WORKERS, KEPT, [*KEPT, "--max_data_loader_n_workers=3"]])
        flags = [
            *flags,
            f"--gradient_accumulation_steps={chance.choice([1, 1, 2, 3])}",
            *chance.choice([[], ["--save_state"]]),
        ]
        whole = tmp_path / f"whole{number}"
        assert train(whole, *flags)[0] == 0
        last = int((whole / "points.txt").read_text().split("\n")[-2].split()[0])
        chain(
            tmp_path / f"paused{number}",
            sorted(chance.sample(range(1, last), min(last - 1, chance.randint(1, 4)))),
            *flags,
        )
        equal(whole, tmp_path / f"paused{number}")
