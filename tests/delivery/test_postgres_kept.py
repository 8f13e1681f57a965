"""A connection to PostgreSQL keeps the rows of its lanes, until another one changes the lane."""

from datetime import timedelta

import pytest

from listboss import AddTag
from listboss.delivery import RetryPolicy
from listboss.delivery._postgres_store import PostgresStore
from listboss.provider import Applied
from listboss.standing import Mark, Reach, Stamp

LEASE = timedelta(seconds=60)
ANA = "ana@example.com"


@pytest.fixture
def journal(postgres_journal):
    """An empty journal in PostgreSQL."""
    return postgres_journal


@pytest.fixture
def worker(journal, clock):
    """Claim and record with one worker; return what it is to send."""

    def worker(attempts=(), want=1, in_doubt=1):
        results = [RetryPolicy().settle(each, Applied(), clock.now) for each in attempts]
        terms = {"want": want, "lease": LEASE, "in_doubt": in_doubt}
        return journal.turn("one", results, clock.now, **terms)

    return worker


@pytest.fixture
def asked(monkeypatch):
    """The statements that are carried out from now on."""
    statements: list[str] = []
    execute = PostgresStore.execute

    def record(self, sql, values=(), /):
        statements.append(sql)
        return execute(self, sql, values)

    monkeypatch.setattr(PostgresStore, "execute", record)
    return statements


@pytest.fixture
def buyers(make_executor, make_segmentation):
    """An executor that gives buyers of product 42 two tags."""
    return make_executor(make_segmentation("buyers", [AddTag("a"), AddTag("b")]))


def sent(attempts):
    """What attempts are to send, as a person writes it."""
    return [str(each.planned.action) for each in attempts]


def test_nothing_is_read_again(buyers, make_event, worker, asked):
    """The next action of a lane that nobody else changed is judged by what was read before."""
    buyers.accept(make_event())
    first = worker()
    asked.clear()
    second = worker(first)
    read = {sql.split(" FROM ")[-1].split()[0] for sql in asked if sql.startswith("SELECT found")}
    assert (sent(first), sent(second), read) == (["add tag `a`"], ["add tag `b`"], set())


@pytest.mark.parametrize("events", [1, 40], ids=["a short lane", "a long lane"])
def test_what_another_process_says_counts(owners, other, make_event, worker, *, clock, events):
    """After a refund in another process, the next action of the lane is not sent."""
    for number in range(events):
        owners.accept(make_event(f"e-{number}", transaction="HP1", day=-number))
    owners.accept(make_event("again", transaction="HP1", day=1))
    first = worker()
    refund = make_event("back", name="purchase.refunded", transaction="HP1", day=2)
    other.accept(refund, owners.engine.plan(refund), clock.now)
    assert (sent(first), sent(worker(first))) == (["add tag `owner`"], ["remove tag `owner`"])


def test_a_lane_that_another_worker_had(buyers, make_event, journal, other, *, worker, clock):
    """What another worker has sent meanwhile is not sent again."""
    buyers.accept(make_event())
    first = worker()
    clock.turn(minutes=5)
    stolen = other.turn("two", (), clock.now, want=1, lease=LEASE)
    settled = [RetryPolicy().settle(each, Applied(), clock.now) for each in stolen]
    other.turn("two", settled, clock.now, want=0, lease=LEASE)
    assert sent(worker(first)) == ["add tag `b`"]
    details = [record.detail[:13] for record in journal.history(status="applied")]
    assert details == ["", "reported late"]


@pytest.mark.parametrize("in_doubt", [1, 3, 20])
def test_order_of_a_long_lane(make_executor, make_segmentation, make_event, worker, in_doubt):
    """A lane that is longer than what is read at once, and grows, is sent in its order."""
    rules = [make_segmentation(f"r-{n}", AddTag(f"tag {n}")) for n in range(30)]
    executor = make_executor(*rules)
    executor.accept(make_event("e-0"))
    found, attempts = [], worker(in_doubt=in_doubt, want=in_doubt)
    while attempts:
        found += sent(attempts)
        if len(found) in (3, 20):
            executor.accept(make_event("e-1"))
        attempts = worker(attempts, in_doubt=in_doubt, want=in_doubt)
    assert found == [f"add tag `tag {n}`" for n in sorted(range(30), key=str)] * 2


CHANGES = {
    "an action": lambda store, lane, row, mark: store.put_action(row),
    "a field": lambda store, lane, row, mark: store.put_field(lane, "name", row.stamp, "x"),
    "a target": lambda store, lane, row, mark: store.put_target(store.targets(lane)[0]),
    "a new mark": lambda store, lane, row, mark: store.add_mark(lane, mark),
    "marks of an event": lambda store, lane, row, mark: store.drop_marks(lane, row.event_id),
    "covered marks": lambda store, lane, row, mark: store.cover(lane, mark),
    "a mark that is dropped": lambda store, lane, row, mark: store.drop_mark(lane, mark),
    "outlived marks": lambda store, lane, row, mark: store.drop_outlived(lane, mark),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_writes_the_lane(buyers, make_event, journal, worker, change):
    """A change of anything that belongs to a lane shows in the version of the lane's row."""
    buyers.accept(make_event())
    worker()

    def version(store):
        (lane,) = [each for each in store.lanes_of(ANA) if each.provider == "mail"]
        return store._one("SELECT xmin AS version FROM lane WHERE id = ?", lane.id), lane.id

    with journal._transaction() as store:
        before, lane = version(store)
        row = next(store.open_actions(lane))
        stamp = Stamp(row.stamp.occurred_at + timedelta(days=1), 0, "later")
        change(store, lane, row, Mark("mail", "tag:a", None, Reach.ALL, stamp, row.action_id))
    with journal._reading() as store:
        assert version(store)[0] != before
