"""`listboss schema`: the JSON Schema of rule files, for editors and forms.

It names the events and facts of the built-in catalogue. A host with a catalogue of its own calls
`rules_schema` instead.
"""

from __future__ import annotations

import argparse

from listboss.cli._console import OK, Console
from listboss.codec import rules_schema

__all__ = ["add_arguments", "run"]


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command: it has none."""


def run(_arguments: argparse.Namespace, console: Console) -> int:
    """Run the command."""
    console.json(rules_schema())
    return OK
