from pathlib import Path

from listboss.errors import WebhookError
from listboss.hotmart import parse
from listboss.rules.builtin import HOTMART
from listboss.rules.catalogue import Source

FOLDER = Path(__file__).parents[2] / "examples" / "webhooks"
BODIES = sorted(file for file in FOLDER.iterdir() if file.suffix != ".md")


def _outcome(file: Path) -> str:
    try:
        parsed = parse(file.read_bytes())
    except WebhookError:
        return "refused"
    return "test" if parsed.is_test else "ignored" if parsed.ignored else "events"


def test_outcomes_of_the_examples():
    """Every example body gives events, except those that are odd on purpose."""
    odd = {file.name: _outcome(file) for file in BODIES if _outcome(file) != "events"}
    assert odd == {
        "29-test-button.json": "test",
        "30-unknown-event.json": "ignored",
        "32-broken.json": "refused",
        "33-no-object.json": "refused",
    }


def test_examples_show_every_event_that_a_webhook_gives():
    """The examples include every event type whose source is a webhook."""
    given = {
        str(event.name)
        for file in BODIES
        if _outcome(file) == "events"
        for event in parse(file.read_bytes()).events
    }
    sources = {Source.WEBHOOK, Source.EXTENSION}
    assert {event.name for event in HOTMART.events if event.source in sources} - given == set()


def test_examples_in_the_order_of_their_arrival():
    """File names are in the order of the events."""
    times = [
        event.occurred_at
        for file in BODIES
        if _outcome(file) in {"events", "test"}
        for event in parse(file.read_bytes()).events
    ]
    assert sorted(times) == times
