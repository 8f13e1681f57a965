"""Odd arguments of journals and executors: each raises an error of listboss."""

import asyncio
import re
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from listboss import Contact
from listboss.delivery import AsyncExecutor, DeliveryStatus, Executor, MemoryJournal, Status
from listboss.errors import ArgumentTypeError, ConfigurationError, ListBossError
from listboss.provider import Applied

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
NAIVE = datetime(2026, 5, 4)  # noqa: DTZ001 # on purpose: without a time zone
SURROGATE = "ana\ud800@example.com"
BYTES = b"e-1"
FILTERS: dict[str, list[Any]] = {
    "product_id": [42, BYTES, {"42"}, "\ud800"],
    "contact": [7, BYTES, ["ana@example.com"], SURROGATE],
    "event_id": [7, BYTES],
    "segmentation_id": [7, {"r"}],
    "provider": [True, ["mail"]],
    "status": ["", "aplied", "APPLIED", 7, {"applied"}, ["applied"]],
    "is_test": [1, "yes"],
    "since": [NAIVE, date(2026, 5, 4), "2026-05-04"],
    "until": [NAIVE, 7],
}
QUERIES: dict[str, Callable[[Any, Any], object]] = {
    "before": lambda journal, value: journal.history(before=value),
    "limit of a page": lambda journal, value: journal.history(limit=value),
    "limit of what is stuck": lambda journal, value: journal.stuck(limit=value),
}
OTHERS: dict[str, tuple[Callable[[Any, Any], object], list[Any]]] = {
    "event": (lambda journal, value: journal.event(value), [7, None, BYTES, {"e-1"}]),
    "receipt": (lambda journal, value: journal.receipt(value), [7, None, BYTES, {"e-1"}]),
    "account": (lambda journal, value: journal.stuck(value), [7, ["mail"]]),
    "product": (lambda journal, value: journal.stuck(product_id=value), [42, {"42"}]),
    "standing": (lambda journal, value: journal.standing(value), [7, None, BYTES]),
    "events of": (lambda journal, value: journal.events(contact=value), [7, BYTES]),
    "events since": (lambda journal, value: journal.events(since=value), [NAIVE, 7]),
    "retry": (lambda journal, value: journal.retry(NOW, status=value), ["wating", 7, "done"]),
    "retry event": (lambda journal, value: journal.retry(NOW, event_id=value), [7, BYTES]),
    "retry account": (lambda journal, value: journal.retry(NOW, account=value), [7]),
    "forget": (lambda journal, value: journal.forget(value), [7, None, SURROGATE]),
    "forget at": (lambda journal, value: journal.forget("a@example.com", value), [NAIVE, {1}]),
    "prune": (lambda journal, value: journal.prune(value), [NAIVE, None, 60]),
}


@pytest.fixture
def journal(any_journal):
    """A journal of each kind."""
    return any_journal


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in FILTERS.items() for value in values],
)
@pytest.mark.parametrize("query", ["history", "count"])
def test_filter(journal, query, name, value):
    """A filter that no record can meet is an error, and not an empty answer."""
    with pytest.raises(ListBossError) as caught:
        getattr(journal, query)(**{name: value})
    assert f"$.{name}" == caught.value.path


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("value", [-1, 1.5, "7", True])
def test_number(journal, query, value):
    """A number of records is a whole one."""
    with pytest.raises(ListBossError, match="expected an integer"):
        QUERIES[query](journal, value)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, (_, values) in OTHERS.items() for value in values]
)
def test_other_argument(journal, name, value):
    """Every other argument of the wrong type, and every unknown word, is an error, too."""
    with pytest.raises(ListBossError):
        OTHERS[name][0](journal, value)


@pytest.mark.parametrize("status", [*Status, *DeliveryStatus], ids=repr)
def test_every_status_is_known(journal, status):
    """The history can be asked for each status, as a member or as a string."""
    assert () == journal.history(status=status) == journal.history(status=str(status))


def test_unknown_status(journal):
    """The error of a misspelled status has the nearest one."""
    with pytest.raises(ConfigurationError) as caught:
        journal.history(status="waitng")
    assert "did you mean `waiting`?" == caught.value.hint


