"""A backtest in several processes gives the report of one."""

from collections.abc import Iterator

import attrs
import pytest

from listboss import Event, RuleSet
from listboss.analysis import BacktestReport, backtest
from listboss.analysis._in_processes import first_pass, second_pass
from listboss.codec._travel import texts_of
from listboss.errors import ConfigurationError, EventError
from tests.analysis.test_backtest_laws import case


def together(size: int) -> tuple[RuleSet, RuleSet, list[Event]]:
    """Events of a small world, repeated under other ids."""
    before, after, events = case(4)
    return before, after, (events * size)[:1_200]


def test_same_report_and_progress():
    """The report has the same lines in the same order; progress counts all events twice."""
    before, after, events = together(40)
    seen: list[tuple[int, int | None]] = []

    one = backtest(before, after, events)
    two = backtest(before, after, events, processes=2, progress=lambda *counts: seen.append(counts))

    assert one == two
    assert one != BacktestReport(events=len(events))
    assert [(500, None), (1_000, None), (1_200, None)] == seen[:3]
    assert (2_400, 2_400) == seen[-1]


def test_passes_of_every_world(amount):
    """The two workers find what one process finds, on many worlds."""
    for seed in range(amount(ci=60, soak=5_000)):
        before, after, events = case(seed)
        one = backtest(before, after, events)

        first = first_pass(texts_of(before), texts_of(after), tuple)
        count, keys, notes = first([*events, "a note"])
        again, kept = second_pass(keys, tuple)([*events, "a note"])

        assert (len(events), ["a note"], len(events)) == (count, notes, again)
        assert attrs.evolve(one, events=len(kept)) == backtest(before, after, kept)


class Broken:
    """Events of which one cannot be read."""

    def __iter__(self) -> Iterator[Event]:
        raise EventError("not an event", path="$[7]")


def test_errors_are_those_of_one_process():
    """Of the source, and of the argument."""
    before, after, _ = case(0)

    for processes in (1, 2):
        with pytest.raises(EventError) as caught:
            backtest(before, after, Broken(), processes=processes)
        assert "$[7]" == caught.value.path
    for wrong in (0, "2"):
        with pytest.raises(ConfigurationError) as refused:
            backtest(before, after, [], processes=wrong)  # type: ignore[arg-type]
        assert "$.processes" == refused.value.path
