"""The progress bar on stderr, byte for byte in tqdm's form, two refreshes a step as train_network.py:1480-1520 makes them."""

import sys
import time

EIGHTHS = " ▏▎▍▌▋▊▉█"
BAR_WIDTH = 10


class Bar:
    """A bar of `total` steps. `below` is the number of open bars above it, whose lines it must leave alone."""

    def __init__(self, total: int, description: str = "", below: int = 0):
        self.total = total
        self.description = description
        self.below = below
        self.done = 0
        self.postfix = ""
        self.started = time.monotonic()
        self.last_update = self.started
        self.last_width = 0
        self.show()

    def advance(self) -> None:
        """One more step is done."""
        self.done += 1
        self.last_update = time.monotonic()
        self.show()

    def say(self, **values: float) -> None:
        """Shows values behind the rate, sorted by name."""
        self.postfix = ", ".join(f"{name}={short_number(value)}" for name, value in sorted(values.items()))
        self.show()

    def forget_pause(self) -> None:
        """Leaves the time since the last step out of rate and elapsed time, as tqdm's unpause() does (train_network.py:1494)."""
        now = time.monotonic()
        self.started += now - self.last_update
        self.last_update = now

    def close(self) -> None:
        """Shows the bar for the last time and ends its line."""
        self.below = 0
        self.show()
        sys.stderr.write("\n")
        sys.stderr.flush()

    def show(self) -> None:
        elapsed = time.monotonic() - self.started
        text = bar_text(self.done, self.total, elapsed, self.description, self.postfix)
        blanks = " " * max(self.last_width - len(text), 0)
        self.last_width = len(text)
        sys.stderr.write("\n" * self.below + "\r" + text + blanks + "\x1b[A" * self.below)
        sys.stderr.flush()


def bar_text(done: int, total: int, elapsed: float, description: str = "", postfix: str = "") -> str:
    """The text of a bar after `elapsed` seconds (tqdm/std.py:format_meter)."""
    rate = done / elapsed if elapsed > 0 and done else None
    speed = "?it/s" if rate is None else f"{1 / rate:5.2f}s/it" if rate < 1 else f"{rate:5.2f}it/s"
    title = f"{description}: " if description else ""
    extra = f", {postfix}" if postfix else ""
    if total == 0:
        return f"{title}{done}it [{clock(elapsed)}, {speed}{extra}]"
    remaining = "?" if rate is None else clock((total - done) / rate)
    share = done / total
    return f"{title}{100 * share:3.0f}%|{blocks(share)}| {done}/{total} [{clock(elapsed)}<{remaining}, {speed}{extra}]"


def blocks(share: float) -> str:
    unicode_works = "utf" in (sys.stderr.encoding or "").lower()
    symbols = EIGHTHS if unicode_works else " 123456789#"
    parts = len(symbols) - 1
    full, part = divmod(int(min(share, 1) * BAR_WIDTH * parts), parts)
    return symbols[-1] * full + (symbols[part] + " " * (BAR_WIDTH - full - 1) if full < BAR_WIDTH else "")


def clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute:02d}:{second:02d}"


def short_number(value: float) -> str:
    short = f"{value:.3g}".replace("e+0", "e+").replace("e-0", "e-")
    return short if len(short) < len(str(value)) else str(value)
