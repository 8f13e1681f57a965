"""`--processes`: the same output as in one process, results and messages in the same order."""

import json

import pytest

from listboss import HOTMART, EventType
from listboss.cli._events import PartReader
from listboss.cli._plan import _make_shown, _Terms
from listboss.codec import load_rules
from listboss.codec._travel import catalogue_from, catalogue_text, texts_of
from tests.cli.conftest import RULES, event, webhook


@pytest.fixture
def folder(write):
    """Events in lines, some of which cannot be read, and webhooks."""
    lines = [event(f"e-{n}", contact={"email": f"a{n % 700}@example.com"}) for n in range(1_100)]
    lines[3] = lines[600] = "no event"
    write("events/a.jsonl", "\n".join(lines))
    write("events/b.json", webhook())
    write("events/c.json", json.dumps({"event": "ORDER_FULFILLMENT"}))
    return write("events/d.json", "not a webhook").parent


@pytest.mark.parametrize("format", ["text", "json"])
def test_plans(run, rules, folder, format):
    """Every plan, in the order of the events."""
    command = ["plan", rules, folder, "--format", format, "--show-personal-data"]

    one, two = run(*command), run(*command, "--processes", 2)

    assert one == two
    assert 2 == one.code
    assert "3 of the inputs cannot be read" in one.err


def test_backtest(run, rules, after, folder):
    """The same report; what cannot be read is reported once."""
    command = ["backtest", rules, after, folder, "--format", "json"]

    one, two = run(*command), run(*command, "--processes", 2)

    assert one == two
    assert 700 == json.loads(one.out)["changed"]


def test_the_catalogue_of_the_host():
    """A process knows the events of the host."""
    own = HOTMART.extended(events=[EventType("quiz.passed", "Passed our quiz")])
    rules = load_rules(RULES, format="toml", catalogue=own)
    line = event("e-1", "quiz.passed").encode()

    show = _make_shown(
        texts_of(rules),
        PartReader(catalogue_text(own), "purchase.waiting_payment"),
        _Terms("text", include_tests=False, show_personal_data=False),
    )

    assert own == catalogue_from(catalogue_text(own))
    assert ["event `quiz.passed` `e-1` on product `42` (idle: no rule)"] == show([("a", line)])


@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_wrong_numbers(run, rules, folder, number):
    """At least one process is needed."""
    result = run("plan", rules, folder, "--processes", number)

    assert 2 == result.code
    assert "invalid number of processes value" in result.err