def test_absent_filters(journal, executor, make_event):
    """None does not filter."""
    executor.handle(make_event())
    everything = journal.history()
    filters = dict.fromkeys((*FILTERS, "before", "limit"))
    assert everything == journal.history(**filters)
    assert [make_event()] == list(journal.events(contact=Contact("ana@example.com")))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("engine", None),
        ("journal", "journal.db"),
        ("policy", 3),
        ("clock", NOW),
        ("observer", print),
        ("worker", 7),
        ("lease", 60),
        ("in_doubt", 1.5),
        ("assume_in_sync", "no"),
    ],
)
def test_setting(make_engine, mail, crm, *, name, value):
    """A setting of the wrong type is refused when the executor is made."""
    settings = {"engine": make_engine(), "journal": MemoryJournal(), name: value}
    with pytest.raises(ArgumentTypeError) as caught:
        Executor(providers={"mail": mail, "crm": crm}, **settings)
    assert f"$.{name}" == caught.value.path


class Unable:
    """A provider that does not say what it can do."""

    def apply(self, _planned: object, _call: object) -> Applied:
        """Carry out an action."""
        return Applied()


@pytest.mark.parametrize(
    ("providers", "path", "hint"),
    [
        (["mail"], "$.providers", "map each name to its provider"),
        ({"mail": "mail"}, "$.providers.mail", "it has no method `apply`"),
        ({"mail": Unable}, "$.providers.mail", "pass an object of the class"),
        (
            {"mail": Unable()},
            "$.providers.mail",
            "give it an attribute `capabilities` with its `Capabilities`",
        ),
    ],
)
def test_providers(make_engine, journal, providers, path, hint):
    """Providers come by name; each can carry out an action, and says which ones."""
    with pytest.raises(ArgumentTypeError) as caught:
        Executor(make_engine(), providers, journal)
    assert (path, hint) == (caught.value.path, caught.value.hint)


def test_clock_without_a_zone(make_engine, make_event, mail, crm):
    """A clock without a time zone is refused before anything is kept with its time."""
    providers, kept = {"mail": mail, "crm": crm}, MemoryJournal()
    for call in (lambda each: each.run_due(), lambda each: each.accept(make_event())):
        with pytest.raises(ConfigurationError, match="no time zone") as caught:
            call(Executor(make_engine(), providers, kept, clock=lambda: NAIVE))
        assert "$.clock" == caught.value.path

    executor = Executor(make_engine(), providers, kept, clock=lambda: NOW)
    assert "done" == executor.handle(make_event()).status


@pytest.mark.parametrize(
    ("stop", "hint"),
    [(False, "it has no method `is_set`"), (asyncio.Event(), "use `AsyncExecutor`")],
)
def test_stop_is_an_event(executor, stop, hint):
    """What cannot be set by a thread is not a way to stop a worker."""
    with pytest.raises(
        ArgumentTypeError, match=re.escape("expected a `threading.Event`")
    ) as caught:
        executor.run(stop)
    assert hint == caught.value.hint


@pytest.mark.parametrize("stop", [False, threading.Event()])
def test_stop_of_an_event_loop(make_engine, mail, crm, stop):
    """The event of a thread would hold the event loop, so it is refused."""
    executor = AsyncExecutor(make_engine(), {"mail": mail, "crm": crm}, MemoryJournal())
    with pytest.raises(ArgumentTypeError, match=re.escape("expected an `asyncio.Event`")):
        asyncio.run(executor.run(stop))


@pytest.mark.parametrize("call", ["accept", "handle"])
def test_replan_is_a_boolean(executor, make_event, call):
    """Nothing is converted to True or False."""
    with pytest.raises(ArgumentTypeError) as caught:
        getattr(executor, call)(make_event(), replan="no")
    assert "$.replan" == caught.value.path


@pytest.mark.parametrize("call", ["accept", "handle"])
def test_not_an_event(executor, call):
    """What is not an event is refused before anything is kept."""
    with pytest.raises(ArgumentTypeError, match="expected an event, got a mapping"):
        getattr(executor, call)({"id": "e-1"})


def test_events_have_an_order(executor, make_event):
    """A set of events is refused: its order can differ in every process."""
    with pytest.raises(ArgumentTypeError, match="expected a list, got a set"):
        executor.handle_many({make_event()})


@pytest.mark.parametrize(("now", "most"), [(NAIVE, None), ("now", None), (None, -1), (None, 1.5)])
def test_run_due(executor, now, most):
    """The time has a zone, and the number is a whole one."""
    with pytest.raises(ListBossError):
        executor.run_due(now, most)
