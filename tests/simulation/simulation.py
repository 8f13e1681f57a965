"""One seed, one history: webhooks, workers, accounts and a host, with everything that goes wrong.

Two workers share a journal. Around every call of the journal and of a provider, a worker may
be killed (a new executor takes its place, with the same journal), or be paused while the
clock runs and others work: it comes back late, as a zombie. Some workers have an event loop, and
several calls on their way at once; what they do may be cancelled. Between the steps, accounts fail
and recover, the clock jumps, rules are edited, events are planned again and contacts are
forgotten. In the end all accounts are well, and what they hold is compared with the oracle.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Any

import attrs

from listboss import Engine, Event, Plan
from listboss.delivery import (
    Executor,
    Journal,
    MemoryJournal,
)
from listboss.errors import ConfigurationError
from tests.simulation.accounts import Account, Trouble
from tests.simulation.ledger import Ledger, expect
from tests.simulation.oracle import final_state, stamp, target_of
from tests.simulation.scope import Held, is_inside, is_promised, outside_of
from tests.simulation.workers import CancelledError, Killed, Worker
from tests.simulation.worlds import START, random_event, random_rules, random_world

EMAILS = ("ana@example.com", "bia@example.com")
MAX_DEPTH = 2
MAX_ROUNDS = 3_000


class Simulation:
    """A history that depends on its seed alone."""

    def __init__(self, seed: int, journal: Journal | None = None) -> None:
        self.dice = dice = Random(f"simulation/{seed}")
        self.world = random_world(dice)
        self.engines = [Engine(random_rules(dice, self.world)) for _ in range(3)]
        self.engine = self.engines[0]
        self.at = {name: Account(name, able, dice) for name, able in self.world.accounts.items()}
        self.in_doubt = dice.choice((1, 1, 2, 3))
        self.in_sync = dice.random() < 0.25
        self.endings: Any = "by_grant" if dice.random() < 0.85 else "absolute"
        self.journal: Journal = MemoryJournal() if journal is None else journal
        self.ledger = Ledger(self.journal, self.world.accounts, self.in_sync)
        self.now = START + timedelta(days=dice.randint(0, 4))
        self.set_back = timedelta(0)
        self.is_healthy = False
        self.depth = 0
        self.lines: list[str] = []
        self.webhooks = self._webhooks()
        self.to_forget: list[str] = []
        self.workers = {name: Worker(name, self) for name in ("w1", "w2")}

    def write(self, *facts: object) -> None:
        """Add a line to the trace."""
        self.lines.append(" ".join([f"{self.now:%d %H:%M:%S}", *map(str, facts)]))

    def _webhooks(self) -> list[Event]:
        """Make the webhooks as they arrive: shuffled, repeated, one with the id of another."""
        dice = self.dice
        emails = EMAILS[: dice.randint(1, 2)]
        events = [
            random_event(dice, self.world, f"e{n}", dice.choice(emails))
            for n in range(dice.randint(4, 12))
        ]
        webhooks = [event for event in events for _ in range(dice.choice((1, 1, 2, 3)))]
        dice.shuffle(webhooks)
        if dice.random() < 0.1:
            webhooks.append(attrs.evolve(events[0], product_id="another"))
        return webhooks

    # What happens around each call

    @contextmanager
    def boundary(self, worker: Worker) -> Iterator[None]:
        """Surround a call of the journal or of an account: kill the worker, or pause it."""
        self._interrupt(worker)
        yield
        self._interrupt(worker)

    def _interrupt(self, worker: Worker) -> None:
        if worker.is_dead:
            raise Killed
        if self.is_healthy:
            return
        roll = self.dice.random()
        if roll < 0.02:
            worker.is_dead = True
            self.ledger.died(worker)
            self.write("kill", worker.name)
            raise Killed
        if roll < 0.06 and self.depth < MAX_DEPTH:
            self.depth += 1
            self.write("pause", worker.name)
            for _ in range(self.dice.randint(1, 4)):
                self.step()
            self.write("go on", worker.name)
            self.depth -= 1

    # Steps

    def step(self) -> None:
        """Do one of the things that can happen next."""
        steps: Mapping[Callable[[], object], int] = {
            self._deliver: 10,
            self._work: 8,
            self._wait: 8,
            self._trouble: 3,
            self._edit_rules: 1,
            self._replan: 1,
            self._retry: 1,
            self._forget: 1,
            self._turn_clock_back: 1,
            self._prune: 1,
        }
        (step,) = self.dice.choices([*steps], weights=[*steps.values()])
        step()

    def _with_worker(self, do: Callable[[Executor], object]) -> bool:
        """Let an idle worker do something; whether it lived to the end."""
        idle = [worker for worker in self.workers.values() if not worker.is_busy]
        if not idle:
            return False
        worker = self.dice.choice(idle)
        if worker.is_dead:
            worker = self._restart(worker.name)
        return self._run(worker, do)

    def _run(self, worker: Worker, do: Callable[[Executor], object]) -> bool:
        worker.is_busy = True
        try:
            do(worker.executor)
        except (Killed, CancelledError):
            return False
        finally:
            worker.is_busy = False
        return True

    def _restart(self, name: str) -> Worker:
        worker = self.workers[name] = Worker(name, self)
        self.write("start", name)
        if self.dice.random() < 0.7:
            self._run(worker, lambda executor: executor.resume())
        return worker

    def _deliver(self) -> None:
        if not self.webhooks:
            return
        event = self.webhooks.pop()
        how = self.dice.random()
        self.write("webhook", event.id)
        if how < 0.4:
            done = self._with_worker(lambda executor: executor.accept(event))
        elif how < 0.8:
            done = self._with_worker(lambda executor: executor.handle(event))
        else:
            group = [event, *self.webhooks[-3:]]
            done = self._with_worker(lambda executor: executor.handle_many(group))
        if not done:  # the sender got no answer, and sends it again later
            self.webhooks.insert(self.dice.randint(0, len(self.webhooks)), event)

    def _work(self) -> None:
        most = self.dice.choice((None, None, 1, 3))
        self._with_worker(lambda executor: executor.run_due(most=most))

    def _wait(self) -> None:
        seconds = self.dice.choice((1, 10, 40, 70, 300, 1_000, 4_000, 4 * 86_400))
        self.now += timedelta(seconds=seconds)

    @property
    def steady(self) -> datetime:
        """The time by a clock that is never turned back."""
        return self.now + self.set_back

    def seconds(self) -> float:
        """Return the seconds of that clock."""
        return self.steady.timestamp()

    def _turn_clock_back(self) -> None:
        by = timedelta(seconds=self.dice.choice((5, 100, 4_000)))
        self.now -= by
        self.set_back += by
        self.write("clock turned back")

    def _prune(self) -> None:
        if self.depth:
            return  # nobody prunes what is being handled
        ago = self.dice.choice((0, 3_600, 86_400))
        unfinished = self.ledger.unfinished()
        self.journal.prune(self.now - timedelta(seconds=ago))
        self.write("prune", ago)
        for event_id in unfinished:
            expect(self.ledger.knows(event_id), "pruned before it was finished", event_id)
        self.ledger.pruned()
        for account in self.at.values():  # no account remembers keys for as long as that
            account.done.clear()

    def _trouble(self) -> None:
        account = self.dice.choice([*self.at.values()])
        account.trouble = Trouble.some(self.dice)

    def _edit_rules(self) -> None:
        self.engine = self.dice.choice(self.engines)
        self.write("rules", self.engines.index(self.engine))
        for worker in self.workers.values():
            worker.executor.use_engine(self.engine)

    def _replan(self) -> None:
        if not self.ledger.entries:
            return
        event_id = self.dice.choice([*self.ledger.entries])
        self.write("replan", event_id)
        with suppress(ConfigurationError):  # it was forgotten in the meantime
            self._with_worker(lambda executor: executor.replan(event_id))

    def _retry(self) -> None:
        account = self.dice.choice((None, *self.at))
        self.write("retry", account)
        self._with_worker(lambda executor: executor.retry(account=account))

    def _forget(self) -> None:
        if not self.to_forget and self.dice.random() < 0.5:
            self.to_forget.append(self.dice.choice(EMAILS))
        self._forget_next()

    def _forget_next(self) -> None:
        if self.to_forget:
            email = self.to_forget[-1]
            self.write("forget", email)
            if self._with_worker(lambda executor: executor.forget(email)):
                self.to_forget = [each for each in self.to_forget if each != email]

    # The whole history

    def run(self) -> str:
        """Run the history, check all promises, and return its digest."""
        for _ in range(self.dice.randint(20, 60)):
            self.step()
            self.ledger.check_receipts()
        self._heal()
        while self.webhooks:
            self._deliver()
        while self.to_forget:
            self._forget_next()
        self._drain()
        self.ledger.check_ended(healed=False)
        for _ in range(2):  # what one retry brings back may be refused by what another did
            self.ledger.host_asked()
            self.journal.retry(self.now)
            self._drain()
        self.ledger.check_receipts()
        self.ledger.check_ended(healed=True)
        self._compare()
        self.lines += map(str, self.journal.history())
        return blake2b("\n".join(self.lines).encode(), digest_size=16).hexdigest()

    def _heal(self) -> None:
        self.write("all is well")
        self.is_healthy = True
        for account in self.at.values():
            account.trouble = Trouble()
        for worker in [*self.workers.values()]:
            if worker.is_dead:
                self._restart(worker.name)

    def _drain(self) -> None:
        for _ in range(MAX_ROUNDS):
            self._with_worker(lambda executor: executor.run_due())
            due = self.journal.due_at()
            if due is None:
                return
            self.now = max(self.now, due)
        expect(condition=False, otherwise="there is always something due")

    def _compare(self) -> None:
        """Compare what every account holds, and what the journal says, with the oracle."""
        for email in EMAILS:
            known = (*self.ledger.entries.values(), *self.ledger.gone.values())
            entries = [entry for entry in known if entry.contact == email]
            pairs = [(entry.event, entry.plan) for entry in entries]
            wanted = final_state(pairs, self.world.accounts)
            outside = self.ledger.outside[email] | outside_of(pairs, self.world.accounts)
            unexplained = self.ledger.unexplained[email] - wanted.keys()
            held = {
                (name, each) for name, account in self.at.items() for each in account.held[email]
            }
            for target in sorted((held | wanted.keys()) - unexplained):
                on = wanted.get(target, False)
                if is_promised(target, on=on, outside=outside, accounts=self.world.accounts):
                    expect((target in held) is on, "wrong end", email, target, f"expected {on}")
            for entry in self.journal.standing(email):
                target = (entry.provider, target_of(entry.target))
                if target in wanted and is_inside(target, outside):
                    expect(entry.on is wanted[target], "wrong standing", email, entry)
            if not any(entry.replanned for entry in entries):
                self._compare_data(email, pairs, outside)

    def _compare_data(
        self, email: str, pairs: Sequence[tuple[Event, Plan]], outside: set[Held]
    ) -> None:
        """Check that accounts that take leads have the newest name of the contact."""
        for name, account in self.at.items():
            sent = [
                (stamp(event, plan), planned.data["name"])
                for event, plan in pairs
                for planned in plan.actions
                if planned.provider == name and "name" in planned.data
            ]
            if sent and account.capabilities.add_lead != "none" and is_inside((name, ()), outside):
                newest = max(sent)[1]
                expect(account.data[email].get("name") == newest, "old data", email, name, newest)
