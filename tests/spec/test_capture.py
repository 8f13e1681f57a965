"""Tags, and what runs by itself: statements T1, T2 and K1 to K9."""

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
    """T1: Tags are identifiers applied to contacts on the ground of recorded events;
    segmentations are the rules that say when a tag is applied or removed.
    """

    def test_applied_and_removed(self, host, rule, happens):
        """One segmentation applies the tag on an event, another removes it on a later one."""
        shop = host(
            rule("on", AddTag("buyer")),
            rule("off", RemoveTag("buyer"), event="purchase.refunded"),
        )
        tags = []
        for name in ("purchase.delayed", "purchase.approved", "purchase.refunded"):
            shop.handle(happens(name))
            tags.append(shop.send.tags("ana@example.com"))
        assert [(), ("buyer",), ()] == tags

    @pytest.mark.parametrize("again", ["BUYER", " buyer "])
    def test_a_tag_is_an_identifier(self, host, rule, happens, again):
        """However it is spelled, it is one tag."""
        shop = host(
            rule("on", AddTag("buyer")),
            rule("again", AddTag(again), event="purchase.completed"),
        )
        shop.handle(happens(), happens("purchase.completed"))
        assert ("buyer",) == shop.send.tags("ana@example.com")


class TestT2TwoKinds:
    """T2: Two kinds of segmentation: automatic, created by the system and not editable; custom,
    with the user's own rules.
    """

    def test_both_on_one_product(self, rule_set, rule):
        """A dashboard has both and tells them apart."""
        entries = rule_set(rule("mine", AddTag("x")), capture_provider="mail").for_product("course")
        assert {
            (AutomaticSegmentation, True): len(AUTOMATIC),
            (Segmentation, False): 1,
        } == {
            key: sum(key == (type(e.segmentation), e.is_automatic) for e in entries)
            for key in ((AutomaticSegmentation, True), (Segmentation, False))
        }

    def test_automatic_ones_are_made_by_the_system(self):
        """Nobody else makes one."""
        with pytest.raises(AutomaticSegmentationError):
            AutomaticSegmentation()

    def test_custom_ones_are_edited(self, rule_set, rule):
        """A custom one is replaced by what its user writes."""
        mine = rule("mine", AddTag("x"))
        edited = attrs.evolve(mine, actions=AddTag("y"))
        assert edited == rule_set(mine).replace(edited).segmentation("mine")


