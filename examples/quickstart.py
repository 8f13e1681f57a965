"""From a folder of webhook bodies to contacts in a provider: the whole way, once.

Reads examples/webhooks, plans by examples/rules.toml, carries the plans out in the embedded
provider on a temporary SQLite file, and prints what happened. No account, no network, no mail.
"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from listboss import AddLead, AddTag, Engine, Event, MoveLead, Place, RemoveLead, RemoveTag
from listboss.codec import load_rules
from listboss.delivery import Executor, MemoryJournal, Record, Status
from listboss.errors import WebhookError
from listboss.hotmart import parse
from listboss.send import Automation, Send, Step

HERE = Path(__file__).parent
START, END = datetime(2025, 3, 3, tzinfo=UTC), datetime(2025, 4, 24, tzinfo=UTC)
LEAD_LIMIT = 7
LANGUAGES = {"diego@example.com": "en"}  # in no webhook: a host adds what it knows itself
NEARLY = ("other_plan", "condition_not_met", "lost_conflict")  # on this event, and yet did not run
EXPIRED = "auto:purchase-expired:1001"
NEW_SLIP = Step("new-slip", subject="Your bank slip has expired", delay=timedelta(days=1))


def read() -> Iterator[tuple[str, Event | str]]:
    """Give the events of each body, or why it has none; a wrong body stops nothing."""
    for file in sorted((HERE / "webhooks").glob("[0-9]*")):
        try:
            parsed = parse(file.read_bytes())
        except WebhookError as error:
            yield file.name, f"no webhook: {error.message}"
            continue
        if parsed.ignored is not None:
            yield file.name, f"{parsed.ignored.reason}: {parsed.ignored.event}"
        for event in parsed.events:
            language = LANGUAGES.get(event.contact.key) if event.contact else None
            yield file.name, event.with_facts(language=language) if language else event


def place(given: Place | None) -> str:
    """Name a place."""
    return "" if given is None else " / ".join(given.parts.values())


def words(action: object) -> str:
    """Say an action in short."""
    match action:
        case AddTag(tag):
            return f"+ tag {tag}"
        case RemoveTag(tag):
            return f"- tag {tag}"
        case AddLead(to):
            return f"+ lead {place(to)}"
        case RemoveLead(source):
            return f"- lead {place(source)}"
        case MoveLead(to, source):
            return f"> lead {place(source)} > {place(to)}"
        case _:
            return str(action)


def show_rules(engine: Engine) -> None:
    """Print our own rules, with what is wrong with those that are flagged."""
    rules = engine.rules
    print(f"\n## {len(rules)} rules of our own for {len(rules.products)} products")
    for rule in rules.segmentations:
        faults = [finding for finding in rules.findings if finding.segmentation_id == rule.id]
        state = "FLAGGED" if faults else "on" if rule.enabled else "off"
        print(f"{state:<8}{rule.name}: {', '.join(map(words, rule.actions))}")
        for finding in faults:
            print(f"        {finding.code}: {finding.message}")


def show_event(event: Event, records: tuple[Record, ...], engine: Engine) -> None:
    """Print what an event changed, which rules asked for it, and which did not fit."""
    names = {rule.id: rule.name for rule in engine.rules.rules_of(event.product_id)}
    changed = [record for record in records if record.status is not Status.UNCHANGED]
    what = f"{records[0].contact}  {event.name} {event.product_id}"
    same = f"  (and {n} without a change)" if (n := len(records) - len(changed)) else ""
    print(f"{event.occurred_at:%d %b %H:%M}  {what}{same}")
    for record in changed:
        reasons = ", ".join(names.get(reason, reason) for reason in record.segmentation_ids)
        told = "" if record.status is Status.APPLIED else f" {record.status}: {record.detail}"
        print(f"    {words(record.action):<40}{reasons}{told}")
    for rule in engine.explain(event).rules:
        if rule.reason in NEARLY:
            print(f"    x {names[rule.segmentation_id]}: {rule.text}")


def carry_out(
    engine: Engine, executor: Executor, journal: MemoryJournal, times: list[datetime]
) -> Iterator[tuple[str, str]]:
    """Carry out the events of every body in turn, and yield what was ignored, and why."""
    for file, event in read():
        if isinstance(event, str):
            yield file, event
            continue
        times.append(max(times[-1], event.occurred_at))
        before = len(journal.history())
        receipt = executor.handle(event)
        records = journal.history()[before:]
        if not records or receipt.idle:
            yield file, f"{event.name}: {receipt.idle or 'delivered before'}"
            continue
        show_event(event, records, engine)
        product = engine.rules.product(event.product_id)
        if product and product.plans and event.plan_id and not product.plan(event.plan_id):
            yield file, f"{event.name}: unknown plan {event.plan_id}, so automatic rules only"


def show_contacts(send: Send) -> None:
    """Print the contacts in order of arrival, and the messages that are due."""
    print(f"\n## Contacts: lead limit {LEAD_LIMIT}, {send.remaining} left")
    for lead in send.contacts():
        beyond = "" if lead.sendable else "(beyond the limit: kept, but nothing is sent)"
        print(" ".join(filter(None, (lead.email, lead.label, beyond))))
        print(f"    {', '.join([*lead.tags, *(f'[{place(at)}]' for at in lead.places)])}")
    print(f"\n## Messages due on {END:%d %b}, for a mailer to send")
    for message in send.due(END):
        print(f"{message.email}: {message.subject} ({message.automation})")
        send.done(message.id)


def main() -> None:
    """Run it all on a store that is thrown away; the clock stands at the event at hand."""
    times, journal = [START], MemoryJournal()
    engine = Engine(load_rules((HERE / "rules.toml").read_bytes(), format="toml"))
    show_rules(engine)
    with (
        tempfile.TemporaryDirectory() as folder,
        Send(f"{folder}/send.sqlite", lead_limit=LEAD_LIMIT, clock=lambda: times[-1]) as send,
    ):
        send.save(Automation("Second chance", [EXPIRED], steps=NEW_SLIP, published=True))
        executor = Executor(engine, {"mail": send}, journal, clock=lambda: times[-1])
        tried = engine.rules.segmentations[1]
        receipt = executor.test(tried.id, "me@example.com")
        print(f"\n## Integration test of `{tried.name}`: {receipt.status}")
        print("\n## Events in, actions out, and who asked for them")
        ignored = list(carry_out(engine, executor, journal, times))
        print("\n## Ignored, and why")
        print("\n".join(f"{file:<36}{why}" for file, why in ignored))
        show_contacts(send)


if __name__ == "__main__":
    main()
