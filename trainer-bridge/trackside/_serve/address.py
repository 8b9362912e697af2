"""The addresses at which a laptop reaches a port of this machine."""

from __future__ import annotations

import os
import re
import socket

FIRST_PORT, PORTS = 7860, 100


def pod_environment() -> dict[str, str]:
    """This process's variables, and those of a pod that only its first process has (Vast's ssh and tmux sessions)."""
    found: dict[str, str] = {}
    try:
        with open("/proc/1/environ", "rb") as file:
            for pair in file.read().split(b"\0"):
                name, is_set, value = pair.decode("utf-8", "replace").partition("=")
                if is_set and re.match(
                    r"RUNPOD_(?:POD_ID|PUBLIC_IP|TCP_PORT_22)$|PUBLIC_IPADDR$|VAST_TCP_PORT_\d+$", name
                ):
                    found[name] = value
    except OSError:
        pass
    return {**found, **os.environ}


def pod_address(environment: dict[str, str], port: int) -> str | None:
    """As in sidecar/pod.ts; None outside of pods, and for a port that a Vast instance does not map."""
    pod = re.fullmatch(r"[\w-]+", environment.get("RUNPOD_POD_ID", ""))
    if pod:
        return f"https://{pod[0].lower()}-{port}.proxy.runpod.net/"
    ip, mapped = environment.get("PUBLIC_IPADDR", "").strip(), environment.get(f"VAST_TCP_PORT_{port}")
    return f"http://{ip}:{mapped}/" if ip and mapped else None


def ssh_line(environment: dict[str, str], port: int) -> str:
    """What a person types on the laptop to reach the port there as localhost."""
    for ip, ssh in (("RUNPOD_PUBLIC_IP", "RUNPOD_TCP_PORT_22"), ("PUBLIC_IPADDR", "VAST_TCP_PORT_22")):
        if environment.get(ip) and environment.get(ssh):
            return f"ssh -p {environment[ssh].strip()} -L {port}:127.0.0.1:{port} root@{environment[ip].strip()}"
    user = environment.get("USER") or "root"
    return f"ssh -L {port}:127.0.0.1:{port} {user}@{socket.gethostname()}"


def free_port(host: str, environment: dict[str, str]) -> int:
    """The first free one from 7860 on; on Vast one that is mapped, if any is. Raises OSError when none is free."""
    ports = list(range(FIRST_PORT, FIRST_PORT + PORTS))
    mapped = [port for port in ports if f"VAST_TCP_PORT_{port}" in environment]
    for port in [*mapped, *ports]:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(f"no port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free")
