"""`trackside.launch`: the page, from inside a Python program or a notebook."""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from trackside._attempt import processes, regular
from trackside._serve.address import free_port, pod_address, pod_environment, ssh_line
from trackside._serve.node import find_node, node_environment, sidecar
from trackside._serve.server import Server

_RETURN_SECONDS = 0.8
# Ports that others took between our look and our listening.
_TRIES = 8
# A page that listens is noted within it.
_NOTE_SECONDS = 0.3


def launch(
    outputs: str | os.PathLike[str] | None = None,
    port: int | None = None,
    host: str | None = None,
    *,
    datasets: str | os.PathLike[str] | None = None,
    models: str | os.PathLike[str] | None = None,
    login: bool = True,
    keep: bool = False,
    inline: bool = False,
    quiet: bool = False,
) -> Server:
    """Serves the page as a process of its own beside this program, and prints the address to open on a laptop.

    >>> page = trackside.launch()
    >>> page.url
    'http://127.0.0.1:7860/?token=…'

    outputs, datasets, models: folders; by default TRACKSIDE_OUTPUTS and so on, else `outputs`, `datasets`, `models` here.
    port: by default the first free one from 7860 on.
    host: the address to listen on; by default this machine's own, and all of them on a pod whose proxy is known.
    login: False asks for no token; only on this machine's own address.
    keep: the page stays when this program ends; else it ends with it, however it ends.
    inline: shows the page in the notebook's cell, instead of a link.
    quiet: prints nothing.

    A page that already serves these outputs is joined. Returns within a second; `url` waits until the page answers.
    Handlers of signals stay as they are. Where no page can be served, `error` says why, and nothing is raised: a training
    that calls this goes on.
    """
    environment = pod_environment()
    place = os.path.abspath(
        os.fspath(outputs) if outputs is not None else os.environ.get("TRACKSIDE_OUTPUTS") or "outputs"
    )
    begun = time.monotonic()
    server = _joined(place) or _started(environment, place, port, host, datasets, models, login, keep)
    server._until(lambda: bool(server._url or server.error), _RETURN_SECONDS - (time.monotonic() - begun))
    if not quiet:
        _tell(server, environment, inline)
    return server


def _joined(outputs: str) -> Server | None:
    """A page of this user that serves these outputs and listens."""
    folder = os.path.join(_private(), "serving")
    try:
        names = os.listdir(folder)
    except OSError:
        return None
    for name in names:
        try:
            note: Any = regular.parse_json(regular.read_text(os.path.join(folder, name)))
            process = processes.read(int(note["pid"]))
            ours = note["outputs"] == os.path.realpath(outputs)
            if not ours or process is None or process.start_ticks != note["start_ticks"]:
                continue
            # Busy as it may be with its first second, the system takes a connection for it at once.
            with socket.create_connection(("127.0.0.1", int(note["port"])), timeout=0.5):
                return Server(joined=(process.pid, str(note["url"]), int(note["port"])))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def _started(
    environment: dict[str, str],
    outputs: str,
    port: int | None,
    host: str | None,
    datasets: Any,
    models: Any,
    login: bool,
    keep: bool,
) -> Server:
    server = Server()
    listen = host or ("0.0.0.0" if login and _is_pod(environment) else "127.0.0.1")
    own = {**environment, **node_environment(outputs)}
    for name, folder in (("DATASETS", datasets), ("MODELS", models)):
        if folder is not None:
            own[f"TRACKSIDE_{name}"] = os.path.abspath(os.fspath(folder))

    def begin() -> None:
        program = [find_node(), sidecar(), "serve", "--host", listen, *([] if login else ["--no-login"])]
        for is_last in (*[False] * _TRIES, True):
            server._port = port if port is not None else free_port(listen, environment)
            why = server._serve([*program, "--port", str(server._port)], own, keep)
            if why is None:
                return
            # Another program was quicker, as the ranks of one training are: perhaps it serves what we would.
            if port is not None or is_last or "already in use" not in why:
                server.error = why
                return
            time.sleep(_NOTE_SECONDS)
            other = _joined(outputs)
            if other:
                return server._become(other)

    server._start(begin)
    atexit.register(server._finish_starting if keep else server.close)
    return server


def _tell(server: Server, environment: dict[str, str], inline: bool) -> None:
    """Shows the address, or why there is none; later, in a thread, where that is not known yet."""
    update = _shown(server, inline) if "ipykernel" in sys.modules else None

    def tell() -> None:
        if server.url is None:
            print(f"trackside: no page is served. {server._why_none}", file=sys.stderr, flush=True)
        elif update is None:
            _tell_address(server, environment)
        if update is not None:
            update()

    if server.error or server._url:
        tell()
    else:
        threading.Thread(target=tell, name="trackside-launch", daemon=True).start()


def _tell_address(server: Server, environment: dict[str, str]) -> None:
    print(f"Trackside is at {server._url}{' (it was served already)' if server.joined else ''}", flush=True)
    if "127.0.0.1" in str(server._url) and server._port and (os.environ.get("SSH_CONNECTION") or _is_pod(environment)):
        print(f"  from a laptop: {ssh_line(environment, server._port)}", flush=True)


def _shown(server: Server, inline: bool) -> Callable[[], None] | None:
    """Makes a place in the notebook's cell; what it returns fills it. None where the notebook cannot show anything."""
    try:
        from IPython.display import HTML, IFrame, display

        place = display(HTML("<p>Trackside starts…</p>"), display_id=True)

        def update() -> None:
            shown = (
                IFrame(server.url, width="100%", height=800) if inline and server.url else HTML(server._repr_html_())
            )
            with contextlib.suppress(Exception):
                place.update(shown)

        return update
    except Exception:
        return None


def _is_pod(environment: dict[str, str]) -> bool:
    return pod_address(environment, 7860) is not None or any(
        name.startswith("VAST_TCP_PORT_78") for name in environment
    )


def _private() -> str:
    """As in sidecar/settings.ts."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.environ.get("TRACKSIDE_PRIVATE") or os.path.join(base, "trackside")
