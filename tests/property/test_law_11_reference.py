"""Law 11: the compiled engine equals the reference on every input: plan, order, reasons.

The large figure is shared among classes, so that two workers can take them, and each has
another way to find rules do the most of it.
"""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listboss import Engine, Event, RuleSet
from listboss.engine.matching import bitmap, bucket, index, scan
from listboss.testing import events, pairs, reference, rule_sets

SHARE = {"ci": 50_000, "soak": 2_500_000}


class TestLaw11:
    """Law 11: engine and reference agree on well-typed worlds."""

    def test_agreement(self, agree, amount):
        """Every plan of engine and reference is equal."""
        assert agree(1, amount(**SHARE)) >= amount(**SHARE)


class TestLaw11Masks:
    """Law 11: engine and reference agree where no bucket is so small that its rules are asked."""

    def test_agreement(self, agree, amount, monkeypatch):
        """Every plan of engine and reference is equal."""
        monkeypatch.setattr(bucket, "FEW", 0)
        monkeypatch.setattr(index, "FEW", 0)
        assert agree(2, amount(**SHARE)) >= amount(**SHARE)


class TestLaw11FewRules:
    """Law 11: engine and reference agree where rules are filed under any fact, one by one."""

    def test_agreement(self, agree, amount, monkeypatch):
        """Every plan of engine and reference is equal."""
        monkeypatch.setattr(scan, "MOST_UNFILED", 0)
        monkeypatch.setattr(scan, "FEWEST_FILED", 1)
        assert agree(3, amount(**SHARE)) >= amount(**SHARE)


class TestLaw11Tables:
    """Law 11: engine and reference agree where an index files whatever it can, in small bins."""

    def test_agreement(self, agree, amount, monkeypatch):
        """Every plan of engine and reference is equal."""
        monkeypatch.setattr(bucket, "FEW", 0)
        for constant in ("FEW", "FEW_OF_LEAF", "FEWEST_FILED", "FEWEST_BINS"):
            monkeypatch.setattr(index, constant, 1)
        monkeypatch.setattr(index, "FINEST_BIN", 2)
        monkeypatch.setattr(bitmap, "NARROW", 2)
        assert agree(4, amount(**SHARE)) >= amount(**SHARE)


class TestLaw11ManyRules:
    """Law 11: engine and reference agree where one product and event have many rules."""

    def test_hundreds_of_rules(self, agree, amount):
        """Buckets of some dozens of rules give equal plans."""
        pairs = amount(ci=1_000, soak=50_000)
        assert agree(5, pairs, events=50, size=400) >= pairs

    def test_thousands_of_rules(self, agree, amount):
        """Buckets of some hundreds of rules give equal plans."""
        pairs = amount(ci=100, soak=2_000)
        assert agree(6, pairs, events=50, size=4_000) >= pairs


class TestLaw11Shrinking:
    """Law 11: engine and reference agree, and a disagreement is told by its smallest case."""

    @given(pairs(), st.booleans())
    def test_well_typed(self, pair: tuple[RuleSet, Event], include_tests: bool) -> None:
        """Rule sets and events of one small world give equal plans, tests counted or not."""
        rules, event = pair
        expected = reference.plan(rules, event, include_tests=include_tests)
        assert expected == Engine(rules).plan(event, include_tests=include_tests)

    @given(st.data())
    @settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    def test_arbitrary(self, data: Any) -> None:
        """Any rules at all, on events that are about them, give equal plans."""
        rules = data.draw(rule_sets())
        for event in data.draw(st.lists(events(rules), min_size=1, max_size=5)):
            assert reference.plan(rules, event) == Engine(rules).plan(event)

    @given(rule_sets(), events())
    def test_strangers(self, rules: RuleSet, event: Event) -> None:
        """Any rules and any event give equal plans."""
        assert reference.plan(rules, event) == Engine(rules).plan(event)
