"""The example `webhook_service`: what it answers, and that a kill loses nothing it answered."""

import asyncio
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import httpx
import pytest

from listboss.send import Send
from tests.postgres import Server, why_not

FOLDER = Path(__file__).parents[2] / "examples" / "webhook_service"
TOKEN = {"X-Hotmart-Hottok": "a-token"}
APPROVED = {
    "id": "w-1",
    "creation_date": 1777896600000,
    "event": "PURCHASE_APPROVED",
    "version": "2.0.0",
    "data": {
        "product": {"id": 42},
        "buyer": {"email": "ana@example.com"},
        "purchase": {"transaction": "HP1"},
    },
}


class Client:
    """Calls the service in this process; its task of delivery runs during the calls."""

    def __init__(self, module: ModuleType, runner: asyncio.Runner) -> None:
        self.app, self._runner = module.app, runner
        self._lifespan = module.lifespan(module.app)

    def __enter__(self) -> Self:
        self._runner.run(self._lifespan.__aenter__())
        return self

    def __exit__(self, *_error: object) -> None:
        self._runner.run(self._lifespan.__aexit__(None, None, None))

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request, and return the answer."""

        async def call() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **request)

        return self._runner.run(call())

    def post(self, content: object, headers: Mapping[str, str] = TOKEN) -> int:
        """Post a webhook, and return the status."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.call("POST", "/webhook", content=body, headers=headers).status_code

    def accepted(self) -> list[str]:
        """Return the ids of the events in the journal."""
        return [event.id for event in self.app.state.service.journal.events()]


def load_service() -> ModuleType:
    """Load the example."""
    spec = importlib.util.spec_from_file_location("webhook_service", FOLDER / "service.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of the service, which keeps its files in a folder of the test."""
    monkeypatch.setenv("LISTBOSS_HOTTOK", TOKEN["X-Hotmart-Hottok"])
    monkeypatch.setenv("LISTBOSS_DATA", str(tmp_path))
    with asyncio.Runner() as runner, Client(load_service(), runner) as client:
        yield client


class TestAnswers:
    """What the service answers to a webhook."""

    def test_an_event_is_accepted(self, client: Client):
        """A webhook is answered with 200, and its event is in the journal."""
        assert 200 == client.post(APPROVED)
        assert ["w-1:purchase.approved"] == client.accepted()

    def test_a_redelivery_is_accepted_once(self, client: Client):
        """The second delivery is answered with 200, too, and adds no event."""
        assert [200, 200] == [client.post(APPROVED), client.post(APPROVED)]
        assert ["w-1:purchase.approved"] == client.accepted()

    def test_a_wrong_token_is_refused(self, client: Client):
        """Without the token of the account the answer is 401, and nothing is kept."""
        assert 401 == client.post(APPROVED, {"X-Hotmart-Hottok": "another"})
        assert [] == client.accepted()

    def test_a_broken_body_is_refused(self, client: Client):
        """What is not a webhook is answered with 400."""
        assert 400 == client.post(b"\xff\xfe")

    def test_an_ignored_webhook_is_accepted(self, client: Client):
        """A webhook without any event is answered with 200: the sender must not repeat it."""
        assert 200 == client.post({"event": "ORDER_FULFILLMENT", "data": {}})
        assert [] == client.accepted()

    def test_a_large_body_is_refused(self, client: Client):
        """A body above the limit is answered with 413."""
        assert 413 == client.post(b" " * 1_000_001)


def test_an_event_is_delivered(client: Client):
    """The service delivers in the background: the contact has the tag soon."""
    client.post(APPROVED)
    while client.call("GET", "/health").json()["due_at"] is not None:
        pass

    assert ("buyer",) == client.app.state.service.send.tags("ana@example.com")


def test_health(client: Client):
    """The health check says that delivery works and that nothing needs a person."""
    answer = client.call("GET", "/health")

    assert 200 == answer.status_code
    assert {"is_working": True, "due_at": None, "stuck": 0} == answer.json()


def test_a_token_is_required(monkeypatch: pytest.MonkeyPatch):
    """Without the token in the environment the service does not start."""
    monkeypatch.delenv("LISTBOSS_HOTTOK", raising=False)

    with (
        asyncio.Runner() as runner,
        pytest.raises(SystemExit, match="LISTBOSS_HOTTOK"),
        Client(load_service(), runner),
    ):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_kill_loses_nothing():
    """Everything that was answered with 2xx is carried out, though the service is killed once."""
    done = subprocess.run(
        [sys.executable, FOLDER / "load.py", "--rate", "60", "--seconds", "3", "--kills", "1"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "were carried out exactly once" in done.stdout


class Process:
    """The service in a process of its own, on a free port."""

    def __init__(self, folder: Path, database: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        environment = {
            **os.environ,
            "LISTBOSS_HOTTOK": TOKEN["X-Hotmart-Hottok"],
            "LISTBOSS_DATA": str(folder),
            "LISTBOSS_DATABASE": database,
        }
        command = ["-m", "uvicorn", "service:app", "--app-dir", str(FOLDER), "--port", str(port)]
        self._process = subprocess.Popen(
            [sys.executable, *command, "--log-level", "error"], env=environment
        )
        self.wait_for(200)

    def health(self) -> int:
        """Return what a load balancer sees; 0 if nobody answers."""
        try:
            return httpx.get(f"{self.url}/health", timeout=10).status_code
        except httpx.TransportError:
            return 0

    def wait_for(self, health: int) -> None:
        """Wait until the load balancer sees this."""
        until = time.monotonic() + 60
        while self.health() != health:
            assert time.monotonic() < until, f"not {health} after a minute"
            time.sleep(0.05)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process."""
        self._process.send_signal(how)
        self._process.wait(30)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_two_workers_on_a_database(tmp_path: Path):
    """What either of two processes answered is delivered, whatever is killed or restarted.

    The load balancer sees which process can take webhooks, also while the database is away.
    """
    if missing := why_not():
        pytest.skip(f"not run on PostgreSQL: {missing}")
    with closing(Server()) as server:
        one, two = (Process(tmp_path, server.dsn) for _ in range(2))
        taken: set[str] = set()

        def post(process: Process, numbers: range) -> None:
            for number in numbers:
                webhook = {**APPROVED, "id": f"w-{number}"}
                buyer = {"email": f"{number}@example.com"}
                webhook["data"] = {"product": {"id": 42}, "buyer": buyer, "purchase": {}}
                url = f"{process.url}/webhook"
                if httpx.post(url, json=webhook, headers=TOKEN, timeout=30).is_success:
                    taken.add(buyer["email"])

        post(one, range(10))
        post(two, range(10, 20))
        one.end(signal.SIGKILL)
        assert (0, 200) == (one.health(), two.health())
        server.stop()
        two.wait_for(503)
        post(two, range(20, 22))  # answered with 503: the sender keeps them
        server.start()
        two.wait_for(200)
        post(two, range(22, 30))
        assert 28 == len(taken)
        with Send(tmp_path / "contacts.db") as send:
            until = time.monotonic() + 90  # longer than the lease of what was killed
            while waiting := {email for email in taken if "buyer" not in send.tags(email)}:
                assert time.monotonic() < until, waiting
                time.sleep(0.1)
        two.end()
