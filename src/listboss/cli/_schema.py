"""`listboss schema`: the JSON Schema of rule files, for editors and forms.

It names the events and facts of the built-in catalogue, or of the host's own one. A rule on
another event or fact can be loaded, and has a finding.
"""

from __future__ import annotations

import argparse

from listboss.cli._catalogue import add_catalogue_argument, catalogue_of
from listboss.cli._console import OK, Console
from listboss.codec import rules_schema

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_catalogue_argument(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run the command."""
    console.json(rules_schema(catalogue_of(arguments)))
    return OK
