"""`listboss diagram`: a rule file for people, as an HTML page or a Mermaid flowchart.

The findings of the analysis are in it, beside the segmentations that they are about. The page
needs no network and has no data of contacts.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from listboss.analysis import analyse
from listboss.cli._catalogue import add_catalogue_argument, catalogue_of
from listboss.cli._console import OK, Console, UnreadableError, reason_of
from listboss.cli._rule_files import load_rule_file
from listboss.diagram import mermaid, page

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("rules", metavar="RULES", help="a rule file in TOML or JSON")
    add_catalogue_argument(parser)
    parser.add_argument(
        "--product", metavar="ID", help="in Mermaid, only the segmentations of this product"
    )
    parser.add_argument(
        "--output", metavar="FILE", help="write to this file instead of standard output"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run the command."""
    if arguments.product is not None and arguments.format != "mermaid":
        raise UnreadableError("`--product` needs `--format mermaid`: a page shows all products")
    rules = load_rule_file(arguments.rules, catalogue_of(arguments), console).rules
    findings = analyse(rules).findings
    if arguments.format == "mermaid":
        text = mermaid(rules, findings, product_id=arguments.product)
    else:
        text = page(rules, findings, title=Path(arguments.rules).name)
    if arguments.output is None:
        console.result(text)
        return OK
    try:
        Path(arguments.output).write_text(text, "utf-8")
    except OSError as error:
        reason = reason_of(error)
        raise UnreadableError(f"cannot write `{arguments.output}`: {reason}") from None
    console.message(f"wrote `{arguments.output}`")
    return OK
