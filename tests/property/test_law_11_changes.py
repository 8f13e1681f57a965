"""Law 11, with changes: an engine that was updated equals one that is newly made."""

from random import Random

import attrs
import pytest

from listboss import AddTag, Engine, RuleSet
from listboss.testing import random_event, random_rules


def changed(rules: RuleSet, dice: Random, number: int) -> RuleSet:
    """Make one random change of the kinds that a host can make."""
    segmentations = rules.segmentations
    if not segmentations:
        return rules
    rule, other = dice.choice(segmentations), dice.choice(segmentations)
    match dice.randint(0, 8):
        case 0 | 1:
            return rules.replace(attrs.evolve(rule, condition=other.condition))
        case 2:
            return rules.replace(attrs.evolve(rule, actions=[AddTag(f"new {number}")]))
        case 3:
            return rules.replace(attrs.evolve(rule, event=other.event, plan_ids=other.plan_ids))
        case 4:
            return rules.remove(rule.id)
        case 5:
            return rules.disable(rule.id)
        case 6:
            return rules.replace(attrs.evolve(rule, enabled=True))
        case 7:
            return rules.replace(attrs.evolve(rule, product_id=other.product_id))
        case _:
            return rules.add(attrs.evolve(other, id=f"new-{number}"))


class TestLaw11Changes:
    """Law 11: an engine plans by its rules, however it got them."""

    @pytest.mark.parametrize("size", [12, 300, 3_000])
    def test_a_chain_of_changes(self, size, amount):
        """After every few changes, the updated engine equals a new one."""
        for seed in range(amount(ci=max(2, 600 // size), soak=100)):
            dice = Random(f"{seed}/{size}")
            rules = random_rules(dice, size=size)
            engine = Engine(rules).warm()
            for number in range(12):
                before, old_rules = engine, rules
                for step in range(dice.choice([1, 1, 3, 40])):
                    rules = changed(rules, dice, number * 100 + step)
                engine = engine.with_rules(rules)
                if dice.randint(0, 3) == 0:
                    engine.warm()
                fresh, as_before = Engine(rules), Engine(old_rules)
                for _ in range(6):
                    event = random_event(dice, rules)
                    assert fresh.plan(event) == engine.plan(event)
                    assert as_before.plan(event) == before.plan(event)

    def test_a_change_of_accounts_or_products(self, worlds):
        """A change of an account or a product takes effect for every rule at once."""
        for rules, events, dice in worlds(111, 60):
            engine = Engine(rules).warm()
            name, account = dice.choice(list(rules.providers.items()))
            for other in (
                rules.without_provider(name),
                rules.with_provider(name, attrs.evolve(account, tags=("vip",), one_place=True)),
                rules.with_product(attrs.evolve(dice.choice(rules.products), approved_at=None)),
            ):
                updated, fresh = engine.with_rules(other), Engine(other)
                for event in events:
                    assert fresh.plan(event) == updated.plan(event)

    def test_many_single_changes_of_a_large_index(self, amount):
        """After hundreds of single changes and several compactions, it equals a new engine."""
        dice = Random(7)
        rules = random_rules(dice, size=6_000)
        engine = Engine(rules).warm()
        for number in range(amount(ci=300, soak=10_000)):
            rules = changed(rules, dice, number)
            engine = engine.with_rules(rules)
            if number % 50 == 49:
                fresh = Engine(rules)
                for _ in range(30):
                    event = random_event(dice, rules)
                    assert fresh.plan(event) == engine.plan(event)
