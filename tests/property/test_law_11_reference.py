"""Law 11: the compiled engine equals the reference on every input: plan, order, reasons.

The large figure is split between classes, so that two workers can share it. Each class makes
another way of finding rules do most of the work.
"""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listboss import Engine, Event, RuleSet
from listboss.engine.matching import bucket, encoder, index, scan
from listboss.testing import events, pairs, reference, rule_sets

SHARE = {"ci": 50_000, "soak": 2_500_000}


class TestLaw11:
    """Law 11: engine and reference agree on well-typed worlds."""

    def test_agreement(self, agree, amount):
        """Every plan of engine and reference is equal."""
        assert agree(1, amount(**SHARE)) >= amount(**SHARE)


class TestLaw11Bitmaps:
    """Law 11: engine and reference agree where no rule is scanned."""

    def test_agreement(self, agree, amount, monkeypatch):
        """Every plan of engine and reference is equal."""
        monkeypatch.setattr(bucket, "MAX_SCAN_BUCKET", 0)
        monkeypatch.setattr(index, "MAX_SCANNED", 0)
        assert agree(2, amount(**SHARE)) >= amount(**SHARE)


class TestLaw11PostingLists:
    """Law 11: engine and reference agree where rules are posted under any fact."""

    def test_agreement(self, agree, amount, monkeypatch):
        """Every plan of engine and reference is equal."""
        monkeypatch.setattr(scan, "MAX_SCANNED", 0)
        monkeypatch.setattr(scan, "MIN_POSTED", 1)
        assert agree(3, amount(**SHARE)) >= amount(**SHARE)


class TestLaw11Bins:
    """Law 11: engine and reference agree where an index posts whatever it can, in small bins."""

    def test_agreement(self, agree, amount, monkeypatch):
        """Every plan of engine and reference is equal."""
        monkeypatch.setattr(bucket, "MAX_SCAN_BUCKET", 0)
        for constant in ("MAX_SCANNED", "MAX_SCANNED_IN_LEAF", "MIN_POSTED", "MIN_BINS"):
            monkeypatch.setattr(index, constant, 1)
        monkeypatch.setattr(index, "FINEST_BIN", 2)
        monkeypatch.setattr(encoder, "MAX_SHARED_CELLS", 2)
        assert agree(4, amount(**SHARE)) >= amount(**SHARE)


class TestLaw11LargeBuckets:
    """Law 11: engine and reference agree where one product and event have many rules."""

    def test_hundreds_of_rules(self, agree, amount):
        """Plans are equal for buckets of dozens of rules."""
        pairs = amount(ci=1_000, soak=50_000)
        assert agree(5, pairs, events=50, size=400) >= pairs

    def test_thousands_of_rules(self, agree, amount):
        """Plans are equal for buckets of hundreds of rules."""
        pairs = amount(ci=100, soak=2_000)
        assert agree(6, pairs, events=50, size=4_000) >= pairs


class TestLaw11Shrinking:
    """Law 11: engine and reference agree; a disagreement is reduced to its smallest case."""

    @given(pairs(), st.booleans())
    def test_well_typed(self, pair: tuple[RuleSet, Event], include_tests: bool) -> None:
        """Plans are equal for rules and an event of one small world, with and without tests."""
        rules, event = pair
        expected = reference.plan(rules, event, include_tests=include_tests)
        assert expected == Engine(rules).plan(event, include_tests=include_tests)

    @given(st.data())
    @settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    def test_arbitrary(self, data: Any) -> None:
        """Plans are equal for any rules and events of their products."""
        rules = data.draw(rule_sets())
        for event in data.draw(st.lists(events(rules), min_size=1, max_size=5)):
            assert reference.plan(rules, event) == Engine(rules).plan(event)

    @given(rule_sets(), events())
    def test_unrelated(self, rules: RuleSet, event: Event) -> None:
        """Plans are equal for any rules and any event."""
        assert reference.plan(rules, event) == Engine(rules).plan(event)
