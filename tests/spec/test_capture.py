"""Tags and automatic capture: statements T1, T2 and K1 to K9."""

import copy
import pickle
from datetime import date

import attrs
import pytest

from listboss import (
    AUTOMATIC,
    HOTMART,
    AddLead,
    AddTag,
    AutomaticSegmentation,
    Capabilities,
    Engine,
    PlannedAction,
    Product,
    RemoveTag,
    RuleSet,
    Segmentation,
)
from listboss.errors import AutomaticSegmentationError
from listboss.provider import Call, Refused
from listboss.rules import FindingCode, FrozenMap
from listboss.send import Origin

EVENTS = tuple(event.name for event in HOTMART.events)
DOCUMENTED = {
    "purchase.cart_abandoned": "auto:cart-abandonment:course",
    "purchase.approved": "auto:purchase-approved:course",
    "purchase.canceled": "auto:purchase-canceled:course",
    "purchase.refunded": "auto:purchase-refunded:course",
}


class TestT1TagsAndSegmentations:
    """T1: Tags are identifiers applied to contacts on the basis of recorded events;
    segmentations are the rules that say when a tag is applied or removed.
    """

    def test_applied_and_removed(self, host, rule, make_event):
        """One segmentation applies the tag on an event, another removes it on a later one."""
        shop = host(
            rule("on", AddTag("buyer")),
            rule("off", RemoveTag("buyer"), event="purchase.refunded"),
        )
        tags = []
        for name in ("purchase.delayed", "purchase.approved", "purchase.refunded"):
            shop.handle(make_event(name))
            tags.append(shop.send.tags("ana@example.com"))
        assert [(), ("buyer",), ()] == tags

    @pytest.mark.parametrize("again", ["BUYER", " buyer "])
    def test_a_tag_is_an_identifier(self, host, rule, make_event, again):
        """Two spellings of a tag are one tag."""
        shop = host(
            rule("on", AddTag("buyer")),
            rule("again", AddTag(again), event="purchase.completed"),
        )
        shop.handle(make_event(), make_event("purchase.completed"))
        assert ("buyer",) == shop.send.tags("ana@example.com")


class TestT2TwoKinds:
    """T2: Two kinds of segmentation: automatic, created by the system and not editable; custom,
    with the user's own rules.
    """

    def test_both_on_one_product(self, rule_set, rule):
        """A dashboard shows both and distinguishes them."""
        entries = rule_set(rule("mine", AddTag("x")), capture_provider="mail").for_product("course")
        assert {
            (AutomaticSegmentation, True): len(AUTOMATIC),
            (Segmentation, False): 1,
        } == {
            key: sum(key == (type(e.segmentation), e.is_automatic) for e in entries)
            for key in ((AutomaticSegmentation, True), (Segmentation, False))
        }

    def test_automatic_ones_are_made_by_the_system(self):
        """Users cannot make one."""
        with pytest.raises(AutomaticSegmentationError):
            AutomaticSegmentation()

    def test_custom_ones_are_edited(self, rule_set, rule):
        """A user can replace a custom one."""
        mine = rule("mine", AddTag("x"))
        edited = attrs.evolve(mine, actions=AddTag("y"))
        assert edited == rule_set(mine).replace(edited).segmentation("mine")


class TestK1CaptureAndStandardTags:
    """K1: With Hotmart Send active and a product approved, two things run by themselves:
    automatic lead capture, and automatic segmentations with standard tags.
    """

    def test_both_run(self, plan_actions, make_event):
        """Without any custom rule, the lead and the standard tag are added."""
        assert [AddLead(), AddTag("auto:waitlist:course")] == plan_actions(
            make_event("waitlist.joined"), capture_provider="mail"
        )

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"capture_provider": "mail", "providers": {}},
            {"capture_provider": "mail", "products": [Product("course", "Course")]},
        ],
        ids=["not-active", "not-integrated", "not-approved"],
    )
    def test_inactive(self, plan_actions, make_event, options):
        """Nothing runs if the provider is not active or the product is not approved."""
        assert [] == plan_actions(make_event("waitlist.joined"), **options)


