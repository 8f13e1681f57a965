import copy
import pickle
from contextlib import suppress
from datetime import UTC, date, datetime

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from listboss import (
    AUTOMATIC,
    AddTag,
    AutomaticSegmentation,
    Capabilities,
    Contact,
    Engine,
    Event,
    EventName,
    ListBossError,
    Product,
    RemoveTag,
    RuleSet,
    Segmentation,
)
from listboss.errors import AutomaticSegmentationError
from listboss.testing import actions, segmentations

MAIL = Capabilities.everything()
COURSE = Product("42", "Course", approved_at=date(2025, 1, 1))
START = RuleSet([COURSE], providers={"mail": MAIL}, capture_provider="mail")
ROWS = tuple((row.id, row.tag_key, row.adds_on, row.removes_on) for row in AUTOMATIC)
AUTOMATIC_IDS = st.sampled_from([*(row.id for row in AUTOMATIC), "auto.capture", "auto.own"])


def captured(rules: RuleSet) -> list[tuple[str, str]]:
    """Return the automatic actions of one event of each built-in kind, with their reasons."""
    engine = Engine(rules)
    pairs = []
    for name in EventName:
        event = Event(
            name,
            id="e-1",
            product_id="42",
            contact=Contact("ana@example.com"),
            occurred_at=datetime(2026, 5, 4, tzinfo=UTC),
        )
        for action in engine.plan(event).actions:
            reasons = [id for id in action.because if id.startswith("auto.")]
            pairs += [(repr(action.action), id) for id in reasons]
    return pairs


EXPECTED = captured(START)


class Host(RuleBasedStateMachine):
    """A host that calls public functions in any order, also with built-ins as arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.rule_set = START

    @rule(segmentation=segmentations())
    def adds(self, segmentation):
        """Add a rule for the captured product and the capturing account."""
        with suppress(ListBossError):
            self.rule_set = self.rule_set.add(
                attrs.evolve(segmentation, product_id="42", provider="mail")
            )

    @rule(segmentation=segmentations(), id=AUTOMATIC_IDS)
    def adds_by_an_automatic_id(self, segmentation, id):
        """Try to replace a built-in by a rule with its id."""
        taken = attrs.evolve(segmentation, id=id)
        for change in (self.rule_set.add, self.rule_set.replace):
            with pytest.raises(AutomaticSegmentationError):
                change(taken)

    @rule(row=st.sampled_from(AUTOMATIC))
    def adds_a_built_in(self, row):
        """Try to add or replace a built-in itself."""
        for change in (self.rule_set.add, self.rule_set.replace):
            with pytest.raises(AutomaticSegmentationError):
                change(row)

    @rule(id=AUTOMATIC_IDS)
    def switches_a_built_in(self, id):
        """Try to disable, enable and remove a built-in."""
        for change in (self.rule_set.disable, self.rule_set.enable, self.rule_set.remove):
            with pytest.raises(AutomaticSegmentationError):
                change(id)

    @rule(row=st.sampled_from(AUTOMATIC), field=st.sampled_from(["id", "tag_key", "adds_on"]))
    def writes_to_a_built_in(self, row, field):
        """Try to set, delete and evolve fields of a built-in, and to make a new one."""
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(row, field, "other")
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            delattr(row, field)
        with pytest.raises(AutomaticSegmentationError):
            attrs.evolve(row, **{field: "other"})
        with pytest.raises(AutomaticSegmentationError):
            AutomaticSegmentation("auto.own", "own", (), ())

    @rule(action=actions())
    def changes_its_rules(self, action):
        """Edit, enable, disable and remove the custom rules."""
        for segmentation in self.rule_set.segmentations:
            self.rule_set = self.rule_set.replace(attrs.evolve(segmentation, actions=action))
            with suppress(ListBossError):
                self.rule_set = self.rule_set.enable(segmentation.id)
        for segmentation in self.rule_set.segmentations[1:]:
            self.rule_set = self.rule_set.disable(segmentation.id).remove(segmentation.id)

    @rule()
    def reconnects_the_provider(self):
        """Disconnect and reconnect the capturing account; rename the product."""
        self.rule_set = self.rule_set.without_provider("mail").with_provider("mail", MAIL)
        self.rule_set = self.rule_set.with_product(attrs.evolve(COURSE, name="Renamed"))

    @rule(row=st.sampled_from(AUTOMATIC))
    def copies(self, row):
        """Copy and pickle built-ins, which stay the same objects, and pickle the rules."""
        assert row is copy.copy(row)
        assert row is copy.deepcopy(row)
        assert row is pickle.loads(pickle.dumps(row))
        self.rule_set = pickle.loads(pickle.dumps(self.rule_set))

    @invariant()
    def built_ins_are_unchanged(self):
        """The table is still the same."""
        assert ROWS == tuple((r.id, r.tag_key, r.adds_on, r.removes_on) for r in AUTOMATIC)

    def teardown(self):
        """For every event, capture still does what it did at the start."""
        assert EXPECTED == captured(self.rule_set)


class TestLaw06BuiltIns:
    """Law 6: no sequence of public calls changes a built-in."""

    def test_any_sequence(self, amount):
        """The built-ins and their actions stay the same, whatever a host calls."""
        examples = amount(ci=30, soak=2_000)
        run_state_machine_as_test(
            Host, settings=settings(max_examples=examples, stateful_step_count=15)
        )


class TestLaw06CustomRules:
    """Law 6: custom rules do not interfere with the built-ins."""

    def test_no_rule_touches_an_automatic_tag(self):
        """A rule that would add or remove an automatic tag is flagged and does not run."""
        tag = AUTOMATIC[0].tag_for("42")
        rules = START.add(
            Segmentation(
                "Against capture",
                product_id="42",
                provider="mail",
                event="purchase.cart_abandoned",
                actions=[RemoveTag(tag.upper()), RemoveTag(f" {tag}"), AddTag(tag)],
                enabled=True,
            )
        )
        assert EXPECTED == captured(rules)
