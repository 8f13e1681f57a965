"""Making, switching, editing, testing and deleting segmentations: statements G1 to G10."""

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

    def test_there_and_back(self, rule_set, rule, happens):
        """It runs while it is enabled, and only then."""
        off = rule_set(rule("r", AddTag("x"), enabled=False))
        on = off.enable("r")
        assert [[], [AddTag("x")], []] == [
            _actions(rules, happens()) for rules in (off, on, on.disable("r"))
        ]

    def test_one_at_a_time(self, rule_set, rule, happens):
        """The others stay as they are."""
        rules = rule_set(rule("a", AddTag("a")), rule("b", AddTag("b"))).disable("a")
        assert [AddTag("b")] == _actions(rules, happens())


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
        """A segmentation is replaced by its edited self and keeps its id."""
        old = rule("r", AddTag("x"))
        new = attrs.evolve(old, **changes)
        assert new == rule_set(old).replace(new).segmentation("r")

    def test_the_edited_one_runs(self, rule_set, rule, happens):
        """After the edit, the new action is asked for and the old one is not."""
        rules = rule_set(rule("r", AddTag("x"))).replace(rule("r", AddTag("y")))
        assert [AddTag("y")] == _actions(rules, happens())


class TestG3IntegrationTests:
    """G3: Integration tests can be run."""

    def test_the_provider_is_reached(self, host, rule):
        """Dummy data of the segmentation's action go to the provider, for the e-mail given."""
        shop = host(rule("r", AddTag("x"), condition=where.country == "BR"))
        receipt = shop.executor.test("r", "me@example.com")
        assert (DeliveryStatus.DONE, ("x",)) == (receipt.status, shop.send.tags("me@example.com"))

    def test_it_is_in_the_history(self, host, rule):
        """The test has its line, marked as a test, with how it went."""
        shop = host(rule("r", AddTag("x")))
        shop.executor.test("r", "me@example.com")
        (record,) = shop.journal.history("course", is_test=True)
        assert (("r",), Status.APPLIED, AddTag("x")) == (
            record.segmentation_ids,
            record.status,
            record.action,
        )

    def test_before_it_is_activated(self, host, rule):
        """A segmentation can be tried out while it is off."""
        shop = host(rule("r", AddTag("x"), enabled=False))
        assert DeliveryStatus.DONE == shop.executor.test("r", "me@example.com").status

    def test_what_does_not_work_is_told(self, host, rule):
        """Moving a lead that is not at the source fails."""
        shop = host(rule("r", MoveLead("B", source="A")))
        assert DeliveryStatus.FAILED == shop.executor.test("r", "me@example.com").status


class TestG4Delete:
    """G4: Segmentations can be deleted."""

    def test_gone(self, rule_set, rule, happens):
        """It is no longer in the rule set, and no longer runs."""
        rules = rule_set(rule("a", AddTag("a")), rule("b", AddTag("b"))).remove("a")
        assert (False, [AddTag("b")]) == ("a" in rules, _actions(rules, happens()))

    def test_only_once(self, rule_set, rule):
        """What is not there cannot be deleted."""
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
    def test_told(self, rule_set, rule, changes, code):
        """What does not fit is told, with the segmentation it is in."""
        (finding,) = rule_set(rule("r", **{"actions": AddTag("x"), **changes})).findings
        assert (code, "r") == (finding.code, finding.segmentation_id)

    def test_nothing_is_made_up(self, rule_set, rule):
        """A segmentation that is right has no findings."""
        assert () == rule_set(rule("r", AddTag("x"))).findings


class TestG6FlaggedForReview:
    """G6: A rule with inconsistencies is flagged for review before use."""

    def test_it_does_not_run(self, rule_set, rule, happens):
        """Even if it was enabled before it became inconsistent."""
        assert [] == _actions(rule_set(rule("r", AddTag(" "), AddTag("x"))), happens())

    def test_it_cannot_be_enabled(self, rule_set, rule):
        """Enabling it fails with what is to be reviewed."""
        rules = rule_set(rule("r", AddTag(" "), enabled=False))
        with pytest.raises(FlaggedSegmentationError) as caught:
            rules.enable("r")
        assert rules.findings == caught.value.findings

    def test_the_dashboard_shows_it(self, rule_set, rule):
        """It stands on the product's dashboard with its findings, the others without."""
        rules = rule_set(rule("good", AddTag("x")), rule("bad", AddTag(" ")))
        assert [("good", 0), ("bad", 1)] == [
            (entry.segmentation.id, len(entry.findings)) for entry in rules.for_product("course")
        ]

    def test_others_run(self, rule_set, rule, happens):
        """A flagged rule keeps no other from running."""
        rules = rule_set(rule("bad", AddTag(" ")), rule("good", AddTag("x")))
        assert [AddTag("x")] == _actions(rules, happens())


