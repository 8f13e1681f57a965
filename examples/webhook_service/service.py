"""A web service that takes webhooks, answers at once, and delivers in the background.

    python -m uvicorn service:app --app-dir examples/webhook_service --port 8000

What was answered with 200 is on the disk: it survives `kill -9`. Settings come from the
environment: see `Settings`. Each process serves and delivers; several may share the folder, or
a PostgreSQL database.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from listboss import Engine
from listboss.codec import load_rules
from listboss.delivery import AsyncExecutor, PostgresJournal, SqliteJournal
from listboss.errors import StorageError, WebhookError
from listboss.hotmart import parse, verify
from listboss.send import Automation, Send, Step

HERE = Path(__file__).parent
MAX_BODY = 1_000_000
"""Bytes. A webhook has a few thousand."""
LATE = timedelta(minutes=5)
"""If something has been due for longer, delivery is not working, and `/health` says so."""


@attrs.frozen
class Settings:
    """What differs between machines; every setting is a variable of the environment."""

    hottok: str = attrs.field(repr=False)
    """`LISTBOSS_HOTTOK`: the token of your account, which every webhook carries."""
    data: Path
    """`LISTBOSS_DATA`: the folder of the files, `data` by default."""
    rules: Path
    """`LISTBOSS_RULES`: the rule file, `rules.toml` beside this file by default."""
    database: str = attrs.field(repr=False)
    """`LISTBOSS_DATABASE`: the PostgreSQL database of the journal; without it, a file."""

    @classmethod
    def of_environment(cls) -> Settings:
        """Read the settings; without a token there is no service."""
        hottok = os.environ.get("LISTBOSS_HOTTOK", "")
        if not hottok:
            raise SystemExit("set LISTBOSS_HOTTOK to the token of your account")
        return cls(
            hottok,
            Path(os.environ.get("LISTBOSS_DATA", "data")),
            Path(os.environ.get("LISTBOSS_RULES", HERE / "rules.toml")),
            os.environ.get("LISTBOSS_DATABASE", ""),
        )

    def open_journal(self) -> SqliteJournal | PostgresJournal:
        """Open the journal; the first process on a new database creates its tables."""
        if not self.database:
            return SqliteJournal(self.data / "journal.db")
        PostgresJournal.migrate(self.database)
        return PostgresJournal(self.database)


class Service:
    """The rules, the provider, the journal, and the task that delivers."""

    def __init__(self, settings: Settings) -> None:
        settings.data.mkdir(parents=True, exist_ok=True)
        self.hottok = settings.hottok
        self.send = Send(settings.data / "contacts.db")
        self.send.save(Automation("Welcome", ["buyer"], steps=Step("welcome"), published=True))
        self.journal = settings.open_journal()
        rules = load_rules(settings.rules.read_bytes(), format="toml")
        rules = rules.with_provider("mail", self.send.capabilities)
        self.executor = AsyncExecutor(
            Engine(rules), {"mail": self.send}, self.journal, concurrency=20
        )
        self._stop = asyncio.Event()
        self._delivery: asyncio.Task[None] | None = None

    async def receive(self, request: Request) -> Response:
        """Take one webhook: 200 once it is on the disk, whatever becomes of it afterwards."""
        body = b""
        try:
            async for part in request.stream():
                body += part
                if len(body) > MAX_BODY:
                    return Response(status_code=413)
        except ClientDisconnect:  # nobody reads this answer
            return Response(status_code=400)
        if not verify(request.headers, body, self.hottok):
            return Response(status_code=401)
        try:
            content_type = request.headers.get("content-type")
            parsed = parse(body, content_type=content_type, received_at=datetime.now(UTC))
        except WebhookError:
            return Response(status_code=400)
        try:
            for event in parsed.events:
                await self.executor.accept(event)
        except StorageError:  # a full disk, for example: the sender will try again
            return Response(status_code=503)
        return Response(status_code=200)

    async def health(self, _request: Request) -> Response:
        """Say when something is due next, and how many actions need a person, up to a hundred.

        With 503, a load balancer sends webhooks elsewhere: this process cannot keep them, or
        nothing is delivered any more.
        """
        is_working = self._delivery is not None and not self._delivery.done()
        try:
            due_at = await asyncio.to_thread(self.journal.due_at)
            stuck = await asyncio.to_thread(self.journal.stuck)
        except StorageError as error:
            return JSONResponse({"is_working": is_working, "journal": error.message}, 503)
        is_late = due_at is not None and datetime.now(UTC) - due_at > LATE
        content = {
            "is_working": is_working,
            "due_at": None if due_at is None else due_at.isoformat(),
            "stuck": len(stuck),
        }
        return JSONResponse(content, 200 if is_working and not is_late else 503)

    async def start(self) -> None:
        """Deliver in the background, also what a crash left."""
        self._delivery = asyncio.create_task(self.executor.run(self._stop))

    async def stop(self) -> None:
        """Finish what is being sent, and close the files."""
        self._stop.set()
        try:
            if self._delivery is not None:
                await self._delivery
        finally:
            self.journal.close()
            self.send.close()


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
    """Start with the web server, and stop with it."""
    service = Service(Settings.of_environment())
    app.state.service = service
    await service.start()
    yield
    await service.stop()


async def receive(request: Request) -> Response:
    """Take a webhook."""
    service: Service = request.app.state.service
    return await service.receive(request)


async def health(request: Request) -> Response:
    """Report whether all is well."""
    service: Service = request.app.state.service
    return await service.health(request)


app = Starlette(
    routes=[
        Route("/webhook", receive, methods=["POST"]),
        Route("/health", health),
    ],
    lifespan=lifespan,
)