class TestK2PlatformRules:
    """K2: Automatic flows follow rules defined by the platform and cannot be edited or removed."""

    @pytest.mark.parametrize("operation", ["remove", "disable", "enable"])
    @pytest.mark.parametrize("row", AUTOMATIC, ids=lambda row: row.id)
    def test_refused(self, rule_set, operation, row):
        """No operation of a rule set changes an automatic segmentation."""
        with pytest.raises(AutomaticSegmentationError):
            getattr(rule_set(capture_provider="mail"), operation)(row.id)

    @pytest.mark.parametrize("row", AUTOMATIC, ids=lambda row: row.id)
    def test_no_edit(self, rule_set, row):
        """It can be neither edited nor replaced."""
        with pytest.raises(AutomaticSegmentationError):
            attrs.evolve(row, adds_on=())
        with pytest.raises(AutomaticSegmentationError):
            rule_set(capture_provider="mail").replace(row)

    def test_changes_of_custom_rules(self, rule_set, rule, make_event):
        """Changes of the custom rules do not change the automatic actions."""
        before = rule_set(capture_provider="mail")
        after = (
            before.add(rule("a", AddTag("x")), rule("b", RemoveTag("y")))
            .disable("a")
            .replace(rule("b", AddTag("z")))
            .remove("a")
        )
        automatic = [
            {p.action for p in Engine(rules).plan(make_event()).actions if p.automatic}
            for rules in (before, after)
        ]
        assert automatic[0] == automatic[1]


class TestK3FirstLevel:
    """K3: They are the first level of organisation; custom segmentations can be made on top, and
    complement them.
    """

    def test_custom_tags_on_top(self, host, rule, make_event):
        """After an event, a contact has the automatic and the custom tags."""
        shop = host(rule("mine", AddTag("vip")), capture_provider="mail")
        shop.handle(make_event())
        assert ("auto:purchase-approved:course", "vip") == tuple(
            sorted(shop.send.tags("ana@example.com"))
        )

    def test_listed_first(self, rule_set, rule):
        """The dashboard lists them before the custom ones."""
        entries = rule_set(rule("mine", AddTag("x")), capture_provider="mail").for_product("course")
        assert [True] * len(AUTOMATIC) + [False] == [entry.is_automatic for entry in entries]


class TestK4Capture:
    """K4: Capture records people who interact with the product, with no form or page."""

    @pytest.mark.parametrize("event", EVENTS)
    def test_every_interaction(self, host, make_event, event):
        """Every event records the contact."""
        shop = host(capture_provider="mail")
        shop.handle(make_event(event))
        assert ["ana@example.com"] == [lead.email for lead in shop.send.contacts()]

    def test_one_contact_for_one_person(self, host, make_event):
        """A contact who interacts again is not recorded again."""
        shop = host(capture_provider="mail")
        shop.handle(*map(make_event, EVENTS))
        assert 1 == len(shop.send.contacts())

    def test_no_contact(self, host, make_event):
        """An event without a contact records nobody."""
        shop = host(capture_provider="mail")
        shop.handle(make_event(contact=None))
        assert () == shop.send.contacts()


class TestK5AutomaticTags:
    """K5: Captured contacts get automatic tags for events such as cart abandonment, approved
    purchase, canceled purchase, refund.
    """

    @pytest.mark.parametrize("event", DOCUMENTED)
    def test_each(self, host, make_event, event):
        """After the event, the contact has its tag and no other tag."""
        shop = host(capture_provider="mail")
        shop.handle(make_event(event))
        assert (DOCUMENTED[event],) == shop.send.tags("ana@example.com")

    @pytest.mark.parametrize(
        ("events", "tags"),
        [
            (["purchase.cart_abandoned", "purchase.approved"], ("purchase-approved",)),
            (["purchase.approved", "purchase.refunded"], ("purchase-refunded",)),
            (["purchase.canceled", "purchase.approved"], ("purchase-approved",)),
        ],
    )
    def test_a_later_event_removes_a_tag(self, host, make_event, events, tags):
        """A tag that no longer applies is removed."""
        shop = host(capture_provider="mail")
        shop.handle(*map(make_event, events))
        assert tuple(f"auto:{tag}:course" for tag in tags) == shop.send.tags("ana@example.com")


