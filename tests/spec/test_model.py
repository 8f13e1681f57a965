"""What ListBoss is: statements M1 to M5."""

from typing import ClassVar

import attrs
import pytest

from listboss import AddLead, AddTag, Engine, MoveLead, Place, RemoveLead, RemoveTag, where


class TestM1ActsByItself:
    """M1: ListBoss connects what happens to a product with an e-mail marketing provider, and
    acts by itself whenever a chosen event occurs: no exports, no manual updates.
    """

    def test_the_provider_knows_once_the_event_is_handled(self, host, rule, happens):
        """Handing the event over is all that a host does; the tag is there."""
        shop = host(rule("buyers", AddTag("buyer")))
        shop.handle(happens())
        assert ("buyer",) == shop.send.tags("ana@example.com")

    def test_each_time(self, host, rule, happens):
        """Every occurrence is acted on, one contact after the other."""
        shop = host(rule("buyers", AddTag("buyer")))
        contacts = [attrs.evolve(happens().contact, email=f"{n}@example.com") for n in range(3)]
        shop.handle(*(happens(id=f"e-{n}", contact=who) for n, who in enumerate(contacts)))
        assert {"buyer": 3} == shop.send.tags()

    def test_other_events_do_nothing(self, host, rule, happens):
        """Only the chosen event sets it going."""
        shop = host(rule("buyers", AddTag("buyer")))
        shop.handle(happens("purchase.refunded"))
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
    def test_when_and_who_decide_about_what(self, asks, rule, happens, event, expected):
        """The action is asked for if both the event and the condition fit."""
        local = rule("local", AddTag("local"), condition=where.country == "BR")
        assert expected == asks(happens(**event), local)

    def test_at_the_provider(self, rule, rule_set, happens):
        """The action goes to the provider that the segmentation names."""
        (planned,) = Engine(rule_set(rule("r", AddTag("x")))).plan(happens()).actions
        assert "mail" == planned.provider

    @pytest.mark.parametrize("part", ["event", "actions", "provider"])
    def test_only_the_condition_is_optional(self, rule, part):
        """There is no segmentation without an event, an action or a provider."""
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
    def test_the_combination(self, host, rule, happens, language, expected):
        """An English-speaking buyer is on the list, another is not."""
        shop = self._shop(host, rule)
        shop.handle(happens(facts={"language": language}))
        assert expected == shop.send.places("ana@example.com")

    def test_the_event_alone(self, host, rule, happens):
        """Where nobody knows the language, the contact is not sent to the list."""
        shop = self._shop(host, rule)
        shop.handle(happens())
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
    def test_each(self, shop, happens, events, tags, places):
        """After the events, the contact is where the use case wants it."""
        shop.handle(*map(happens, events))
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
    def test_each_can_be_asked_for(self, asks, rule, happens, action):
        """A segmentation may do any of it."""
        assert [action] == asks(happens(), rule("r", action))

    def test_several_at_once(self, asks, rule, happens):
        """One segmentation may do several things."""
        actions = [MoveLead("Buyers", source="Prospects"), AddTag("buyer")]
        assert actions == asks(happens(), rule("r", *actions))
