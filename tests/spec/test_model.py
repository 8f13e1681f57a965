"""What ListBoss is: statements M1 to M5."""

from typing import ClassVar

import attrs
import pytest

from listboss import AddLead, AddTag, Engine, MoveLead, Place, RemoveLead, RemoveTag, where


class TestM1ActsByItself:
    """M1: ListBoss connects what happens to a product with an e-mail marketing provider, and
    acts by itself whenever a chosen event occurs: no exports, no manual updates.
    """

    def test_the_tag_is_there_once_the_event_is_handled(self, host, rule, make_event):
        """A host only hands over the event; then the contact has the tag."""
        shop = host(rule("buyers", AddTag("buyer")))
        shop.handle(make_event())
        assert ("buyer",) == shop.send.tags("ana@example.com")

    def test_every_occurrence(self, host, rule, make_event):
        """The rule runs for every occurrence, each with its own contact."""
        shop = host(rule("buyers", AddTag("buyer")))
        contacts = [attrs.evolve(make_event().contact, email=f"{n}@example.com") for n in range(3)]
        shop.handle(
            *(make_event(id=f"e-{n}", contact=contact) for n, contact in enumerate(contacts))
        )
        assert {"buyer": 3} == shop.send.tags()

    def test_other_events_do_nothing(self, host, rule, make_event):
        """The rule runs only for the chosen event."""
        shop = host(rule("buyers", AddTag("buyer")))
        shop.handle(make_event("purchase.refunded"))
        assert () == shop.send.contacts()


class TestM2ThreeElements:
    """M2: A segmentation has three elements: an event (when), an optional condition (who), an
    action (what, at the provider).
    """

    RUNS: ClassVar = {"name": "purchase.approved", "facts": {"country": "BR"}}

    @pytest.mark.parametrize(
        ("event", "expected"),
        [
            (RUNS, [AddTag("local")]),
            ({**RUNS, "name": "purchase.refunded"}, []),
            ({**RUNS, "facts": {"country": "PT"}}, []),
        ],
        ids=["all", "other-when", "other-who"],
    )
    def test_event_and_condition(self, plan_actions, rule, make_event, event, expected):
        """The action is planned only if both the event and the condition match."""
        local = rule("local", AddTag("local"), condition=where.country == "BR")
        assert expected == plan_actions(make_event(**event), local)

    def test_provider(self, rule, rule_set, make_event):
        """The action is planned at the provider that the segmentation names."""
        (planned,) = Engine(rule_set(rule("r", AddTag("x")))).plan(make_event()).actions
        assert "mail" == planned.provider

    @pytest.mark.parametrize("part", ["event", "actions", "provider"])
    def test_only_the_condition_is_optional(self, rule, part):
        """A segmentation cannot be made without an event, an action or a provider."""
        fields = attrs.asdict(rule("r", AddTag("x")), recurse=False)
        del fields[part]
        with pytest.raises(TypeError):
            type(rule("r", AddTag("x")))(**fields)


class TestM3EnglishSpeakingBuyers:
    """M3: Example: purchase approved, buyer's language English, add lead to the list
    "English-Speaking Buyers": that combination sends the contact to that list.
    """

    LIST = "English-Speaking Buyers"

    def _shop(self, host, rule):
        english = rule("English buyers", AddLead(self.LIST), condition=where.language == "en")
        return host(english)

    @pytest.mark.parametrize(
        ("language", "expected"),
        [("en", (Place(list=LIST),)), ("en-US", (Place(list=LIST),)), ("pt", ()), ("", ())],
    )
    def test_the_combination(self, host, rule, make_event, language, expected):
        """An English-speaking buyer is added to the list; another buyer is not."""
        shop = self._shop(host, rule)
        shop.handle(make_event(facts={"language": language}))
        assert expected == shop.send.places("ana@example.com")

    def test_unknown_language(self, host, rule, make_event):
        """A buyer whose language is unknown is not added to the list."""
        shop = self._shop(host, rule)
        shop.handle(make_event())
        assert () == shop.send.contacts()


class TestM4FourUseCases:
    """M4: Four use cases: add a buyer to a list on approval; tag who abandons the cart; remove a
    tag after a refund; move a contact when a purchase is completed.
    """

    @pytest.fixture
    def shop(self, host, rule):
        """A host with the four segmentations."""
        return host(
            rule("add", AddLead("Buyers"), AddTag("buyer")),
            rule("tag", AddTag("cart"), event="purchase.cart_abandoned"),
            rule("untag", RemoveTag("buyer"), event="purchase.refunded"),
            rule("move", MoveLead("Alumni", source="Buyers"), event="purchase.completed"),
        )

    @pytest.mark.parametrize(
        ("events", "tags", "places"),
        [
            (["purchase.approved"], ("buyer",), ("Buyers",)),
            (["purchase.cart_abandoned"], ("cart",), ()),
            (["purchase.approved", "purchase.refunded"], (), ("Buyers",)),
            (["purchase.approved", "purchase.completed"], ("buyer",), ("Alumni",)),
        ],
        ids=["add", "tag", "untag", "move"],
    )
    def test_each(self, shop, make_event, events, tags, places):
        """After the events, the contact has the tags and lists of the use case."""
        shop.handle(*map(make_event, events))
        assert (tags, tuple(Place(list=name) for name in places)) == (
            shop.send.tags("ana@example.com"),
            shop.send.places("ana@example.com"),
        )


class TestM5ListsTagsSegments:
    """M5: Contacts can be put into lists, tagged, moved between segments."""

    @pytest.mark.parametrize(
        "action",
        [
            AddLead("Buyers"),
            AddTag("buyer"),
            RemoveTag("prospect"),
            MoveLead("Buyers", source="Prospects"),
            RemoveLead("Prospects"),
        ],
    )
    def test_each(self, plan_actions, rule, make_event, action):
        """A segmentation can have each action."""
        assert [action] == plan_actions(make_event(), rule("r", action))

    def test_several(self, plan_actions, rule, make_event):
        """A segmentation can have several actions."""
        actions = [MoveLead("Buyers", source="Prospects"), AddTag("buyer")]
        assert actions == plan_actions(make_event(), rule("r", *actions))
