"""The commands in the docs run, and print what the docs show.

A block of kind `console` has commands after `$ ` and, below each, what it prints: stdout, then
stderr. A line `...` means any lines, and inside a line any characters. The commands of a page share
a folder with the examples.
"""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from listboss.cli import COMMANDS, main, make_parser

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMES = "|".join(command.name for command in COMMANDS)
CALL = re.compile(rf"(?:^|[\s`:\"'&|])listboss ((?:{NAMES})(?= |`|$)[^`\n]*)", re.MULTILINE)
SHOWN = [page for page in PAGES if CONSOLE.search(page.read_text("utf-8"))]


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a block, with what it should print."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        while command.endswith("\\"):
            more, _, output = output.partition("\n")
            command = f"{command[:-1]}{more.strip()}"
        yield command, output


def pattern(output: str) -> str:
    """A pattern for the lines of an output."""
    lines = (
        r"(?:.*\n)*?" if line == "...\n" else re.escape(line).replace(re.escape("..."), ".*")
        for line in output.splitlines(keepends=True)
    )
    return "".join(lines)


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.stem)
def test_console(page, tmp_path, monkeypatch, capsys):
    """Each command prints what the page shows."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    code = 0
    for block in CONSOLE.findall(page.read_text("utf-8")):
        for command, expected in commands(block):
            if command == "echo $?":
                printed = f"{code}\n"
            elif command.startswith("listboss "):
                call, _, file = command.partition(" > ")
                code = run(call)
                out, printed = capsys.readouterr()
                printed = printed if file else out + printed
            else:
                done = subprocess.run(
                    ["bash", "-c", command], capture_output=True, text=True, check=False
                )
                code, printed = done.returncode, done.stdout + done.stderr
            assert re.fullmatch(pattern(expected), printed), f"{command}\n{printed}"


def run(command: str) -> int:
    """Run a command of listboss in this process."""
    try:
        return main(shlex.split(command)[1:])
    except SystemExit as left:
        return int(left.code or 0)


def calls(text: str) -> set[str]:
    """Every call of listboss in some text, without what a shell does with its output."""
    return {re.split(r" >| \||  #| #", call)[0] for call in CALL.findall(text)}


RECIPES = sorted(call for page in PAGES for call in calls(CONSOLE.sub("", page.read_text("utf-8"))))


@pytest.mark.parametrize("call", sorted(set(RECIPES)))
def test_every_recipe_is_right(call):
    """A call in a recipe or in a sentence, which does not run here, has arguments that exist."""
    if " " in call:
        assert make_parser().parse_args(shlex.split(call)) is not None


def test_every_command_is_shown():
    """The docs show each command at least once, with arguments."""
    shown = {call for page in PAGES for call in calls(page.read_text("utf-8")) if " " in call}
    shown.add("schema")  # it has no arguments

    assert {command.name for command in COMMANDS} == {call.split()[0] for call in shown}
