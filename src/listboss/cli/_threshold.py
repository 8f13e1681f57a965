"""What `diff` and `backtest` share: two rule files, and a limit on how much may change.

Without a limit, a difference does not fail: somebody reads it. With `--max-changed`, more changes
than that exit with 1.
"""

from __future__ import annotations

import argparse

from listboss.cli._catalogue import add_catalogue_argument
from listboss.cli._console import FAILED, OK, Console
from listboss.cli._numbers import number_from

__all__ = ["add_files", "add_threshold", "over_threshold"]


def add_files(parser: argparse.ArgumentParser) -> None:
    """Add the arguments for the two rule files."""
    parser.add_argument("before", metavar="BEFORE", help="the rule file before the change")
    parser.add_argument("after", metavar="AFTER", help="the rule file after the change")
    add_catalogue_argument(parser)


def add_threshold(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the argument for the limit."""
    parser.add_argument(
        "--max-changed",
        type=number_from(0, "count"),
        metavar="N",
        help=f"exit with 1 if more than N {what}",
    )


def over_threshold(changed: int, threshold: int | None, console: Console) -> int:
    """Return the exit code, and say so if it is over the limit."""
    if threshold is None or changed <= threshold:
        return OK
    console.message(f"{changed:,} would change, which is more than {threshold:,}")
    return FAILED
