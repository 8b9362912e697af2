"""How this training was started, so that the page can start it again: the topmost launcher's command, not this process's."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from typing import NamedTuple

from trackside._attempt import processes

# As in sidecar/security/secretVariables.ts.
# short: the name of a variable or a flag
_SECRET = re.compile(
    r"(?:^|_)(?:\w*TOKEN|API_?KEY|\w*SECRET|SECRET_\w*|\w*PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?"
    r"|(?:ACCESS|PRIVATE|ACCOUNT|ENCRYPTION)_KEY(?:_ID)?|\w*COOKIE)$",
    re.IGNORECASE,
)
# Of a terminal, or of us.
_PASSING = re.compile(
    r"_$|SHLVL$|OLDPWD$|PWD$|TERM|SSH_|TMUX|STY$|WINDOWID$|DISPLAY$|XDG_SESSION|TRACKSIDE_|LS_COLORS$"
)
# A password in an address.
_LOGIN = re.compile(r"://[^/\s@:]{1,200}:[^/\s@]{1,200}@")
_PROGRAMS = re.compile(
    r"(?:accelerate|accelerate-launch|torchrun|deepspeed|mpirun|mpiexec|horovodrun|uv|poetry|pipenv|conda|mamba"
    r"|hatch|pdm|rye|pixi|nohup|nice|timeout|numactl|stdbuf|env|xvfb-run|pyenv)(?:\.exe)?$"
)
_MODULES = re.compile(r"(?:torch\.distributed\.(?:run|launch)|accelerate\.commands\.\w+|deepspeed\.launcher\.\w+)$")
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*t?$")


class Start(NamedTuple):
    """`why_not`: why it cannot be started again, in words; None when it can. `pid` is the launcher's."""

    argv: list[str]
    cwd: str
    environment: dict[str, str]
    pid: int
    why_not: str | None


def find_start() -> Start:
    """The topmost launcher above this process, or the process itself. Never raises."""
    own = list(getattr(sys, "orig_argv", None) or [sys.executable, *sys.argv])
    own[0] = sys.executable or own[0]
    start = Start(own, _own_folder(), _kept(dict(os.environ)), os.getpid(), _why_not(own))
    if start.why_not:
        return start
    try:
        for pid in _parents():
            argv = _read_list(pid, "cmdline")
            if not is_launcher(argv):
                break
            environment = dict(pair.split("=", 1) for pair in _read_list(pid, "environ") if "=" in pair)
            argv[0] = shutil.which(argv[0], path=environment.get("PATH")) or argv[0]
            start = Start(argv, os.readlink(f"/proc/{pid}/cwd"), _kept(environment), pid, None)
    except (OSError, ValueError):
        pass
    return start


def _own_folder() -> str:
    """The folder in which the program was started: another one, if the script went elsewhere since."""
    script = sys.argv[0] if sys.argv else ""
    try:
        here = os.getcwd()
    except OSError:
        here = "/"
    shell = os.environ.get("PWD", "")
    if not os.path.isabs(script) and not os.path.exists(os.path.join(here, script)):
        if os.path.isabs(shell) and os.path.exists(os.path.join(shell, script)):
            return shell
    return here


def start_of(name: str) -> tuple[Start, str]:
    """How it was started, and the line that a person types to go on."""
    start = find_start()
    if start.why_not:
        return start, f"trackside.track({name!r})"
    secret = next((token for token in start.argv if _names_secret(token)), None)
    if secret:
        flag = secret.split("=", 1)[0]
        start = start._replace(
            argv=without_secrets(start.argv), why_not=f"its command holds a secret ({flag}), which is not kept"
        )
    return start, shlex.join(without_secrets(start.argv))


def without_secrets(argv: list[str]) -> list[str]:
    """A command without the values of flags that name a secret."""
    shown: list[str] = []
    hide = False
    for token in argv:
        if hide and not token.startswith("--"):
            token = "***"
        elif _names_secret(token) and "=" in token:
            token = token.split("=", 1)[0] + "=***"
        hide = _names_secret(token) and "=" not in token
        shown.append(without_login(token))
    return shown


def without_login(text: str) -> str:
    """`https://***@host/`: without the password in an address."""
    return re.sub(r"(?<=://)[^/\s@:]{1,200}:[^/\s@]{1,200}(?=@)", "***", text)


def is_launcher(argv: list[str]) -> bool:
    """Does a command only start another one: accelerate, torchrun, `uv run`, …? A shell or a script of the user does
    more than that."""
    if not argv:
        return False
    program = os.path.basename(argv[0])
    if not _PYTHON.match(program):
        return bool(_PROGRAMS.match(program))
    for at, token in enumerate(argv[1:], 1):
        if token == "-m":
            return at + 1 < len(argv) and bool(_MODULES.match(argv[at + 1]) or _PROGRAMS.match(argv[at + 1]))
        if not token.startswith("-"):
            return bool(_PROGRAMS.match(os.path.basename(token)))
    return False


def is_notebook() -> bool:
    return "ipykernel" in sys.modules or "google.colab" in sys.modules


def is_secret(name: str) -> bool:
    """HF_TOKEN, AWS_SECRET_ACCESS_KEY; not HF_TOKEN_PATH."""
    return bool(_SECRET.search(name))


def _why_not(argv: list[str]) -> str | None:
    if is_notebook():
        return "it ran in a notebook"
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if hasattr(sys, "ps1") or (file in (None, "<stdin>") and "-c" not in argv):
        return "it was typed into a Python prompt, or came through standard input"
    return None


def _kept(environment: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if not _SECRET.search(name) and not _PASSING.match(name) and not _LOGIN.search(value)
    }


def _parents() -> list[int]:
    found = []
    process = processes.read(os.getppid())
    while process and process.pid > 1:
        found.append(process.pid)
        process = processes.read(process.ppid)
    return found


def _read_list(pid: int, name: str) -> list[str]:
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return [part.decode("utf-8", "surrogateescape") for part in file.read().split(b"\0")[:-1]]


def _names_secret(token: str) -> bool:
    return token.startswith("--") and is_secret(token.split("=", 1)[0].lstrip("-").replace("-", "_"))
