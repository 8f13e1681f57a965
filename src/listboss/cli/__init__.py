"""The command line: `listboss COMMAND`, or `python -m listboss COMMAND`.

Results go to stdout, messages to stderr. The exit code is 0 if all is well, 1 for findings or
changes over a threshold, and 2 for input that cannot be read and for wrong usage. Personal data
is masked unless `--show-personal-data` is given. This package reads files and prints; what it
shows is decided elsewhere.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple, NoReturn

from listboss.cli import _backtest, _check, _diagram, _diff, _journal, _plan, _schema
from listboss.cli._console import FORMATS, OK, UNREADABLE, Console, UnreadableError, reason_of
from listboss.errors import ListBossError

__all__ = [
    "COMMANDS",
    "Command",
    "UnreadableError",
    "add_arguments",
    "main",
    "make_parser",
    "run",
]

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells give it."""


class Command(NamedTuple):
    """One row of the table of commands."""

    name: str
    help: str
    formats: tuple[str, ...]
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Console], int]


_PLAIN = tuple(each for each in FORMATS if each != "github")

COMMANDS = (
    Command(
        "check",
        "review rule files: what is wrong, and on which line",
        FORMATS,
        _check.add_arguments,
        _check.run,
    ),
    Command(
        "plan", "show what the rules do with events", _PLAIN, _plan.add_plan_arguments, _plan.run
    ),
    Command(
        "explain",
        "show why each rule runs on events, or does not",
        _PLAIN,
        _plan.add_explain_arguments,
        _plan.run_explain,
    ),
    Command(
        "backtest",
        "show what a change of the rules would have done to past events",
        FORMATS,
        _backtest.add_arguments,
        _backtest.run,
    ),
    Command(
        "diff",
        "show which segmentations differ between two rule files, and which findings",
        FORMATS,
        _diff.add_arguments,
        _diff.run,
    ),
    Command(
        "diagram",
        "draw a rule file as an HTML page or a Mermaid flowchart",
        ("html", "mermaid"),
        _diagram.add_arguments,
        _diagram.run,
    ),
    Command(
        "history",
        "show what a journal says was done",
        _PLAIN,
        _journal.add_arguments,
        _journal.run,
    ),
    Command(
        "contact",
        "show what a contact should have, and why",
        _PLAIN,
        _journal.add_contact_arguments,
        _journal.run_contact,
    ),
    Command(
        "schema",
        "print the JSON Schema of rule files",
        ("json",),
        _schema.add_arguments,
        _schema.run,
    ),
)
"""Every command, in the order of the help."""


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="listboss",
        description="Review, explain and backtest rules that turn events into actions on contacts.",
        epilog="exit codes: 0 all is well; 1 findings, or changes over the threshold; 2 input that "
        "cannot be read, or wrong usage",
    )
    parser.add_argument("--version", action="version", version=f"listboss {version('listboss')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        added = commands.add_parser(
            command.name,
            help=command.help,
            description=f"{command.help[:1].upper()}{command.help[1:]}.",
        )
        add_arguments(added, command)
        added.set_defaults(run=command.run)
    return parser


def add_arguments(parser: argparse.ArgumentParser, command: Command) -> None:
    """Add the arguments of a command: its own, and those that every command has."""
    command.add_arguments(parser)
    parser.add_argument(
        "--format",
        choices=command.formats,
        default=command.formats[0],
        help=f"how to show the result (default: {command.formats[0]})",
    )
    parser.add_argument(
        "--show-personal-data",
        action="store_true",
        help="show e-mail addresses and other data of contacts, which are masked by default",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; wrong usage raises `SystemExit`, as argparse does."""
    given = make_parser().parse_args(arguments)
    console = Console(show_personal_data=given.show_personal_data)
    try:
        code: int = given.run(given, console)
        sys.stdout.flush()
    except (UnreadableError, ListBossError) as error:
        console.message(str(error))
        return UNREADABLE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has enough, such as `head`. Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:  # such as a full disk
        console.message(f"cannot write the result: {reason_of(error)}")
        return UNREADABLE
    return code


def run() -> NoReturn:
    """Run the command of this process: what the script `listboss` and `python -m` do."""
    stdout: Any = sys.stdout
    stdout.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 ends no command
    sys.exit(main())
