"""A provider of your own, for an imaginary newsletter service that accepts only tags.

A provider has `capabilities`, which the rule set also gives for the account, and `apply`, which
carries out one action and returns one of six outcomes. Run this file to see the results.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from listboss import (
    AddTag,
    Capabilities,
    Contact,
    Engine,
    Event,
    EventName,
    PlannedAction,
    Product,
    RemoveTag,
    RuleSet,
    Segmentation,
)
from listboss.delivery import Executor, MemoryJournal
from listboss.provider import Applied, Call, NoChange, Outcome, Refused, Throttled


class Service:
    """The newsletter service; a real one would be called over HTTP."""

    def __init__(self) -> None:
        self.tags: dict[str, set[str]] = {}
        self.busy = False
        self._responses: dict[str, int] = {}

    def request(self, method: str, email: str, tag: str, *, key: str) -> int:
        """Add or remove a tag; return 200, 204 (nothing changed), 403 (blocked) or 429 (busy)."""
        if self.busy:
            return 429
        if email.startswith("blocked"):
            return 403
        if key not in self._responses:  # a repeated request with the same key does nothing
            tags = self.tags.setdefault(email, set())
            self._responses[key] = 204 if (tag in tags) == (method == "PUT") else 200
            tags.add(tag) if method == "PUT" else tags.discard(tag)
        return self._responses[key]


class Newsletters:
    """The provider: maps each action to a request, and each response to an outcome."""

    capabilities = Capabilities(add_tag="native", remove_tag="native", idempotent=True)

    def __init__(self, service: Service) -> None:
        self._service = service

    def apply(self, action: PlannedAction, call: Call) -> Outcome:
        """Carry out one action; the service gets its id as a key, so nothing is done twice."""
        match action.action:
            case AddTag(tag):
                status = self._service.request("PUT", action.email, tag, key=action.id)
            case RemoveTag(tag):
                status = self._service.request("DELETE", action.email, tag, key=action.id)
            case _:
                return Refused("this service can only add and remove tags", "configuration")
        match status:
            case 200:
                return Applied()
            case 204:
                return NoChange()
            case 429:
                return Throttled(timedelta(seconds=30 * call.attempt))  # pauses the account
            case 403:
                return Refused("the contact has unsubscribed", "suppressed")
            case _:  # an exception counts as `Unknown`, and its text is not stored
                raise ConnectionError(f"status {status}")


def main() -> None:
    """Handle four events with two rules for one product, and print what happened."""
    service = Service()
    provider = Newsletters(service)
    rules = RuleSet(
        [Product("42", "Course", approved_at=date(2025, 1, 1))],
        [
            Segmentation(
                name,
                product_id="42",
                provider="newsletters",
                event=event,
                actions=action,
                enabled=True,
            )
            for name, event, action in (
                ("Buyers", EventName.PURCHASE_APPROVED, AddTag("buyer")),
                ("Refunds", EventName.PURCHASE_REFUNDED, RemoveTag("buyer")),
            )
        ],
        providers={"newsletters": provider.capabilities},
    )
    journal = MemoryJournal()
    executor = Executor(Engine(rules), {"newsletters": provider}, journal)

    print("## Events, and the status of their delivery")
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    for n, (name, email) in enumerate(
        (
            (EventName.PURCHASE_APPROVED, "ana@example.com"),
            (EventName.PURCHASE_APPROVED, "blocked@example.com"),
            (EventName.PURCHASE_APPROVED, "bruno@example.com"),
            (EventName.PURCHASE_REFUNDED, "ana@example.com"),
        )
    ):
        service.busy = email.startswith("bruno")
        event = Event(name, id=f"e-{n}", product_id="42", contact=Contact(email), occurred_at=noon)
        receipt = executor.handle(event)
        print(f"{name:20} {email:20} {receipt.status}")

    print("\n## One minute later, when the service is no longer busy")
    service.busy = False
    later = datetime.now(UTC) + timedelta(minutes=1)
    executor.run_due(later)
    for event in journal.events():
        print(f"{event.id} {event.name:20} {journal.receipt(event.id).status}")

    print("\n## The history: each attempt, with its outcome")
    for record in journal.history("42"):
        line = f"{record.contact:20} {record.action!r:24} {record.status:10} {record.detail}"
        print(line.rstrip())
    assert {"bruno@example.com"} == {email for email, tags in service.tags.items() if tags}


if __name__ == "__main__":
    main()