class TestG7WhatToCheck:
    """G7: When one shows an error, the things to check are: is the provider still integrated,
    the event, the conditions, the action.
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
        """Each finding says which of the four it is about."""
        (finding,) = rule_set(rule("r", **{"actions": AddTag("x"), **changes})).findings
        assert path == finding.path

    def test_the_error_says_so(self, rule_set, rule):
        """Who tries to enable it is told to check the four."""
        with pytest.raises(FlaggedSegmentationError) as caught:
            rule_set(rule("r", AddTag(""))).enable("r")
        assert [] == [
            thing
            for thing in ("provider", "event", "conditions", "action")
            if thing not in caught.value.hint
        ]

    def test_a_provider_that_is_no_longer_integrated(self, rule_set, rule):
        """A rule that was right is flagged once its provider is disconnected."""
        rules = rule_set(rule("r", AddTag("x")))
        assert ([], [FindingCode.PROVIDER_MISSING]) == (
            [finding.code for finding in rules.findings],
            [finding.code for finding in rules.without_provider("mail").findings],
        )


class TestG8AsManyAsNeeded:
    """G8: As many segmentations per product as needed."""

    def test_all_of_them_run(self, rule_set, rule, happens):
        """A thousand on one product and event are a thousand actions."""
        rules = rule_set(*(rule(f"r{n}", AddTag(f"{n:04}")) for n in range(1_000)))
        assert [AddTag(f"{n:04}") for n in range(1_000)] == _actions(rules, happens())


class TestG9NamedReviewedActivated:
    """G9: A segmentation has a name; it is reviewed, saved, then activated, and starts to work
    when activated.
    """

    @pytest.mark.parametrize("name", ["", "  "])
    def test_a_name(self, rule, name):
        """There is none without a name."""
        with pytest.raises(RuleError):
            rule(name, AddTag("x"), id="r")

    def test_saved_it_is_off(self, rule_set, rule, happens):
        """A new one is switched off, and does nothing."""
        fields = attrs.asdict(rule("r", AddTag("x")), recurse=False)
        del fields["enabled"]
        new = type(rule("r", AddTag("x")))(**fields)
        assert (False, []) == (new.enabled, _actions(rule_set().add(new), happens()))

    def test_reviewed_before_it_is_activated(self, rule_set, rule):
        """What is wrong is known while it is still off."""
        rules = rule_set(rule("r", AddTag("x"), provider="gone", enabled=False))
        assert [FindingCode.PROVIDER_MISSING] == [finding.code for finding in rules.findings]

    def test_activated_it_works(self, rule_set, rule, happens):
        """From then on it runs."""
        rules = rule_set(rule("r", AddTag("x"), enabled=False)).enable("r")
        assert [AddTag("x")] == _actions(rules, happens())


class TestG10WheneverTheEventOccurs:
    """G10: After activation it is applied whenever the event occurs."""

    def test_again_and_again(self, host, rule, happens):
        """Each occurrence is acted on, also for a contact that had one before."""
        shop = host(rule("r", AddTag("x"), AddLead("Buyers")))
        receipts = shop.handle(*(happens(id=f"e-{n}") for n in range(3)))
        assert ([DeliveryStatus.DONE] * 3, 6) == (
            [receipt.status for receipt in receipts],
            len(shop.journal.history("course", segmentation_id="r")),
        )

    def test_the_same_occurrence_once(self, host, rule, happens):
        """A webhook that is delivered twice is one occurrence."""
        shop = host(rule("r", AddTag("x")))
        shop.handle(happens(), happens())
        assert 1 == len(shop.journal.history("course"))

    def test_not_before(self, host, rule_set, rule, happens):
        """What happened before the activation is not made up for."""
        shop = host(rule("r", AddTag("x"), enabled=False))
        shop.handle(happens(id="before"))
        on = rule_set(rule("r", AddTag("x")), providers={"mail": shop.send.capabilities})
        shop.executor.use_engine(Engine(on))
        shop.handle(happens(id="after"))
        assert ["after"] == [
            record.event_id for record in shop.journal.history("course", segmentation_id="r")
        ]


def test_a_provider_that_can_do_nothing_is_still_integrated(rule_set, rule):
    """A missing ability is another finding than a missing provider."""
    rules = rule_set(rule("r", AddTag("x")), providers={"mail": Capabilities()})
    assert [FindingCode.ACTION_UNSUPPORTED] == [finding.code for finding in rules.findings]