class TestK6TagsOfTheSystem:
    """K6: Automatic tags are applied by standard flows and cannot be edited or removed by the
    user.
    """

    @pytest.mark.parametrize("kind", [AddTag, RemoveTag])
    @pytest.mark.parametrize("tag", ["auto:purchase-approved:course", " AUTO:anything"])
    def test_custom_segmentations_cannot_touch_them(self, rule_set, rule, kind, tag):
        """A rule that adds or removes one is flagged."""
        rules = rule_set(rule("mine", kind(tag)))
        assert [FindingCode.RESERVED_TAG] == [finding.code for finding in rules.findings]

    @pytest.mark.parametrize("kind", [AddTag, RemoveTag])
    def test_the_provider_refuses_too(self, host, make_event, kind):
        """A custom action on an automatic tag is refused and changes nothing."""
        shop = host(capture_provider="mail")
        shop.handle(make_event())
        before = shop.send.tags("ana@example.com")
        action = kind(before[0] if kind is RemoveTag else "auto:mine:course")
        planned = PlannedAction(
            "mail", "ana@example.com", action, FrozenMap(), ("mine",), False, "id-1"
        )
        outcome = shop.send.apply(planned, Call())
        assert (True, before) == (
            isinstance(outcome, Refused),
            shop.send.tags("ana@example.com"),
        )


class TestK7NeverSends:
    """K7: Capture only records and organises; it never sends e-mail."""

    def test_nothing_is_due(self, host, make_event):
        """After every kind of event, no message is due."""
        shop = host(capture_provider="mail")
        shop.handle(*map(make_event, EVENTS))
        assert () == shop.send.due(shop.now)

    def test_kinds_of_action(self, plan_actions, make_event):
        """It only adds leads, and adds and removes tags."""
        kinds = {
            type(action)
            for event in EVENTS
            for action in plan_actions(make_event(event), capture_provider="mail")
        }
        assert {AddLead, AddTag, RemoveTag} == kinds


class TestK8BetaCapture:
    """K8: Products approved before July 2024 may use the beta version of capture, which may
    create segmentations and tags without capturing leads; manual segmentations are advised.
    """

    @pytest.mark.parametrize(
        ("day", "expected"),
        [(date(2024, 6, 30), [FindingCode.BETA_CAPTURE]), (date(2024, 7, 1), [])],
    )
    def test_warning(self, rule_set, day, expected):
        """A product that was approved before July 2024 gets a warning."""
        product = Product("course", "Course", approved_at=day)
        rules = rule_set(products=[product], capture_provider="mail")
        assert expected == [finding.code for finding in rules.findings]

    def test_hint(self, rule_set):
        """The hint of the warning recommends custom segmentations."""
        product = Product("course", "Course", approved_at=date(2024, 1, 1))
        (finding,) = rule_set(products=[product], capture_provider="mail").findings
        assert "custom segmentations" in finding.hint

    def test_custom_segmentations_run(self, plan_actions, rule, make_event):
        """A custom segmentation of such a product records the lead."""
        options = {"products": [Product("course", "Course", approved_at=date(2024, 1, 1))]}
        assert [AddLead("Buyers")] == plan_actions(
            make_event(), rule("mine", AddLead("Buyers")), **options
        )


class TestK9NoCustomisation:
    """K9: The rules of capture cannot be customised."""

    def test_the_table_is_the_same_for_everybody(self, rule_set):
        """Every rule set shows the same automatic segmentations."""
        rules = (
            rule_set(capture_provider="mail"),
            rule_set(capture_provider="mail", providers={"mail": Capabilities()}),
        )
        shown = [[e.segmentation for e in each.for_product("course")] for each in rules]
        assert [list(AUTOMATIC)] * 2 == shown

    @pytest.mark.parametrize("field", ["tag_key", "adds_on", "removes_on"])
    def test_no_row_can_be_changed(self, field):
        """The fields of a row cannot be set."""
        with pytest.raises(AttributeError):
            setattr(AUTOMATIC[0], field, ())

    @pytest.mark.parametrize(
        "again",
        [copy.copy, copy.deepcopy, lambda row: pickle.loads(pickle.dumps(row))],
        ids=["copy", "deepcopy", "pickle"],
    )
    def test_copies_are_the_same_row(self, again):
        """A copy of a built-in is the built-in itself."""
        assert AUTOMATIC[0] is again(AUTOMATIC[0])

    def test_no_custom_rule_with_an_automatic_id(self, rule):
        """A custom segmentation cannot have an id of the automatic ones."""
        with pytest.raises(AutomaticSegmentationError):
            RuleSet(segmentations=[rule("mine", AddTag("x"), id="auto.mine")])


def test_origin_follows_the_first_write(host, rule, make_event):
    """A contact that capture and a custom rule add for one event counts as captured."""
    shop = host(rule("mine", AddTag("x")), capture_provider="mail")
    shop.handle(make_event())
    assert Origin.AUTO == shop.send.contact("ana@example.com").origin
