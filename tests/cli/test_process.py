"""The command line as a process of its own, and on a terminal."""

import errno
import io
import os
import signal
import subprocess
import sys

import pytest

from listboss.cli import _console, main
from tests.cli.conftest import RULES, event

LISTBOSS = (sys.executable, "-m", "listboss")


@pytest.fixture
def interrupts():
    """Let new processes end at SIGINT, also below a shell that ignores it in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Terminal(io.StringIO):
    """A stderr that says that it is a terminal."""

    def isatty(self) -> bool:
        """Always."""
        return True


@pytest.fixture
def many(write):
    """More events than one report of progress."""
    return write("many.jsonl", "\n".join(event(f"e-{n}") for n in range(2_500)))


@pytest.fixture
def on_terminal(monkeypatch):
    """Run a command with a terminal as stderr, and return what it shows there."""

    def on_terminal(*arguments: object, every: float = 0.0) -> str:
        stderr = Terminal()
        monkeypatch.setattr("sys.stderr", stderr)  # here: pytest sets it before each test
        monkeypatch.setattr(_console, "PROGRESS_EVERY", every)
        assert 0 == main([str(each) for each in arguments])
        return stderr.getvalue()

    return on_terminal


@pytest.fixture
def without_rich(monkeypatch):
    """Run as without the extra `cli`."""
    monkeypatch.setitem(sys.modules, "rich.progress", None)


class TestProgress:
    """The progress of a backtest is shown on a terminal alone."""

    def test_lines(self, on_terminal, without_rich, rules, after, many):
        """Without the extra `cli`, there are plain lines."""
        assert [
            "backtest: 1,000",
            "backtest: 2,000",
            "backtest: 2,500",
            "backtest: 3,000 of 5,000",
            "backtest: 4,000 of 5,000",
            "backtest: 5,000 of 5,000",
            "backtest: 5,000 of 5,000",
        ] == on_terminal("backtest", rules, after, many).splitlines()

    def test_now_and_then(self, on_terminal, without_rich, rules, after, many):
        """A line is shown at most once in a while."""
        assert "" == on_terminal("backtest", rules, after, many, every=1e9)

    def test_bar(self, on_terminal, capsys, rules, after, many):
        """With the extra `cli`, there is a bar, and the result is still on stdout alone."""
        pytest.importorskip("rich")
        assert "backtest" in on_terminal("backtest", rules, after, many)
        assert capsys.readouterr().out.startswith("2,500 events: 1 contact")

    def test_no_terminal(self, capsys, rules, after, many):
        """A pipe gets no progress."""
        main(["backtest", str(rules), str(after), str(many)])
        assert "" == capsys.readouterr().err


def test_module(rules):
    """`python -m listboss` exits with the code of the command."""
    done = subprocess.run([*LISTBOSS, "check", rules], capture_output=True, text=True, check=False)
    assert (0, "", "no findings\n") == (done.returncode, done.stdout, done.stderr)


def test_other_encoding(write):
    """What a terminal cannot show is escaped."""
    other = write("other.toml", RULES.replace('name = "Refunds"', 'name = "Köln"') + "x = 1\n")
    done = subprocess.run(
        [*LISTBOSS, "check", other],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert b"K\\xf6ln" in done.stdout


def test_full_disk(monkeypatch, capsys, rules):
    """A result that cannot be written is one line on stderr."""
    full = Full()
    monkeypatch.setattr("sys.stdout", full)
    assert 2 == main(["schema"])
    assert "cannot write the result: no space left on device\n" == capsys.readouterr().err


class Full(io.StringIO):
    """A stdout without space."""

    def write(self, _text: str) -> int:
        """Fail."""
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other pipes and signals")
class TestEndings:
    """A reader that leaves and Ctrl-C end the command without a traceback."""

    def test_broken_pipe(self, rules, many):
        """`listboss plan ... | head -1` says nothing on stderr."""
        with subprocess.Popen(
            [*LISTBOSS, "plan", rules, many, "--format", "json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline().startswith(b"{")
            process.stdout.close()
            assert b"" == process.stderr.read()
            assert 0 == process.wait()

    def test_interrupt(self, rules, many, interrupts):
        """Ctrl-C exits with 130, as shells do."""
        with subprocess.Popen(
            [*LISTBOSS, "plan", rules, many, "-", "--format", "json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline().startswith(b"{")  # it is at work
            process.send_signal(signal.SIGINT)
            _, messages = process.communicate()
            assert (b"", 130) == (messages, process.returncode)
