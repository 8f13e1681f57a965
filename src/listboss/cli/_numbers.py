"""Readers of whole numbers among the arguments of a command.

A number below the least one is an error of the command line, as a word is.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["number_from"]


def number_from(least: int, name: str) -> Callable[[str], int]:
    """Return a reader of whole numbers that are not below `least`; a message calls them `name`."""

    def read(text: str) -> int:
        number = int(text)
        if number < least:
            raise ValueError
        return number

    read.__name__ = name  # argparse names the type by it
    return read
