"""`accept_plans`: a journal takes plans of a batch as it takes those of an executor."""

from collections.abc import Callable
from datetime import timedelta

import attrs
import pyarrow as pa
import pytest

from listboss import Engine, Event, Plan
from listboss.delivery import Executor, MemoryJournal, PostgresJournal, SqliteJournal
from listboss.errors import ConfigurationError
from listboss.provider import Applied
from listboss.rules import Capabilities
from listboss.scale import accept_plans, events_to_batch, plan_batch
from listboss.scale._plans import whole_plans
from tests.scale.worlds import NOON, large_orders, order, world


class Account:
    """An account that keeps what it is sent, by key."""

    def __init__(self, capabilities: Capabilities) -> None:
        self.capabilities = capabilities
        self.sent: list[tuple[str, object]] = []

    def apply(self, planned, call):
        """Keep the action."""
        self.sent.append((call.key, planned.action))
        return Applied()


def delivered(engine: Engine, journal) -> dict[str, list[tuple[str, object]]]:
    """What the accounts were sent of a journal."""
    accounts = {name: Account(each) for name, each in engine.rules.providers.items()}
    Executor(engine, accounts, journal, clock=lambda: NOON).run_due()
    return {name: account.sent for name, account in accounts.items()}


def kept(journal, engine: Engine, events: list[Event]) -> object:
    """Everything that a journal says of events, before and after delivery."""
    receipts = [journal.receipt(event.id) for event in events]
    sent = delivered(engine, journal)
    people = {event.contact.key: event.contact for event in events if event.contact}
    standing = [journal.standing(contact) for contact in people.values()]
    history = [attrs.evolve(record, number=0) for record in journal.history()]
    return receipts, sent, standing, history


def planned_in_a_batch(engine: Engine, events: list[Event]) -> pa.RecordBatch:
    """The plans of events as columns."""
    return plan_batch(engine, events_to_batch(events, engine.rules))


def one_by_one(engine: Engine, events: list[Event], *, endings="by_grant") -> MemoryJournal:
    """The journal of an executor that accepted the events."""
    journal = MemoryJournal()
    accounts = {name: Account(each) for name, each in engine.rules.providers.items()}
    executor = Executor(engine, accounts, journal, clock=lambda: NOON, endings=endings)
    for event in events:
        executor.accept(event)
    return journal


@pytest.mark.parametrize("endings", ["by_grant", "absolute"])
def test_same_delivery_as_by_an_executor(amount: Callable[..., int], endings):
    """Receipts, calls, standing and history are those of `Executor.accept`."""
    for seed in range(amount(ci=60, soak=2_000)):
        rules, events = world(seed, 20)
        engine, journal = Engine(rules), MemoryJournal()

        accept_plans(journal, planned_in_a_batch(engine, events), NOON, endings=endings)

        expected = kept(one_by_one(engine, events, endings=endings), engine, events)
        assert expected == kept(journal, engine, events)


def test_a_repeated_batch_changes_nothing():
    """Each event is accepted once, however often its batch is repeated."""
    rules, events = world(3, 60)
    engine, journal = Engine(rules), MemoryJournal()
    batch = planned_in_a_batch(engine, [*events[:40], *events[20:]])

    first = accept_plans(journal, batch, NOON)
    again = accept_plans(journal, batch, NOON + timedelta(days=1))

    assert first == again
    assert kept(one_by_one(engine, events), engine, events) == kept(journal, engine, events)


def test_journal_in_a_file(tmp_path):
    """`SqliteJournal` takes plans, too."""
    rules, events = world(5, 60)
    engine = Engine(rules)
    with SqliteJournal(tmp_path / "journal.sqlite") as journal:
        accept_plans(journal, planned_in_a_batch(engine, events), NOON)

        assert kept(one_by_one(engine, events), engine, events) == kept(journal, engine, events)


def test_journal_in_postgresql(postgres_journal: PostgresJournal):
    """`PostgresJournal` takes plans, too."""
    rules, events = world(5, 60)
    engine = Engine(rules)

    accept_plans(postgres_journal, planned_in_a_batch(engine, events), NOON)

    expected = kept(one_by_one(engine, events), engine, events)
    assert expected == kept(postgres_journal, engine, events)


def test_events_in_a_transaction():
    """`events_at_once` of them."""
    groups: list[int] = []

    class Counting(MemoryJournal):
        def accept_planned(self, pairs, now):
            groups.append(len(pairs))
            return super().accept_planned(pairs, now)

    rules = large_orders()
    batch = planned_in_a_batch(Engine(rules), [order(n) for n in range(7)])

    accept_plans(Counting(), batch, NOON, events_at_once=3)

    assert [3, 3, 1] == groups


def test_the_event_itself_is_not_kept():
    """It lacks what only rules read, so planning it anew is refused."""
    rules = large_orders()
    engine, journal = Engine(rules), MemoryJournal()
    accept_plans(journal, planned_in_a_batch(engine, [order()]), NOON)
    executor = Executor(engine, {"mail": Account(rules.providers["mail"])}, journal)

    assert (None, []) == (journal.event("e-0"), [*journal.events()])
    with pytest.raises(ConfigurationError) as caught:
        executor.replan("e-0")
    assert "event_not_kept" == caught.value.code


def test_rows_with_an_error_are_left_out():
    """The other events are accepted."""
    rules = large_orders()
    batch = events_to_batch([order(0), order(1)], rules)
    errors = pa.array(["bad", None])
    batch = pa.RecordBatch.from_arrays(
        [*batch.columns, errors], names=[*batch.schema.names, "error"]
    )

    receipts = accept_plans(MemoryJournal(), plan_batch(Engine(rules), batch), NOON)

    assert ["e-1"] == [receipt.event_id for receipt in receipts]


@pytest.mark.parametrize("given", [{"endings": "any"}, {"events_at_once": 0}])
def test_arguments(given):
    """Another way to end, and no event in a transaction, are refused."""
    rules = large_orders()
    batch = planned_in_a_batch(Engine(rules), [order()])

    with pytest.raises(ConfigurationError) as caught:
        accept_plans(MemoryJournal(), batch, NOON, **given)
    assert f"$.{next(iter(given))}" == caught.value.path


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_batches_are_cut_between_plans(size):
    """However an engine cuts its batches, none of the new ones ends within a plan."""
    rules, events = world(3, 60)
    engine = Engine(rules)
    whole = planned_in_a_batch(engine, events)
    cut = [whole.slice(n, size) for n in range(0, whole.num_rows, size)]

    new = [*whole_plans(cut)]

    expected: list[Plan] = [engine.plan(event) for event in events]
    receipts = [r for each in new for r in accept_plans(MemoryJournal(), each, NOON)]
    assert [plan.event_id for plan in expected] == [receipt.event_id for receipt in receipts]
    assert whole.num_rows == sum(batch.num_rows for batch in new)


def test_a_plan_that_is_not_whole_is_an_error():
    """A filter that drops rows of a plan would deliver half of it."""
    rules, events = world(3, 60)
    whole = planned_in_a_batch(Engine(rules), events)

    some = whole.filter(pa.compute.field("n") == 1)

    batch = next(whole_plans([some]))

    with pytest.raises(ConfigurationError):
        accept_plans(MemoryJournal(), batch, NOON)
