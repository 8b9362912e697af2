"""The client: each method is one request to a Trackside."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit, urlunsplit

if TYPE_CHECKING:
    from trackside._client.facts import Checkpoint, Metric, Session, State

# A start reads all pictures and imports the trainer's packages.
_PATIENCE_SECONDS = 180.0
_ALIVE = ("pending", "starting", "running", "stopping")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A Trackside redirects no program. Another site would be sent the token."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


class ApiError(Exception):
    """A refusal, with its stable `code` (`already_running`, `no_session`, …) and HTTP `status`; 0 where nothing answered."""

    def __init__(self, code: str, message: str, status: int, field: str | None = None) -> None:
        super().__init__(message)
        self.code, self.status, self.field = code, status, field


def connect(url: str, token: str | None = None) -> Client:
    """Connects to a Trackside, here or on a pod. Raises ApiError where none answers, or it does not accept the token.

    >>> pod = trackside.connect("https://…-7860.proxy.runpod.net", token="…")
    >>> [each["name"] for each in pod.sessions() if each["status"] == "failed"]

    url: as `trackside serve` prints it; it may hold the token.
    token: by default TRACKSIDE_TOKEN.
    """
    client = Client(url, token)
    client.request("GET", "disk")
    return client


class Client:
    """A Trackside: `trackside.connect` makes one. Every method raises ApiError where it is refused."""

    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        shown = parse_qs(parts.query).get("token", [""])[0]
        self.url = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + "/", "", ""))
        """The address, without the token."""
        self._token = token or shown or os.environ.get("TRACKSIDE_TOKEN", "")

    def __repr__(self) -> str:
        return f"trackside.connect({self.url!r})"

    def sessions(self, search: str = "") -> list[Session]:
        """All sessions, running first, then newest; or those that contain every word of `search`."""
        return cast("list[Session]", self.request("GET", "sessions", query={"q": search}))

    def session(self, name: str) -> Session:
        """One session."""
        return cast("Session", self.request("GET", _address(name)))

    def create(self, lora_name: str, *, start: bool = False, **settings: Any) -> Session:
        """Makes a session, and starts it if asked to; settings by the names of `ui_state.json`, `trainer` and `dataset`.

        >>> pod.create("my cat", dataset="cat", trainer="sd-scripts/flux", max_train_epochs=12, start=True)
        """
        body = {**settings, "lora_name": lora_name, "start": start}
        return cast("Session", self.request("POST", "sessions", body))

    def change(self, name: str, **fields: Any) -> Session:
        """Changes description, notes or auto-resume (`enable_monitoring`); of a draft its settings too."""
        return cast("Session", self.request("PATCH", _address(name), fields))

    def delete(self, name: str) -> None:
        """Deletes a session with its output folder. The dataset stays."""
        self.request("DELETE", _address(name))

    def start(self, name: str) -> Session:
        """Starts a draft. Returns when its trainer runs."""
        return self._begin(name, {"kind": "start"})

    def resume(self, name: str, *, state: str | None = None, epochs: int | None = None) -> Session:
        """Resumes from the newest whole state, or another one of `states`. `epochs` in all, to train further."""
        return self._begin(name, {"kind": "resume", "state": state, "max_train_epochs": epochs})

    def relaunch(self, name: str) -> Session:
        """Starts over. What that would overwrite is moved to `earlier/`."""
        return self._begin(name, {"kind": "relaunch"})

    def _begin(self, name: str, asked: dict[str, Any]) -> Session:
        return cast("Session", self.request("POST", f"{_address(name)}/attempts", asked)["session"])

    def stop(self, name: str, *, after_save: bool = False) -> Session:
        """Asks a training to stop; `wait` returns once it has."""
        when = "after-save" if after_save else "now"
        return cast("Session", self.request("DELETE", f"{_address(name)}/attempts/current", query={"when": when}))

    def wait(self, name: str, *, timeout: float | None = None, every: float = 2.0) -> Session:
        """Returns the session once nothing of it runs. Goes on where the network breaks off meanwhile.

        timeout: seconds; raises TimeoutError after them.
        every: seconds between two looks.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                session = self.session(name)
                if session["status"] not in _ALIVE:
                    return session
            except ApiError as error:
                # A proxy answers 502 and the like for a pod that restarts.
                if error.status not in (0, 502, 503, 504):
                    raise
            if end is not None and time.monotonic() >= end:
                raise TimeoutError(f"{name} still runs after {timeout:g} s")
            time.sleep(every)

    def states(self, name: str) -> list[State]:
        """The state folders, newest first."""
        return cast("list[State]", self.request("GET", f"{_address(name)}/states"))

    def checkpoints(self, name: str) -> list[Checkpoint]:
        """The files of weights."""
        return cast("list[Checkpoint]", self.request("GET", f"{_address(name)}/checkpoints"))

    def metrics(self, name: str) -> list[Metric]:
        """Every value that was reported, oldest first."""
        return cast("list[Metric]", self.request("GET", f"{_address(name)}/metrics"))

    def log(self, name: str, *, lines: int = 500) -> str:
        """The last lines of the log."""
        return self._read("GET", f"{_address(name)}/log", query={"tail": str(lines)}).decode("utf-8", "replace")

    def download(self, name: str, checkpoint: str, into: str | os.PathLike[str]) -> str:
        """Downloads a checkpoint, by its `path`, into a folder. Returns the file; no half of one is ever there."""
        os.makedirs(into, exist_ok=True)
        target = os.path.join(os.fspath(into), os.path.basename(checkpoint))
        with self._open("GET", f"{_address(name)}/checkpoints/{quote(checkpoint)}") as answer:
            length = int(answer.headers.get("Content-Length", "0"))
            with tempfile.NamedTemporaryFile(dir=into, suffix=".part", delete=False) as part:
                try:
                    shutil.copyfileobj(answer, part, 1024 * 1024)
                    if part.tell() != length:
                        raise ApiError("cut_off", f"{checkpoint} broke off after {part.tell()} of {length} bytes", 0)
                    os.replace(part.name, target)
                except BaseException:
                    os.unlink(part.name)
                    raise
        return target

    def datasets(self) -> list[dict[str, Any]]:
        """All datasets."""
        return cast("list[dict[str, Any]]", self.request("GET", "datasets"))

    def request(self, method: str, path: str, body: Any = None, *, query: dict[str, str] | None = None) -> Any:
        """Sends any request of the API, and returns the JSON of its answer. `path` has no slash at its beginning."""
        text = self._read(method, path, body, query)
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            raise ApiError("unexpected", f"What answers at {self.url} is no Trackside: {error}", 0) from error

    def _read(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> bytes:
        with self._open(method, path, body, query) as answer:
            try:
                return bytes(answer.read())
            except (OSError, http.client.HTTPException) as error:
                raise ApiError("cut_off", f"The answer broke off: {error}", 0) from error

    def _open(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> Any:
        given = {name: value for name, value in (query or {}).items() if value}
        url = urljoin(self.url, path) + (f"?{urlencode(given)}" if given else "")
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        asked = urllib.request.Request(url, data, headers, method=method)
        try:
            return _OPENER.open(asked, timeout=_PATIENCE_SECONDS)
        except urllib.error.HTTPError as error:
            raise _refusal(error) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise ApiError("unreachable", f"No Trackside answers at {self.url}: {error}", 0) from error


def _address(name: str) -> str:
    return f"sessions/{quote(name, safe='')}"


def _refusal(error: urllib.error.HTTPError) -> ApiError:
    """The answer's own words; or its status, where a proxy answered in its own way."""
    try:
        told = json.loads(error.read())["error"]
        return ApiError(str(told["code"]), str(told["message"]), error.code, told.get("field"))
    except (ValueError, KeyError, TypeError, OSError):
        return ApiError("unexpected", f"The answer was {error.code} {error.reason}", error.code)
