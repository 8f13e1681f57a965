"""Load the webhook service as a sender does, kill it meanwhile, and check what came of it.

    python examples/webhook_service/load.py --rate 200 --seconds 60 --kills 3

Starts the service on a free port of this machine. Posts webhooks of many contacts in shuffled
order; some come twice. A webhook that is not answered with 2xx is sent again after growing delays,
five times at most. The service is killed (SIGKILL) and restarted. In the end every event that was
answered with 2xx must have been carried out, exactly once in effect.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import httpx

from listboss.delivery import DeliveryStatus, SqliteJournal, Status
from listboss.send import Send

HERE = Path(__file__).parent
TOKEN = "load-test"  # noqa: S105 - the service is this script's own
TRIES = 5
START = datetime(2026, 5, 4, tzinfo=UTC)
MAX_CONNECTIONS = 16
MAX_RATE, MAX_SECONDS, MAX_KILLS = 500, 600, 20


@attrs.define
class Webhook:
    """One event of one contact, and how it went."""

    email: str
    name: str
    id: str
    day: int
    tries: int = 0
    is_answered: bool = False

    def body(self) -> bytes:
        """Return what the sender posts."""
        at = START + timedelta(days=self.day)
        data = {
            "product": {"id": 42},
            "buyer": {"email": self.email},
            "purchase": {"transaction": f"HP-{self.email.partition('@')[0]}"},
        }
        content = {
            "id": self.id,
            "creation_date": int(at.timestamp() * 1000),
            "event": self.name,
            "version": "2.0.0",
            "data": data,
        }
        return json.dumps(content).encode()


def webhooks_of(contact: int, rng: random.Random) -> Iterator[Webhook]:
    """Yield what happens to one contact, in the order in which it happens."""
    email = f"contact-{contact}@example.com"
    events = ["PURCHASE_OUT_OF_SHOPPING_CART", "PURCHASE_APPROVED", "PURCHASE_REFUNDED"]
    for day, name in enumerate(events[: rng.choice((1, 2, 2, 2, 3))]):
        yield Webhook(email, name, f"w-{contact}-{day}", day)


def schedule(count: int, rng: random.Random) -> list[Webhook]:
    """Return `count` posts in the order of sending: shuffled, and every twentieth one repeated."""
    posts: list[Webhook] = []
    contact = 0
    while len(posts) < count:
        for webhook in webhooks_of(contact, rng):
            posts += [webhook] * (2 if rng.random() < 0.05 else 1)
        contact += 1
    del posts[count:]
    # A webhook is delayed by up to 300 others, so events of a contact overtake each other.
    keys = {n: n + rng.random() * 300 for n in range(count)}
    return [posts[n] for n in sorted(keys, key=keys.__getitem__)]


class Host:
    """The service as a process, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: asyncio.subprocess.Process | None = None
        self.url = f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start the service, and wait until it answers."""
        arguments = ["--app-dir", str(HERE), "--host", "127.0.0.1", "--port", str(self.port)]
        settings = {"LISTBOSS_HOTTOK": TOKEN, "LISTBOSS_DATA": str(self.folder)}
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "uvicorn", "service:app", *arguments),
            *("--no-access-log", "--log-level", "warning"),
            env=os.environ | settings,
        )
        async with httpx.AsyncClient() as client:
            for _ in range(300):
                try:
                    await client.get(f"{self.url}/health")
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
                else:
                    return
        raise SystemExit("the service does not start")

    async def stop(self, kind: signal.Signals) -> None:
        """Send a signal to the service, and wait until it is gone."""
        if self.process is not None:
            self.process.send_signal(kind)
            await self.process.wait()


async def post(
    client: httpx.AsyncClient, connections: asyncio.Semaphore, url: str, webhook: Webhook
) -> None:
    """Post a webhook until it is answered with 2xx, as the sender does: five times at most."""
    for attempt in range(TRIES):
        if attempt:
            await asyncio.sleep(2 ** (attempt - 1))
        webhook.tries += 1
        try:
            async with connections:  # httpx gets slow when its own pool has a queue
                answer = await client.post(
                    f"{url}/webhook", content=webhook.body(), headers={"X-Hotmart-Hottok": TOKEN}
                )
        except httpx.TransportError:
            continue
        if answer.is_success:
            webhook.is_answered = True
            return


async def send_all(host: Host, posts: list[Webhook], rate: float, kills: int) -> None:
    """Post everything at a rate, and kill the service at equal distances meanwhile."""
    at = {len(posts) * (n + 1) // (kills + 1) for n in range(kills)}
    connections = asyncio.Semaphore(MAX_CONNECTIONS)
    tasks: list[asyncio.Task[None]] = []
    async with httpx.AsyncClient(timeout=10) as client:
        begun = time.monotonic()
        for n, webhook in enumerate(posts):
            await asyncio.sleep(max(0, begun + n / rate - time.monotonic()))
            tasks.append(asyncio.create_task(post(client, connections, host.url, webhook)))
            if n in at:
                await host.stop(signal.SIGKILL)
                tasks.append(asyncio.create_task(host.start()))
        took = time.monotonic() - begun
        print(f"posted {len(posts)} webhooks in {took:.1f} s: {len(posts) / took:.0f}/s")
        await asyncio.gather(*tasks)


async def settled(host: Host, seconds: float) -> None:
    """Wait until the service has nothing left to do."""
    end = time.monotonic() + seconds
    async with httpx.AsyncClient(timeout=10) as client:
        while (answer := (await client.get(f"{host.url}/health")).json())["due_at"] is not None:
            if time.monotonic() > end:
                raise SystemExit(f"there is still something to do: {answer}")
            await asyncio.sleep(0.2)


def wanted_tags(webhooks: list[Webhook]) -> set[str]:
    """Return the tags that a contact should have, read in the order in which it happened."""
    tags: set[str] = set()
    for webhook in sorted(webhooks, key=lambda each: each.day):
        match webhook.name:
            case "PURCHASE_OUT_OF_SHOPPING_CART":
                tags.add("cart")
            case "PURCHASE_APPROVED":
                tags = (tags - {"cart"}) | {"buyer"}
            case _:
                tags.discard("buyer")
    return tags


def check(folder: Path, posts: list[Webhook]) -> list[str]:
    """Compare the journal and the contacts with what was posted; return what is wrong."""
    webhooks = {webhook.id: webhook for webhook in posts}
    contacts: dict[str, list[Webhook]] = {}
    for webhook in webhooks.values():
        contacts.setdefault(webhook.email, []).append(webhook)
    wrong: list[str] = []
    with SqliteJournal(folder / "journal.db") as journal, Send(folder / "contacts.db") as send:
        known = {event.id.partition(":")[0]: event.id for event in journal.events("42")}
        answered = {webhook.id for webhook in webhooks.values() if webhook.is_answered}
        wrong += [f"{each}: answered, and not in the journal" for each in answered - known.keys()]
        receipts = [journal.receipt(event_id) for event_id in known.values()]
        wrong += [
            f"{receipt.event_id}: {receipt.status}"
            for receipt in receipts
            if receipt.status is not DeliveryStatus.DONE
        ]
        states = [state for receipt in receipts for state in receipt.states]
        welcomed = Counter(message.email for message in send.due(datetime.max.replace(tzinfo=UTC)))
        for email, events in contacts.items():
            happened = [webhook for webhook in events if webhook.id in known]
            wanted = wanted_tags(happened)
            found = set(send.tags(email))
            if found != wanted:
                wrong.append(f"{email}: expected {sorted(wanted)}, got {sorted(found)}")
            bought = "buyer" in wanted
            refunded = any(webhook.name == "PURCHASE_REFUNDED" for webhook in happened)
            if not (welcomed[email] == 1 if bought else welcomed[email] <= refunded):
                wrong.append(f"{email}: {welcomed[email]} welcome messages")
        wrong += [f"{email}: nothing happened to it" for email in welcomed.keys() - contacts.keys()]
        report(posts, answered, len(known), Counter(state.status for state in states), journal)
        print(f"{len(contacts)} contacts, {sum(welcomed.values())} welcome messages")
    return wrong


def report(
    posts: list[Webhook],
    answered: set[str],
    known: int,
    statuses: Counter[Status],
    journal: SqliteJournal,
) -> None:
    """Print what happened, in numbers."""
    interrupted = sum(record.detail == "interrupted" for record in journal.history("42"))
    again = sum(webhook.tries for webhook in {id(each): each for each in posts}.values())
    print(f"{len({each.id for each in posts})} events, {again} requests with redeliveries")
    print(f"{len(answered)} events answered with 2xx, {known} in the journal")
    print(
        "actions: " + ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    )
    print(f"{interrupted} actions were interrupted by a kill, and sent again")


async def run(rate: float, seconds: float, kills: int, seed: int) -> int:
    """Run the load, and return the exit code."""
    rng = random.Random(seed)  # noqa: S311 - the same load for the same seed
    posts = schedule(int(rate * seconds), rng)
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder))
        await host.start()
        try:
            await send_all(host, posts, rate, kills)
            await settled(host, seconds=120)
        finally:
            await host.stop(signal.SIGTERM)
        wrong = check(Path(folder), posts)
    print("\n".join(wrong[:20]))
    answered = len({webhook.id for webhook in posts if webhook.is_answered})
    if wrong:
        print(f"{len(wrong)} faults")
    else:
        print(f"{answered} of {answered} events answered with 2xx were carried out exactly once")
    return 1 if wrong else 0


def main() -> int:
    """Read the command line; the load is bounded by rate, time and kills."""
    parser = argparse.ArgumentParser(description="load the webhook service, and kill it meanwhile")
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not (given.rate <= MAX_RATE and given.seconds <= MAX_SECONDS and given.kills <= MAX_KILLS):
        parser.error(f"at most --rate {MAX_RATE}, --seconds {MAX_SECONDS}, --kills {MAX_KILLS}")
    return asyncio.run(run(given.rate, given.seconds, given.kills, given.seed))


if __name__ == "__main__":
    raise SystemExit(main())
