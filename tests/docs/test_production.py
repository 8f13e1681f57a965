"""The host of `docs/howto/production.md` does what the page says: it survives a kill."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from listboss.send import Send

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "production.md").read_text("utf-8")
PROGRAM = re.findall(r"^```python\n(# host\.py\n.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
BODY = re.findall(r"-d '(\{.*?\})'", PAGE, re.DOTALL)[0]
TAG = re.findall(r"^This prints `(.*?)`", PAGE, re.MULTILINE)[0]


class Host:
    """The program of the page, in a process."""

    def __init__(self, folder: Path) -> None:
        (folder / "host.py").write_text(PROGRAM, "utf-8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "host.py"],
            cwd=folder,
            env=os.environ | {"PORT": str(self.port)},
            stderr=subprocess.DEVNULL,
        )

    def post(self, token: str = "your-token") -> int:
        """Post the webhook of the page as soon as the host answers, and return the status."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/", BODY.encode(), {"X-Hotmart-Hottok": token}
        )
        for _ in range(200):
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                return error.code
            except OSError:
                assert self.process.poll() is None
                time.sleep(0.05)
        return 0


@contextmanager
def host(folder: Path) -> Iterator[Host]:
    """Start the host; in the end it is stopped with SIGTERM, unless it is dead."""
    host = Host(folder)
    try:
        yield host
    finally:
        if host.process.poll() is None:
            host.process.terminate()
        host.process.wait(timeout=60)


def tags(folder: Path) -> tuple[str, ...]:
    """Return the tags of the contact of the page, once there are any."""
    for _ in range(400):
        with Send(folder / "contacts.db") as send:
            found = send.tags("ana@example.com")
        if found:
            return found
        time.sleep(0.05)
    return ()


@pytest.mark.skipif(sys.platform == "win32", reason="the page is about POSIX signals")
def test_what_was_answered_survives_a_kill(tmp_path: Path):
    """The host answers 200, is killed at once, and delivers after it has been started again."""
    with host(tmp_path) as first:
        assert 200 == first.post()
        first.process.kill()
        first.process.wait()

    with host(tmp_path) as second:
        assert TAG == str(tags(tmp_path))
        assert 200 == second.post()  # redelivered
        assert 401 == second.post("another token")

    assert 0 == second.process.returncode
