"""The catalogue of a host that has events or facts of its own: an object in Python code.

It is named as `MODULE:NAME`, and importing the module runs its code. So only the person who types
the command, or writes a file of tests, chooses it.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from listboss.cli._console import UnreadableError
from listboss.rules._text import quoted
from listboss.rules.builtin import HOTMART
from listboss.rules.catalogue import Catalogue

__all__ = ["add_catalogue_argument", "catalogue_of", "load_catalogue"]


def add_catalogue_argument(parser: argparse.ArgumentParser) -> None:
    """Add the argument of all commands that read rules."""
    parser.add_argument(
        "--catalogue",
        metavar="MODULE:NAME",
        help="a catalogue in Python code, for events and facts of your own",
    )


def catalogue_of(arguments: argparse.Namespace) -> Catalogue:
    """Return the catalogue that the arguments name, or the built-in one."""
    return HOTMART if arguments.catalogue is None else load_catalogue(arguments.catalogue)


def load_catalogue(name: str) -> Catalogue:
    """Import a catalogue; raises `UnreadableError` if there is none of that name."""
    module, _, attribute = name.partition(":")
    shown = quoted(name)
    if not (module and attribute):
        raise UnreadableError(f"{shown} is not the name of a catalogue (write `MODULE:NAME`)")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as for `python -m`
    try:
        found: object = getattr(import_module(module), attribute, None)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UnreadableError(f"cannot import the module of {shown} ({reason})") from None
    if not isinstance(found, Catalogue):
        raise UnreadableError(f"{shown} is not a catalogue")
    return found