class TestK1CaptureAndStandardTags:
    """K1: With Hotmart Send active and a product approved, two things run by themselves:
    automatic lead capture, and automatic segmentations with standard tags.
    """

    def test_both_run(self, asks, happens):
        """The lead is added and the standard tag put on, with no rule written."""
        assert [AddLead(), AddTag("auto:waitlist:course")] == asks(
            happens("waitlist.joined"), capture_provider="mail"
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
    def test_not_without_both(self, asks, happens, options):
        """Where the provider is not active or the product not approved, nothing runs."""
        assert [] == asks(happens("waitlist.joined"), **options)


class TestK2PlatformRules:
    """K2: Automatic flows follow rules defined by the platform and cannot be edited or removed."""

    @pytest.mark.parametrize("operation", ["remove", "disable", "enable"])
    @pytest.mark.parametrize("row", AUTOMATIC, ids=lambda row: row.id)
    def test_refused(self, rule_set, operation, row):
        """No operation on a rule set touches one."""
        with pytest.raises(AutomaticSegmentationError):
            getattr(rule_set(capture_provider="mail"), operation)(row.id)

    @pytest.mark.parametrize("row", AUTOMATIC, ids=lambda row: row.id)
    def test_no_edit(self, rule_set, row):
        """One can be neither edited nor replaced by another."""
        with pytest.raises(AutomaticSegmentationError):
            attrs.evolve(row, adds_on=())
        with pytest.raises(AutomaticSegmentationError):
            rule_set(capture_provider="mail").replace(row)

    def test_any_sequence_of_changes_leaves_them(self, rule_set, rule, happens):
        """Whatever is done to the custom rules, the automatic actions stay the same."""
        before = rule_set(capture_provider="mail")
        after = (
            before.add(rule("a", AddTag("x")), rule("b", RemoveTag("y")))
            .disable("a")
            .replace(rule("b", AddTag("z")))
            .remove("a")
        )
        automatic = [
            {p.action for p in Engine(rules).plan(happens()).actions if p.automatic}
            for rules in (before, after)
        ]
        assert automatic[0] == automatic[1]


class TestK3FirstLevel:
    """K3: They are the first level of organisation; custom segmentations can be made on top, and
    complement them.
    """

    def test_on_top(self, host, rule, happens):
        """After an event, a contact has the automatic and the custom tags."""
        shop = host(rule("mine", AddTag("vip")), capture_provider="mail")
        shop.handle(happens())
        assert ("auto:purchase-approved:course", "vip") == tuple(
            sorted(shop.send.tags("ana@example.com"))
        )

    def test_first(self, rule_set, rule):
        """On the dashboard they stand before the custom ones."""
        entries = rule_set(rule("mine", AddTag("x")), capture_provider="mail").for_product("course")
        assert [True] * len(AUTOMATIC) + [False] == [entry.is_automatic for entry in entries]


class TestK4Capture:
    """K4: Capture records people who interact with the product, with no form or page."""

    @pytest.mark.parametrize("event", EVENTS)
    def test_every_interaction(self, host, happens, event):
        """Whatever the event, the contact is there afterwards."""
        shop = host(capture_provider="mail")
        shop.handle(happens(event))
        assert ["ana@example.com"] == [lead.email for lead in shop.send.contacts()]

    def test_one_contact_for_one_person(self, host, happens):
        """Who interacts again is not recorded again."""
        shop = host(capture_provider="mail")
        shop.handle(*map(happens, EVENTS))
        assert 1 == len(shop.send.contacts())

    def test_without_e_mail_there_is_nobody_to_record(self, host, happens):
        """An event that names no contact records none."""
        shop = host(capture_provider="mail")
        shop.handle(happens(contact=None))
        assert () == shop.send.contacts()


class TestK5AutomaticTags:
    """K5: Captured contacts get automatic tags for events such as cart abandonment, approved
    purchase, canceled purchase, refund.
    """

    @pytest.mark.parametrize("event", DOCUMENTED)
    def test_each(self, host, happens, event):
        """After the event, the contact has its tag and no other."""
        shop = host(capture_provider="mail")
        shop.handle(happens(event))
        assert (DOCUMENTED[event],) == shop.send.tags("ana@example.com")

    @pytest.mark.parametrize(
        ("events", "tags"),
        [
            (["purchase.cart_abandoned", "purchase.approved"], ("purchase-approved",)),
            (["purchase.approved", "purchase.refunded"], ("purchase-refunded",)),
            (["purchase.canceled", "purchase.approved"], ("purchase-approved",)),
        ],
    )
    def test_a_later_event_takes_a_tag_off(self, host, happens, events, tags):
        """What no longer holds is no longer tagged."""
        shop = host(capture_provider="mail")
        shop.handle(*map(happens, events))
        assert tuple(f"auto:{tag}:course" for tag in tags) == shop.send.tags("ana@example.com")


class TestK6TagsOfTheSystem:
    """K6: Automatic tags are applied by standard flows and cannot be edited or removed by the
    user.
    """

    @pytest.mark.parametrize("kind", [AddTag, RemoveTag])
    @pytest.mark.parametrize("tag", ["auto:purchase-approved:course", " AUTO:anything"])
    def test_custom_segmentations_cannot_touch_them(self, rule_set, rule, kind, tag):
        """A rule that puts one on or takes it off is flagged, and does not run."""
        rules = rule_set(rule("mine", kind(tag)))
        assert [FindingCode.RESERVED_TAG] == [finding.code for finding in rules.findings]

    @pytest.mark.parametrize("kind", [AddTag, RemoveTag])
    def test_the_provider_refuses_too(self, host, happens, kind):
        """An action on one that is not automatic is refused, and changes nothing."""
        shop = host(capture_provider="mail")
        shop.handle(happens())
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

    def test_nothing_is_due(self, host, happens):
        """After every kind of event, no message waits for a mailer."""
        shop = host(capture_provider="mail")
        shop.handle(*map(happens, EVENTS))
        assert () == shop.send.due(shop.now)

    def test_kinds_of_action(self, asks, happens):
        """All it ever asks for is to add a lead, and to put tags on and off."""
        kinds = {
            type(action)
            for event in EVENTS
            for action in asks(happens(event), capture_provider="mail")
        }
        assert {AddLead, AddTag, RemoveTag} == kinds


class TestK8BetaCapture:
    """K8: Products approved before July 2024 may use the beta version of capture, which may
    create segmentations and tags without capturing leads; manual segmentations are the advice.
    """

    @pytest.mark.parametrize(
        ("day", "expected"),
        [(date(2024, 6, 30), [FindingCode.BETA_CAPTURE]), (date(2024, 7, 1), [])],
    )
    def test_warned_of(self, rule_set, day, expected):
        """Until the last day of June 2024; the warning does not keep anything from running."""
        product = Product("course", "Course", approved_at=day)
        rules = rule_set(products=[product], capture_provider="mail")
        assert expected == [finding.code for finding in rules.findings]

    def test_the_advice(self, rule_set):
        """The finding advises custom segmentations."""
        product = Product("course", "Course", approved_at=date(2024, 1, 1))
        (finding,) = rule_set(products=[product], capture_provider="mail").findings
        assert "custom segmentations" in finding.hint

    def test_custom_segmentations_make_up_for_it(self, asks, rule, happens):
        """On such a product a custom segmentation records the lead."""
        options = {"products": [Product("course", "Course", approved_at=date(2024, 1, 1))]}
        assert [AddLead("Buyers")] == asks(happens(), rule("mine", AddLead("Buyers")), **options)


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
        """Not in place either."""
        with pytest.raises(AttributeError):
            setattr(AUTOMATIC[0], field, ())

    @pytest.mark.parametrize(
        "again",
        [copy.copy, copy.deepcopy, lambda row: pickle.loads(pickle.dumps(row))],
        ids=["copy", "deepcopy", "pickle"],
    )
    def test_copies_are_no_way_around(self, again):
        """A copy is the built-in itself."""
        assert AUTOMATIC[0] is again(AUTOMATIC[0])

    def test_no_own_rule_under_its_id(self, rule):
        """A custom segmentation cannot pose as an automatic one."""
        with pytest.raises(AutomaticSegmentationError):
            RuleSet(segmentations=[rule("mine", AddTag("x"), id="auto.mine")])


def test_origin_follows_the_first_write(host, rule, happens):
    """A contact that a custom rule of the same event adds too was still captured."""
    shop = host(rule("mine", AddTag("x")), capture_provider="mail")
    shop.handle(happens())
    assert Origin.AUTO == shop.send.contact("ana@example.com").origin
