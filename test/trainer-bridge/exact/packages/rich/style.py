"""Each log record of rich draws from Python's own generator, as its real style.py does for links."""

from random import randint


def link():
    return randint(0, 999999)
