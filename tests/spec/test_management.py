"""Creating, enabling, editing, testing and deleting segmentations: statements G1 to G10."""

import attrs
import pytest

from listboss import AddLead, AddTag, Engine, MoveLead, RemoveTag, where
from listboss.delivery import DeliveryStatus, Status
from listboss.errors import FlaggedSegmentationError, RuleError, UnknownIdError
from listboss.rules import Capabilities, FindingCode


def _actions(rules, event):
    return [planned.action for planned in Engine(rules).plan(event).actions]


class TestG1EnableAndDisable:
    """G1: Segmentations can be enabled and disabled."""

    def test_off_on_off(self, rule_set, rule, make_event):
        """A segmentation runs only while it is enabled."""
        off = rule_set(rule("r", AddTag("x"), enabled=False))
        on = off.enable("r")
        assert [[], [AddTag("x")], []] == [
            _actions(rules, make_event()) for rules in (off, on, on.disable("r"))
        ]

    def test_one_at_a_time(self, rule_set, rule, make_event):
        """Disabling one does not change the others."""
        rules = rule_set(rule("a", AddTag("a")), rule("b", AddTag("b"))).disable("a")
        assert [AddTag("b")] == _actions(rules, make_event())


class TestG2Edit:
    """G2: Existing settings can be edited."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"event": "purchase.refunded"},
            {"condition": where.country == "BR"},
            {"actions": RemoveTag("x")},
            {"provider": "post"},
            {"send": ("email",)},
            {"name": "Another name"},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_each_setting(self, rule_set, rule, changes):
        """The edited segmentation replaces the old one, under the same id."""
        old = rule("r", AddTag("x"))
        new = attrs.evolve(old, **changes)
        assert new == rule_set(old).replace(new).segmentation("r")

    def test_the_edited_one_runs(self, rule_set, rule, make_event):
        """After the edit, the new action is planned and the old one is not."""
        rules = rule_set(rule("r", AddTag("x"))).replace(rule("r", AddTag("y")))
        assert [AddTag("y")] == _actions(rules, make_event())


class TestG3IntegrationTests:
    """G3: Integration tests can be run."""

    def test_the_provider_is_reached(self, host, rule):
        """The provider gets the action, with dummy data, for the given e-mail address."""
        shop = host(rule("r", AddTag("x"), condition=where.country == "BR"))
        receipt = shop.executor.test("r", "me@example.com")
        assert (DeliveryStatus.DONE, ("x",)) == (receipt.status, shop.send.tags("me@example.com"))

    def test_it_is_in_the_history(self, host, rule):
        """The history has the test, marked as a test, with its outcome."""
        shop = host(rule("r", AddTag("x")))
        shop.executor.test("r", "me@example.com")
        (record,) = shop.journal.history("course", is_test=True)
        assert (("r",), Status.APPLIED, AddTag("x")) == (
            record.segmentation_ids,
            record.status,
            record.action,
        )

    def test_before_it_is_activated(self, host, rule):
        """A segmentation can be tested while it is disabled."""
        shop = host(rule("r", AddTag("x"), enabled=False))
        assert DeliveryStatus.DONE == shop.executor.test("r", "me@example.com").status

    def test_a_failure_is_reported(self, host, rule):
        """The test of a move fails if the lead is not at the source."""
        shop = host(rule("r", MoveLead("B", source="A")))
        assert DeliveryStatus.FAILED == shop.executor.test("r", "me@example.com").status


class TestG4Delete:
    """G4: Segmentations can be deleted."""

    def test_gone(self, rule_set, rule, make_event):
        """A deleted segmentation is no longer in the rule set, and does not run."""
        rules = rule_set(rule("a", AddTag("a")), rule("b", AddTag("b"))).remove("a")
        assert (False, [AddTag("b")]) == ("a" in rules, _actions(rules, make_event()))

    def test_only_once(self, rule_set, rule):
        """A segmentation that does not exist cannot be deleted."""
        rules = rule_set(rule("a", AddTag("a"))).remove("a")
        with pytest.raises(UnknownIdError):
            rules.remove("a")


class TestG5ErrorsAreIdentified:
    """G5: Possible errors and configuration incompatibilities are identified."""

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"provider": "gone"}, FindingCode.PROVIDER_MISSING),
            ({"event": "webinar.ended"}, FindingCode.EVENT_INCOMPATIBLE),
            ({"condition": where.rating == 5}, FindingCode.FACT_NOT_CARRIED),
            ({"condition": where.installments == "six"}, FindingCode.VALUE_UNFIT),
            ({"actions": ()}, FindingCode.ACTIONS_EMPTY),
            ({"actions": AddTag(" ")}, FindingCode.VALUE_EMPTY),
            ({"send": ("nothing",)}, FindingCode.DATA_UNKNOWN),
        ],
    )
    def test_reported(self, rule_set, rule, changes, code):
        """Each problem is reported, with the id of its segmentation."""
        (finding,) = rule_set(rule("r", **{"actions": AddTag("x"), **changes})).findings
        assert (code, "r") == (finding.code, finding.segmentation_id)

    def test_no_false_alarm(self, rule_set, rule):
        """A correct segmentation has no findings."""
        assert () == rule_set(rule("r", AddTag("x"))).findings


class TestG6FlaggedForReview:
    """G6: A rule with inconsistencies is flagged for review before use."""

    def test_it_does_not_run(self, rule_set, rule, make_event):
        """A flagged segmentation does not run, even if it is enabled."""
        assert [] == _actions(rule_set(rule("r", AddTag(" "), AddTag("x"))), make_event())

    def test_it_cannot_be_enabled(self, rule_set, rule):
        """Enabling it fails with its findings."""
        rules = rule_set(rule("r", AddTag(" "), enabled=False))
        with pytest.raises(FlaggedSegmentationError) as caught:
            rules.enable("r")
        assert rules.findings == caught.value.findings

    def test_the_dashboard_shows_it(self, rule_set, rule):
        """The dashboard of the product shows each segmentation with its findings."""
        rules = rule_set(rule("good", AddTag("x")), rule("bad", AddTag(" ")))
        assert [("good", 0), ("bad", 1)] == [
            (entry.segmentation.id, len(entry.findings)) for entry in rules.for_product("course")
        ]

    def test_other_rules_run(self, rule_set, rule, make_event):
        """A flagged rule does not keep other rules from running."""
        rules = rule_set(rule("bad", AddTag(" ")), rule("good", AddTag("x")))
        assert [AddTag("x")] == _actions(rules, make_event())


class TestG7WhatToCheck:
    """G7: When one shows an error, the things to check are: whether the provider is still
    integrated, the event, the conditions, the action.
    """

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"provider": "gone"}, "$.provider"),
            ({"event": "quiz.passed"}, "$.event"),
            ({"condition": where.nothing == 1}, "$.condition"),
            ({"actions": AddTag("")}, "$.actions[0]"),
        ],
    )
    def test_the_finding_points_there(self, rule_set, rule, changes, path):
        """The path of a finding says which of the four it is about."""
        (finding,) = rule_set(rule("r", **{"actions": AddTag("x"), **changes})).findings
        assert path == finding.path

    def test_the_error_names_them(self, rule_set, rule):
        """The hint of the error says to check the four."""
        with pytest.raises(FlaggedSegmentationError) as caught:
            rule_set(rule("r", AddTag(""))).enable("r")
        assert [] == [
            thing
            for thing in ("provider", "event", "conditions", "action")
            if thing not in caught.value.hint
        ]

    def test_a_provider_that_is_no_longer_integrated(self, rule_set, rule):
        """A correct rule is flagged once its provider is disconnected."""
        rules = rule_set(rule("r", AddTag("x")))
        assert ([], [FindingCode.PROVIDER_MISSING]) == (
            [finding.code for finding in rules.findings],
            [finding.code for finding in rules.without_provider("mail").findings],
        )


class TestG8AsManyAsNeeded:
    """G8: As many segmentations per product as needed."""

    def test_all_of_them_run(self, rule_set, rule, make_event):
        """A thousand segmentations of one product and event give a thousand actions."""
        rules = rule_set(*(rule(f"r{n}", AddTag(f"{n:04}")) for n in range(1_000)))
        assert [AddTag(f"{n:04}") for n in range(1_000)] == _actions(rules, make_event())


class TestG9NamedReviewedActivated:
    """G9: A segmentation has a name; it is reviewed, saved, then activated, and starts to work
    when activated.
    """

    @pytest.mark.parametrize("name", ["", "  "])
    def test_a_name(self, rule, name):
        """A segmentation cannot have a blank name."""
        with pytest.raises(RuleError):
            rule(name, AddTag("x"), id="r")

    def test_off_when_saved(self, rule_set, rule, make_event):
        """A new segmentation is disabled and does not run."""
        fields = attrs.asdict(rule("r", AddTag("x")), recurse=False)
        del fields["enabled"]
        new = type(rule("r", AddTag("x")))(**fields)
        assert (False, []) == (new.enabled, _actions(rule_set().add(new), make_event()))

    def test_reviewed_before_it_is_activated(self, rule_set, rule):
        """Findings are known while it is still disabled."""
        rules = rule_set(rule("r", AddTag("x"), provider="gone", enabled=False))
        assert [FindingCode.PROVIDER_MISSING] == [finding.code for finding in rules.findings]

    def test_works_when_activated(self, rule_set, rule, make_event):
        """Once it is enabled, it runs."""
        rules = rule_set(rule("r", AddTag("x"), enabled=False)).enable("r")
        assert [AddTag("x")] == _actions(rules, make_event())


class TestG10WheneverTheEventOccurs:
    """G10: After activation it is applied whenever the event occurs."""

    def test_again_and_again(self, host, rule, make_event):
        """It runs for every occurrence, also for the same contact."""
        shop = host(rule("r", AddTag("x"), AddLead("Buyers")))
        receipts = shop.handle(*(make_event(id=f"e-{n}") for n in range(3)))
        assert ([DeliveryStatus.DONE] * 3, 6) == (
            [receipt.status for receipt in receipts],
            len(shop.journal.history("course", segmentation_id="r")),
        )

    def test_the_same_occurrence_once(self, host, rule, make_event):
        """An event that is delivered twice counts once."""
        shop = host(rule("r", AddTag("x")))
        shop.handle(make_event(), make_event())
        assert 1 == len(shop.journal.history("course"))

    def test_not_for_earlier_events(self, host, rule_set, rule, make_event):
        """It does not run for events before its activation."""
        shop = host(rule("r", AddTag("x"), enabled=False))
        shop.handle(make_event(id="before"))
        on = rule_set(rule("r", AddTag("x")), providers={"mail": shop.send.capabilities})
        shop.executor.use_engine(Engine(on))
        shop.handle(make_event(id="after"))
        assert ["after"] == [
            record.event_id for record in shop.journal.history("course", segmentation_id="r")
        ]


def test_a_provider_that_can_do_nothing_is_still_integrated(rule_set, rule):
    """A missing capability is not reported as a missing provider."""
    rules = rule_set(rule("r", AddTag("x")), providers={"mail": Capabilities()})
    assert [FindingCode.ACTION_UNSUPPORTED] == [finding.code for finding in rules.findings]
