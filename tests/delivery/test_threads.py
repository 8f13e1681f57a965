"""Calls of an `AsyncExecutor` that wait for a thread do not outlive their lease."""

import asyncio
import time
from datetime import timedelta

import attrs
import pytest

from listboss import AddTag, Capabilities, Contact
from listboss.delivery import AsyncExecutor, MemoryJournal
from listboss.provider import Applied


class Slow:
    """An account that is called in a thread, and takes its time."""

    capabilities = Capabilities.everything()

    def __init__(self):
        self.calls = []

    def apply(self, action, call):
        """Take one action."""
        self.note([action])
        return Applied()

    def note(self, actions):
        """Note a call."""
        self.calls += [each.email for each in actions]
        time.sleep(0.3)


class Bulk(Slow):
    """It takes two actions in one call."""

    capabilities = attrs.evolve(Capabilities.everything(), batch=2)

    def apply_many(self, actions, call):
        """Take several actions."""
        self.note(actions)
        return [Applied()] * len(actions)


@pytest.mark.parametrize("kind", [Slow, Bulk])
def test_a_call_that_waited_too_long_for_a_thread(kind, make_engine, make_segmentation, make_event):
    """When a thread is free only after the first half of the lease, nothing is sent."""

    async def main():
        account, journal = kind(), MemoryJournal()
        rule = make_segmentation("rule", AddTag("a"))
        engine = make_engine(rule, providers={"mail": account.capabilities})
        executor = AsyncExecutor(
            engine, {"mail": account}, journal, concurrency=1, lease=timedelta(seconds=1)
        )
        events = [make_event(f"e-{n}", contact=Contact(f"{n}@example.com")) for n in range(6)]
        await asyncio.gather(*(executor.handle_many(events[n : n + 2]) for n in (0, 2, 4)))
        late = [r for r in journal.history() if r.detail == "not sent: too late in the lease"]
        return account, journal, late

    account, journal, late = asyncio.run(main())
    assert sorted(account.calls) == sorted({*account.calls})
    assert ("done", True) == (journal.receipt("e-5").status, bool(late))
