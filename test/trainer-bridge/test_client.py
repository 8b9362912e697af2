"""The client for Python programs, against a real Trackside and a proxy that fails."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "trainer-bridge"))

from trackside import ApiError, Client, connect  # noqa: E402
from trackside._client import facts  # noqa: E402

TOKEN = "a-token-for-this-test-0123456789"
SETTINGS = {
    "dataset": "example",
    "num_repeats": 1,
    "max_train_epochs": 8,
    "save_every_n_epochs": 1,
    "resolution": 64,
    "sample_prompts": "",
    "sample_every_n_steps": 0,
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("client")
    names = ("OUTPUTS", "DATASETS", "PRIVATE", "MODELS")
    own = {f"TRACKSIDE_{name}": str(place / name.lower()) for name in names}
    # Slow enough to be met while it trains.
    environment = {**os.environ, **own, "TRACKSIDE_TOKEN": TOKEN, "PRACTICE_STEP_SECONDS": "0.05"}
    served = subprocess.Popen(
        ["node", str(ROOT / ".build" / "sidecar" / "main.js"), "serve", "--port", "0"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert served.stdout is not None
        found = re.search(r"http://\S+", served.stdout.readline())
        assert found is not None
        yield found[0]
    finally:
        served.terminate()
        served.wait(20)


def test_a_training_is_made_stopped_resumed_and_its_weights_downloaded(url: str, tmp_path: Path) -> None:
    pod = connect(url, TOKEN)
    made = pod.create("My cat", start=True, **SETTINGS)
    assert made["name"] == "my-cat" and made["status"] in ("starting", "running")
    with pytest.raises(ApiError) as twice:
        pod.resume("my-cat")
    assert (twice.value.code, twice.value.status) == ("already_running", 409)
    pod.stop("my-cat", after_save=True)
    stopped = pod.wait("my-cat", timeout=50, every=0.1)
    assert stopped["status"] == "stopped"
    assert stopped["resume"] is not None and stopped["resume"]["state"] == pod.states("my-cat")[0]["name"]
    pod.resume("my-cat")
    assert pod.wait("my-cat", timeout=50, every=0.1)["status"] == "completed"
    assert {each["tag"] for each in pod.metrics("my-cat")} >= {"loss/average"}
    assert "steps:" in pod.log("my-cat", lines=20)
    final = next(each for each in pod.checkpoints("my-cat") if each["kind"] == "final")
    path = pod.download("my-cat", final["path"], tmp_path / "weights")
    assert os.path.getsize(path) == final["bytes"]
    assert os.listdir(tmp_path / "weights") == ["my-cat.safetensors"]
    assert pod.change("my-cat", notes="good")["notes"] == "good"
    assert [each["name"] for each in pod.sessions("good")] == ["my-cat"]
    pod.delete("my-cat")
    with pytest.raises(ApiError, match=r"no session called my-cat"):
        pod.session("my-cat")


def test_every_typed_fact_is_one_that_the_api_promises(url: str) -> None:
    schemas = connect(f"{url}?token={TOKEN}").request("GET", "openapi.json")["components"]["schemas"]
    names = ("Attempt", "Checkpoint", "Metric", "Progress", "Resume", "Session", "State")
    for name in names:
        typed = set(typing.get_type_hints(getattr(facts, name)))
        assert typed <= set(schemas[name]["required"]), name


def test_a_wrong_token_and_a_wrong_address_are_told_at_once(url: str) -> None:
    with pytest.raises(ApiError) as wrong:
        connect(url, "another-token-0123456789")
    assert (wrong.value.code, wrong.value.status) == ("wrong_token", 401)
    with pytest.raises(ApiError) as nobody:
        connect("http://127.0.0.1:9")
    assert nobody.value.code == "unreachable"


class Proxy(http.server.BaseHTTPRequestHandler):
    """One that answers in its own way at first, or breaks off, and then as the pod does."""

    asked: typing.ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.asked.append(self.headers.get("Authorization"))
        status = {1: 502, 2: 504}.get(len(self.asked), 200)
        if self.path == "/elsewhere":
            status = 302
        body = (
            json.dumps({"name": "a", "status": "completed"}).encode() if status == 200 else b"<html>Bad gateway</html>"
        )
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"http://{self.headers['Host']}/login")
        cut_off = len(self.asked) == 3
        self.send_header("Content-Length", str(len(body) + cut_off))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_a_wait_outlasts_a_proxy_that_fails_and_no_redirect_is_sent_the_token() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = Client(f"127.0.0.1:{server.server_port}", TOKEN)
        assert client.wait("a", timeout=20, every=0.01)["status"] == "completed"
        assert len(Proxy.asked) == 4
        with pytest.raises(ApiError) as sent:
            client.request("GET", "elsewhere")
        assert sent.value.status == 302
        assert len(Proxy.asked) == 5
        server.shutdown()


def test_prometheus_reads_the_metrics_of_a_running_training(url: str) -> None:
    pod = connect(url, TOKEN)
    pod.create('the "quoted" cat\\', start=True, **{**SETTINGS, "max_train_epochs": 500})
    name = pod.sessions()[0]["name"]
    while pod.session(name)["progress"]["loss"] is None:
        pass
    with pod._open("GET", "metrics") as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        families = {each.name: each for each in text_string_to_metric_families(answer.read().decode())}
    pod.stop(name)
    with pytest.raises(ApiError, match="token"):
        Client(url.split("?")[0], "wrong-token-0123456789")._open("GET", "metrics")
    by_status = {each.labels["status"]: each.value for each in families["trackside_sessions"].samples}
    assert by_status["running"] == 1 and len(by_status) == 8
    loss = families["trackside_session_loss"].samples[0]
    assert loss.labels == {"session": name, "lora": 'the "quoted" cat\\'} and 0 < loss.value < 10
    assert families["trackside_disk_free_bytes"].samples[0].value > 0
    for family in families.values():
        assert family.documentation and family.type == "gauge"
        assert re.fullmatch(r"(trackside|process)_[a-z_]+", family.name)
    pod.wait(name, timeout=30, every=0.1)
