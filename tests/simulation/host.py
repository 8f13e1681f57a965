"""A small host for tests of one situation: rules in a line each, one account, a clock to set."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from listboss import (
    Action,
    Capabilities,
    Contact,
    Engine,
    Event,
    PlannedAction,
    RuleSet,
    Segmentation,
)
from listboss.delivery import Executor, Journal, RetryPolicy, Status
from listboss.provider import Applied, Call, Outcome
from tests.simulation.accounts import Account
from tests.simulation.oracle import Target
from tests.simulation.workers import Silent
from tests.simulation.worlds import CATALOGUE, CLUB, PRODUCTS, START

ANA = "ana@example.com"
Rule = tuple[str, str, Action]
"""A product, an event and what to do."""


def engine_of(rules: Iterable[Rule], account: Capabilities, *, capture: bool = False) -> Engine:
    """Return an engine of these rules at the account `mail`, with automatic capture or not."""
    segmentations = [
        Segmentation(
            f"Rule {n}",
            id=f"r{n}",
            product_id=product_id,
            provider="mail",
            event=event,
            actions=action,
            plan_ids=("10",) if product_id == CLUB.id else (),
            enabled=True,
        )
        for n, (product_id, event, action) in enumerate(rules)
    ]
    return Engine(
        RuleSet(
            PRODUCTS,
            segmentations,
            providers={"mail": account},
            catalogue=CATALOGUE,
            capture_provider="mail" if capture else None,
        )
    )


def happened(
    name: str,
    id: str,
    *,
    day: float = 0,
    product_id: str = "c1",
    email: str = ANA,
    **more: Any,
) -> Event:
    """Make an event, by default of Ana: `day` counts from the start of all histories."""
    return Event(
        name,
        id=id,
        product_id=product_id,
        contact=Contact(email),
        occurred_at=START + timedelta(days=day),
        plan_id="10" if product_id == CLUB.id else None,
        **more,
    )


class Host:
    """An executor with one account; `answers` are what it says first instead of doing it."""

    def __init__(
        self,
        journal: Journal,
        rules: Iterable[Rule],
        *,
        answers: Iterable[Outcome] = (),
        account: Capabilities | None = None,
        capture: bool = False,
    ) -> None:
        self.capabilities = account or Capabilities.everything()
        self.account = Account("mail", self.capabilities)
        self.answers = list(answers)
        self.sent: list[str] = []
        self.keys: list[str] = []
        self.ids: list[str] = []
        self.now = START + timedelta(days=10)
        self.journal = journal
        self.in_call: Callable[[], object] = lambda: None
        self.executor = Executor(
            engine_of(rules, self.capabilities, capture=capture),
            {"mail": self},
            journal,
            policy=RetryPolicy(jitter=0),
            clock=lambda: self.now,
            observer=Silent(),
            worker="w1",
        )

    def apply(self, planned: PlannedAction, call: Call) -> Outcome:
        """Say what the next answer is, or do what is asked for."""
        self.sent.append(str(planned.action))
        self.keys.append(call.key)
        self.ids.append(planned.id)
        self.in_call()
        if self.answers:
            return self.answers.pop(0)
        self.account.carry_out(planned, call)
        return Applied()

    def wait(self, **by: float) -> None:
        """Let time pass, and send what is due then."""
        self.now += timedelta(**by)
        self.executor.run_due()

    @property
    def held(self) -> set[Target]:
        """What the account holds of Ana."""
        return self.account.held[ANA]

    def statuses(self, event_id: str) -> list[Status]:
        """Return what has become of an event's actions."""
        return [state.status for state in self.journal.receipt(event_id).states]
