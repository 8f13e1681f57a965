"""`batch_to_plans`: a journal keeps the same of these plans as of those of the engine."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from listboss import Engine, Event, Plan
from listboss.delivery import MemoryJournal
from listboss.errors import ConfigurationError
from listboss.rules import Capabilities, RuleSet, Verb
from listboss.scale import batch_to_plans, events_to_batch, plan_batch, plan_schema
from tests.scale.worlds import NOON, changed, large_orders, order, planned, world

RULES = large_orders()
OUT = plan_batch(Engine(RULES), events_to_batch([order(n) for n in range(3)], RULES))


def with_verb(rules: RuleSet) -> RuleSet:
    """The rules at accounts whose verb clears, asserts and is always sent."""
    for name, account in rules.providers.items():
        verbs = [
            attrs.evolve(verb, asserts="course", clears="trial", always=True, idempotent=True)
            for verb in account.verbs
        ]
        rules = rules.with_provider(name, attrs.evolve(account, verbs=verbs, rate=5, batch=2))
    return rules


def kept(events: Iterable[Event], plans: Iterable[Plan]) -> list[Any]:
    """All that a journal answers after it accepted these events with these plans."""
    journal = MemoryJournal()
    answers: list[Any] = []
    contacts = set()
    for n, (event, plan) in enumerate(zip(events, plans, strict=True)):
        answers.append(journal.accept(event, plan, NOON + timedelta(seconds=n)))
        contacts |= {event.contact.key} if event.contact else set()
    standing = [journal.standing(contact) for contact in sorted(contacts)]
    return [*answers, *standing, journal.history(), journal.due_at()]


def test_a_journal_keeps_the_same(amount: Callable[..., int]):
    """Receipts, history, and what each contact should have."""
    for seed in range(amount(ci=60, soak=2_000)):
        rules, events = world(seed, 25)
        rules, dice = with_verb(rules), Random(seed)
        events = [
            attrs.evolve(
                event,
                occurred_at=NOON + timedelta(hours=dice.randint(0, 5)),
                transaction=dice.choice((None, "HP1", "HP2")),
                subscriber_code=dice.choice((None, "S1")),
            )
            for event in events
        ]
        engine = Engine(rules)

        plans = batch_to_plans(plan_batch(engine, events_to_batch(events, rules)))

        assert kept(events, map(engine.plan, events)) == kept(events, plans)


def test_the_context_has_what_delivery_reads():
    """Rank, subject and ends; of an account its verbs, places and whether ids are honoured."""
    account = attrs.evolve(
        Capabilities.everything(),
        idempotent=True,
        one_place=True,
        verbs=(Verb("acme.enrol", {"course": "text"}, optional=("course",), clears="course"),),
    )
    rules = large_orders().with_provider("mail", account)
    events = [order(), order(name="purchase.refunded")]

    first, second = batch_to_plans(plan_batch(Engine(rules), events_to_batch(events, rules)))

    read = first.context.accounts["mail"]
    assert (True, True, "native", (Verb("acme.enrol", clears="course"),)) == (
        read.idempotent,
        read.one_place,
        read.add_lead,
        read.verbs,
    )
    expected = Engine(rules).plan(events[1]).context
    assert ("purchase", True, expected.rank) == (
        second.context.about,
        second.context.ends,
        second.context.rank,
    )


def test_plans_go_through_parquet(tmp_path: Path):
    """Nothing depends on metadata that a file or an engine drops."""
    rules, events = world(3, 40)
    engine = Engine(rules)
    out = plan_batch(engine, events_to_batch(events, rules))
    pq.write_table(pa.Table.from_batches([out]).replace_schema_metadata(None), tmp_path / "plans")

    batches = pq.ParquetFile(tmp_path / "plans").iter_batches(batch_size=10_000)

    assert planned(engine, events) == [plan for each in batches for plan in batch_to_plans(each)]


def test_plans_of_plain_strings():
    """An engine may give strings back without dictionaries."""
    schema = pa.schema(
        [(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in plan_schema()]
    )
    plain = pa.Table.from_batches([OUT]).cast(schema).to_batches()[0]

    assert batch_to_plans(OUT) == batch_to_plans(plain)


def test_a_batch_without_rows_has_no_plans():
    """An empty tuple."""
    assert () == batch_to_plans(OUT.slice(0, 0))


def several() -> pa.RecordBatch:
    """The rows of a plan with several actions, and of those around it."""
    for seed in range(100):
        rules, events = world(seed, 20)
        out = plan_batch(Engine(rules), events_to_batch(events, rules))
        if 2 in out.column("n").to_pylist():
            return out
    raise AssertionError("no world has a plan with three actions")


SEVERAL = several()
MIDDLE = SEVERAL.column("n").to_pylist().index(2) - 1


@pytest.mark.parametrize(
    "rows",
    [
        [n for n in range(SEVERAL.num_rows) if n != MIDDLE],
        [n for n in range(SEVERAL.num_rows) if n != MIDDLE - 1],
        [n for n in range(SEVERAL.num_rows) if n != MIDDLE + 1],
        [*range(MIDDLE - 1), MIDDLE, MIDDLE - 1, *range(MIDDLE + 1, SEVERAL.num_rows)],
        [*range(MIDDLE + 1)],
        [*range(MIDDLE, SEVERAL.num_rows)],
    ],
    ids=["second lost", "first lost", "third lost", "swapped", "cut after", "cut before"],
)
def test_rows_that_are_lost_or_out_of_order_are_noticed(rows):
    """Half of a plan is not delivered."""
    with pytest.raises(ConfigurationError) as caught:
        batch_to_plans(SEVERAL.take(pa.array(rows)))

    assert "keep the rows of an event together, sorted by `n`" == caught.value.hint


def test_rows_of_two_events_are_not_one_plan():
    """Also if their numbers fit."""
    ids = SEVERAL.column("event_id").to_pylist()
    ids[MIDDLE] = "another"

    with pytest.raises(ConfigurationError, match="not complete and in order"):
        batch_to_plans(changed(SEVERAL, "event_id", pa.array(ids)))


def test_a_column_that_is_missing_is_named():
    """As for events."""
    with pytest.raises(ConfigurationError) as caught:
        batch_to_plans(OUT.drop_columns(["account"]))

    assert "$.account" == caught.value.path


def test_rows_with_an_error_are_left_out():
    """They are not plans."""
    batch = events_to_batch([order(n) for n in range(3)], RULES)
    ids = pa.array(["e-0", None, "e-2"])
    out = plan_batch(Engine(RULES), changed(batch, "event_id", ids))

    assert ["e-0", "e-2"] == [plan.event_id for plan in batch_to_plans(out)]
