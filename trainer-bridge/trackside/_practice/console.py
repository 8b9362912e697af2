"""Log lines as rich's logging handler prints them to a stderr that is no terminal (library/utils.py:69-76)."""

import os
import re
import sys
import time
import unicodedata

TIME_WIDTH = 19
LEVEL_WIDTH = 8

last_time = ""


def info(message: str, source: str) -> None:
    """Logs one message. `source` is the place in sd-scripts that prints the same line: `train_util.py:2112`."""
    log("INFO", message, source)


def warning(message: str, source: str) -> None:
    log("WARNING", message, source)


def error(message: str, source: str) -> None:
    log("ERROR", message, source)


def log(level: str, message: str, source: str) -> None:
    global last_time
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    shown = "" if now == last_time else now
    last_time = now
    sys.stderr.write("".join(line + "\n" for line in log_lines(shown, level, message, source, columns())))
    sys.stderr.flush()


def log_lines(shown_time: str, level: str, message: str, source: str, width: int) -> list[str]:
    """One log record laid out in columns: time, level, message wrapped to what is left of `width`, source at the right."""
    room = max(1, width - TIME_WIDTH - 1 - LEVEL_WIDTH - 1 - 1 - len(source))
    wrapped = [part for line in message.split("\n") for part in wrap(line, room)]
    head = f"{shown_time:<{TIME_WIDTH}} {level:<{LEVEL_WIDTH}} "
    first = f"{head}{pad(wrapped[0], room)} {source}"
    return [first] + [" " * len(head) + pad(part, room) + " " * (1 + len(source)) for part in wrapped[1:]]


def wrap(line: str, width: int) -> list[str]:
    """Breaks a line at spaces, and a word that is wider than a whole line anywhere (rich/_wrap.py:divide_line)."""
    breaks = []
    used = 0
    # short: a message of ours
    for match in re.finditer(r"\s*\S+\s*", line):
        word, start = match.group(), match.start()
        word_width = cells(word.rstrip())
        if width - used >= word_width:
            used += cells(word)
        elif word_width > width:
            pieces = chop(word, width)
            for piece in pieces:
                if start:
                    breaks.append(start)
                start += len(piece)
            used = cells(pieces[-1])
        elif used and start:
            breaks.append(start)
            used = cells(word)
    edges = [0, *breaks, len(line)]
    return [line[begin:end].rstrip() for begin, end in zip(edges, edges[1:])]


def chop(word: str, width: int) -> list[str]:
    pieces = [""]
    for character in word:
        if cells(pieces[-1]) + cells(character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces


def pad(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def cells(text: str) -> int:
    return len(text) + sum(
        unicodedata.east_asian_width(character) in "WF" for character in text if character > "\u10ff"
    )


def columns() -> int:
    value = os.environ.get("COLUMNS", "")
    return int(value) if value.isdigit() else 80
