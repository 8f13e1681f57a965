"""From a folder of webhook bodies to contacts at a provider: every step of the way.

Reads examples/webhooks, plans each event with the rules of examples/rules.toml, carries the plans
out in the embedded provider on a temporary SQLite file, and prints what happened. It needs no
account, uses no network, and sends no mail.
"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from listboss import Engine, Event, Idle, Severity
from listboss.codec import load_rules
from listboss.delivery import Executor, MemoryJournal, Record, Status
from listboss.errors import WebhookError
from listboss.hotmart import parse
from listboss.send import Automation, Send, Step

HERE = Path(__file__).parent
START, END = datetime(2025, 3, 3, tzinfo=UTC), datetime(2025, 4, 24, tzinfo=UTC)
LEAD_LIMIT = 6
LANGUAGES = {"diego@example.com": "en"}  # no webhook has the language: a host adds what it knows
WORTH_EXPLAINING = ("other_plan", "condition_not_met", "lost_conflict")
IGNORED = {
    Idle.UNADDRESSED: "no e-mail address",
    Idle.TEST: "a test event",
    Idle.UNKNOWN_PRODUCT: "the product is not in rules.toml",
}
EXPIRED = "auto:purchase-expired:1001"
NEW_SLIP = Step("new-slip", subject="Your bank slip has expired", delay=timedelta(days=1))
LEGEND = """\
Below each event are the changes it made and, on the right, the rule behind each change (those that
begin with "auto." are automatic). Actions with nothing to change, such as removing a tag that the
contact does not have, are left out. "Not run" lists rules for the same event that did not run, and
"Unknown plan" a subscription plan that rules.toml does not have, so that no custom rule could run.
"""


def read_webhooks() -> Iterator[tuple[str, Event | str]]:
    """Yield the events of each file, or why it has none; a broken file does not stop the others."""
    for file in sorted((HERE / "webhooks").glob("[0-9]*")):
        try:
            parsed = parse(file.read_bytes())
        except WebhookError as error:
            yield file.name, f"not a webhook: {error.message}"
            continue
        if parsed.ignored is not None:
            yield file.name, f"{parsed.ignored.event}: {parsed.ignored.reason.replace('_', ' ')}"
        for event in parsed.events:
            language = LANGUAGES.get(event.contact.key) if event.contact else None
            yield file.name, event.with_facts(language=language) if language else event


def show_rules(engine: Engine) -> None:
    """Print the custom rules and their findings; a rule with an error is flagged."""
    rules = engine.rules
    print(f"## {len(rules)} custom rules for {len(rules.products)} products")
    for product in rules.products:
        print(f"{product.name} (product {product.id})")
        for rule in rules.rules_of(product.id):
            found = [each for each in rules.findings if each.segmentation_id == rule.id]
            flagged = any(each.severity is Severity.ERROR for each in found)
            state = "FLAGGED" if flagged else "on" if rule.enabled else "off"
            print(f"    {state:<8}{rule.name}: {', '.join(map(str, rule.actions))}")
            for finding in found:
                print(f"            {finding}")


def show_event(event: Event, records: tuple[Record, ...], engine: Engine) -> None:
    """Print what an event changed, the rules behind it, and the custom rules that did not run."""
    names = {rule.id: rule.name for rule in engine.rules.rules_of(event.product_id)}
    product = engine.rules.product(event.product_id)
    what = f"{event.name} ({product.name if product else event.product_id})"
    print(f"{event.occurred_at:%d %b %H:%M}  {records[0].contact}  {what}")
    changed = [record for record in records if record.status is not Status.UNCHANGED]
    for record in changed:
        reasons = ", ".join(names.get(reason, reason) for reason in record.segmentation_ids)
        problem = "" if record.status is Status.APPLIED else f" {record.status}: {record.detail}"
        print(f"    {record.action!s:<48}{reasons}{problem}")
    if not changed:
        print("    nothing to change")
    if product and product.plans and event.plan_id and not product.plan(event.plan_id):
        print(f"    Unknown plan: {event.plan_id}")
    for rule in engine.explain(event).rules:
        if rule.segmentation_id in names and rule.reason in WORTH_EXPLAINING:
            print(f"    Not run: {names[rule.segmentation_id]} ({rule.text})")


def carry_out(
    engine: Engine, executor: Executor, journal: MemoryJournal, times: list[datetime]
) -> Iterator[tuple[str, str]]:
    """Carry out the events of each file in turn, and yield what was ignored, and why."""
    for file, event in read_webhooks():
        if isinstance(event, str):
            yield file, event
            continue
        times.append(max(times[-1], event.occurred_at))
        before = len(journal.history())
        receipt = executor.handle(event)
        records = journal.history()[before:]
        if receipt.idle:
            yield file, f"{event.name}: {IGNORED.get(receipt.idle, receipt.idle)}"
            continue
        if not records:
            yield file, f"{event.name}: delivered a second time"
            continue
        show_event(event, records, engine)


def show_contacts(send: Send) -> None:
    """Print the contacts in order of arrival, and the messages that are due."""
    print(f"\n## Contacts (lead limit {LEAD_LIMIT}, {send.remaining} left)")
    print("AUTO marks the contacts that automatic capture added.\n")
    for lead in send.contacts():
        beyond = "" if lead.sendable else "(beyond the lead limit: kept, but receives no mail)"
        print(" ".join(filter(None, (lead.email, lead.label, beyond))))
        lists = f"; lists: {', '.join(map(str, lead.places))}" if lead.places else ""
        print(f"    tags: {', '.join(lead.tags)}{lists}")
    print(f"\n## Messages due on {END:%d %b}, for your mailer to send")
    for message in send.due(END):
        print(f"{message.email}: {message.subject} (automation: {message.automation})")
        send.done(message.id)


def main() -> None:
    """Run everything on a temporary store; its clock shows the time of the current event."""
    times, journal = [START], MemoryJournal()
    engine = Engine(load_rules((HERE / "rules.toml").read_bytes(), format="toml"))
    show_rules(engine)
    with (
        tempfile.TemporaryDirectory() as folder,
        Send(f"{folder}/send.sqlite", lead_limit=LEAD_LIMIT, clock=lambda: times[-1]) as send,
    ):
        send.save(Automation("Expired bank slip", [EXPIRED], steps=NEW_SLIP, published=True))
        executor = Executor(engine, {"mail": send}, journal, clock=lambda: times[-1])
        tested = engine.rules.segmentations[1]
        receipt = executor.test(tested.id, "me@example.com")
        print("\n## Integration test")
        print(f"{tested.name}, with test data for me@example.com: {receipt.status}")
        print("\n## Events and what they changed")
        print(LEGEND)
        ignored = list(carry_out(engine, executor, journal, times))
        print("\n## Webhooks that were ignored")
        print("\n".join(f"{file:<36}{why}" for file, why in ignored))
        show_contacts(send)


if __name__ == "__main__":
    main()
