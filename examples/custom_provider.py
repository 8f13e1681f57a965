"""A host's own provider: newsletters kept by a made-up web service, one dictionary here.

What a provider needs: `capabilities`, equal to what the rule set says of the account, and
`apply`, which does one action and answers with one of six outcomes. Run it as it is.
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
    """Stands for the web service: HTTP in real life, with status codes of its own."""

    def __init__(self) -> None:
        self.tags: dict[str, set[str]] = {}
        self.busy = False
        self._answered: dict[str, int] = {}

    def request(self, method: str, email: str, tag: str, *, key: str) -> int:
        """Put a tag on or take it off; answers 200, 204 (as it was), 403 or 429."""
        if self.busy:
            return 429
        if email.startswith("blocked"):
            return 403
        if key not in self._answered:  # a request repeated with its key is done once
            tags = self.tags.setdefault(email, set())
            self._answered[key] = 204 if (tag in tags) == (method == "PUT") else 200
            tags.add(tag) if method == "PUT" else tags.discard(tag)
        return self._answered[key]


class Newsletters:
    """The provider: an action in, an outcome out."""

    capabilities = Capabilities(add_tag="native", remove_tag="native", idempotent=True)

    def __init__(self, service: Service) -> None:
        self._service = service

    def apply(self, action: PlannedAction, call: Call) -> Outcome:
        """Carry out one action; its id goes along, so that nothing is done twice."""
        match action.action:
            case AddTag(tag):
                status = self._service.request("PUT", action.email, tag, key=action.id)
            case RemoveTag(tag):
                status = self._service.request("DELETE", action.email, tag, key=action.id)
            case _:
                return Refused("only tags can be put on and taken off", "configuration")
        match status:
            case 200:
                return Applied()
            case 204:
                return NoChange()
            case 429:
                return Throttled(timedelta(seconds=30 * call.attempt))
            case 403:
                return Refused("the contact has unsubscribed", "suppressed")
            case _:  # whatever else: an exception counts as `Unknown`, and its text is not kept
                raise ConnectionError(f"status {status}")


def main() -> None:
    """One product, two rules, four events."""
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

    service.busy = False
    later = datetime.now(UTC) + timedelta(minutes=1)
    for receipt in executor.run_due(later):
        print(f"{'a minute later':20} {'bruno@example.com':20} {receipt.status}")

    print()
    for record in journal.history("42"):
        print(f"{record.contact:20} {record.action!r:24} {record.status:10} {record.detail}")
    assert {"bruno@example.com"} == {email for email, tags in service.tags.items() if tags}


if __name__ == "__main__":
    main()
