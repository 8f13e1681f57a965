import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum

import attrs
import pytest

from listboss import (
    AddLead,
    AddTag,
    Capabilities,
    Contact,
    MoveLead,
    Place,
    PlannedAction,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    where,
)
from listboss.rules import Verb
from listboss.testing.reference import digest

VERBS = attrs.evolve(
    Capabilities.everything(), verbs=(Verb("acme.enrol", {"course": "text"}), Verb("acme.wave"))
)


def _actions(plan):
    return [planned.action for planned in plan.actions]


class TestContent:
    """A plan names its event, and has what the provider needs for each action."""

    def test_the_event(self, engine, rule, happens):
        """The plan has the event's id, name, product, time and test mark."""
        event = happens()
        plan = engine(rule("r", AddTag("buyer"))).plan(event)
        assert (event.id, event.name, "42", event.occurred_at, False) == (
            plan.event_id,
            plan.event_name,
            plan.product_id,
            plan.occurred_at,
            plan.is_test,
        )

    def test_an_idle_plan_names_the_event_too(self, engine, happens):
        """A plan without actions names its event, too."""
        plan = engine().plan(happens(id="e-9"))
        assert ("e-9", "42", ()) == (plan.event_id, plan.product_id, plan.actions)

    def test_a_test_that_is_planned_is_marked(self, engine, rule, happens):
        """With `include_tests`, a test event is planned, and the plan is marked as a test."""
        plan = engine(rule("r", AddTag("buyer"))).plan(happens(is_test=True), include_tests=True)
        assert (True, 1) == (plan.is_test, len(plan.actions))

    def test_a_planned_action(self, engine, rule, happens):
        """An action has its provider, the e-mail as given, data and reasons."""
        (planned,) = engine(rule("r", AddTag("buyer"))).plan(happens()).actions
        assert (
            PlannedAction(
                provider="mail",
                email="Ana@example.com",
                action=AddTag("buyer"),
                data=planned.data,
                because=("r",),
                automatic=False,
                id="1217136cc6c780e6d4827680-" + planned.id.partition("-")[2],
            )
            == planned
        )

    def test_a_plan_with_actions_is_not_idle(self, engine, rule, happens):
        """`idle` is None where there is something to do."""
        assert engine(rule("r", AddTag("buyer"))).plan(happens()).idle is None

    def test_plans_are_values(self, engine, rule, happens):
        """Equal rules and an equal event give an equal plan, which survives pickle and copy."""
        plan = engine(rule("r", AddTag("buyer"))).plan(happens())
        again = engine(rule("r", AddTag("buyer"))).plan(happens())
        assert [plan] * 3 == [again, pickle.loads(pickle.dumps(plan)), copy.deepcopy(plan)]

    def test_equal_plans_hash_alike(self, engine, rule, happens):
        """A plan can be a member of a set."""
        eng = engine(rule("r", AddTag("buyer")))
        assert 1 == len({eng.plan(happens()), eng.plan(happens())})

    @pytest.mark.parametrize("part", ["plan", "action", "conflict"])
    def test_frozen(self, engine, rule, happens, part):
        """A plan cannot be changed."""
        plan = engine(rule("r", AddTag("buyer"), AddTag("vip")), rule("s", RemoveTag("vip"))).plan(
            happens()
        )
        value, field = {
            "plan": (plan, "idle"),
            "action": (plan.actions[0], "email"),
            "conflict": (plan.conflicts[0], "target"),
        }[part]
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(value, field, "x")


class TestText:
    """What `str()` of a plan and its parts says to a person."""

    def test_plan(self, engine, rule, happens):
        """A plan names its event, and has a line for each action and conflict."""
        plan = engine(
            rule("r", AddTag("buyer"), AddLead("Buyers")), rule("s", RemoveTag("buyer"))
        ).plan(happens())
        assert [
            "event `purchase.approved` `e-1` on product `42`",
            "  remove tag `buyer` at `mail`",
            "  add to `Buyers` at `mail`",
            "  add tag `buyer` at `mail` dropped for remove tag `buyer`: remove wins",
        ] == str(plan).splitlines()

    def test_idle_plan(self, engine, happens):
        """A plan without actions says why; an id that may contain an address is masked."""
        plan = engine().plan(happens(id="quiz:ana@example.com"))
        assert "event `purchase.approved` `***` on product `42` (idle: no rule)" == str(plan)

    def test_escapes(self, engine, rule, happens):
        """What a user wrote stays on its line and between its back-ticks."""
        plan = engine(rule("r", AddTag("a`\nb"))).plan(happens(id="e\n1"))
        assert [
            r"event `purchase.approved` `e\n1` on product `42`",
            r"  add tag `a\x60\nb` at `mail`",
        ] == str(plan).splitlines()


class TestEveryMatchingRuleCounts:
    """Every matching rule counts, and no other."""

    def test_several_rules(self, engine, rule, happens):
        """Each matching rule adds its actions."""
        eng = engine(rule("a", AddTag("1")), rule("b", AddTag("2"), AddTag("3")))
        assert [AddTag("1"), AddTag("2"), AddTag("3")] == _actions(eng.plan(happens()))

    def test_other_event_other_product(self, engine, rule, happens):
        """A rule of another event or product does not run."""
        eng = engine(
            rule("a", AddTag("1"), event="purchase.refunded"),
            rule("b", AddTag("2"), product_id="77", plan_ids=("10",)),
            rule("c", AddTag("3")),
        )
        assert [AddTag("3")] == _actions(eng.plan(happens()))

    def test_disabled_rules_never_run(self, engine, rule, happens):
        """A disabled rule asks for nothing."""
        eng = engine(rule("a", AddTag("1"), enabled=False), rule("b", AddTag("2")))
        assert [AddTag("2")] == _actions(eng.plan(happens()))

    def test_flagged_rules_never_run(self, engine, rule, happens):
        """A rule with an error finding asks for nothing, even if it is enabled."""
        eng = engine(rule("a", AddTag(" "), AddTag("1")), rule("b", AddTag("2")))
        assert [AddTag("2")] == _actions(eng.plan(happens()))

    def test_rules_with_warnings_run(self, engine, rule, happens):
        """A rule with a warning runs."""
        eng = engine(rule("a", AddTag("1"), send=("email", "rating")))
        assert [AddTag("1")] == _actions(eng.plan(happens()))

    def test_conditions(self, engine, rule, happens):
        """Rules run if their condition holds."""
        eng = engine(
            rule("a", AddTag("en"), condition=where.language == "en"),
            rule("b", AddTag("pt"), condition=where.language == "pt"),
            rule("c", AddTag("many"), condition=where.installments >= 6),
            rule("d", AddTag("all")),
        )
        facts = {"language": "pt-BR", "installments": 6}
        assert [AddTag("all"), AddTag("many"), AddTag("pt")] == _actions(
            eng.plan(happens(facts=facts))
        )

    @pytest.mark.parametrize("number", [1, 3, 40, 300])
    def test_one_of_many(self, engine, rule, happens, number):
        """With many rules, exactly those run whose condition holds."""
        eng = engine(
            *(
                rule(f"r{n}", AddTag(str(n)), condition=where.coupon == f"o{n}")
                for n in range(number)
            )
        )
        wanted = number - 1
        assert [AddTag(str(wanted))] == _actions(eng.plan(happens(facts={"coupon": f"O{wanted}"})))

    def test_match_names_the_rules_that_hold(self, engine, rule, happens):
        """`match` returns the ids of the custom rules that hold, in the order declared."""
        eng = engine(
            rule("b", AddTag("1")),
            rule("a", AddTag("2")),
            rule("c", AddTag("3"), condition=where.language == "en"),
        )
        assert ("b", "a") == eng.match(happens())

    def test_match_of_an_unknown_product(self, engine, happens):
        """A product that the rule set does not have matches nothing."""
        assert () == engine().match(happens(product_id="1"))


class TestOrder:
    """Actions are sorted by provider, kind and target, whatever the order of the rules."""

    ACTIONS = (
        RemoveTag("z"),
        RemoveLead("z"),
        MoveLead("y", source="x"),
        AddLead(),
        AddLead("w"),
        AddTag("a"),
        AddTag("b"),
        ProviderAction("acme.enrol", {"course": "c"}),
        ProviderAction("acme.wave"),
    )

    def test_kinds_and_targets(self, engine, rule, happens):
        """Removals come first, and a provider's own actions last."""
        eng = engine(rule("r", *reversed(self.ACTIONS)), providers={"mail": VERBS})
        assert list(self.ACTIONS) == _actions(eng.plan(happens()))

    def test_providers(self, engine, rule, happens):
        """Actions are grouped by provider, in the order of the providers' names."""
        eng = engine(
            rule("a", AddTag("a"), provider="post"),
            rule("b", AddTag("z"), RemoveTag("y")),
        )
        actions = eng.plan(happens()).actions
        assert [("mail", RemoveTag("y")), ("mail", AddTag("z")), ("post", AddTag("a"))] == [
            (planned.provider, planned.action) for planned in actions
        ]

    def test_the_order_of_rules_does_not_matter(self, engine, rule, happens):
        """Reversing the rules gives the same plan."""
        rules = [rule(f"r{n}", action) for n, action in enumerate(self.ACTIONS)]
        plans = [
            engine(*order, providers={"mail": VERBS}).plan(happens())
            for order in (rules, rules[::-1])
        ]
        assert plans[0] == plans[1]


class TestDataToSend:
    """`data` has the contact fields and facts that the rules send, except absent ones."""

    def _data(self, engine, rule, event, *send):
        (planned,) = engine(rule("r", AddTag("buyer"), send=send)).plan(event).actions
        return dict(planned.data)

    def test_by_default_email_name_and_phone(self, engine, rule, happens):
        """By default, a rule sends the e-mail, the name and the phone."""
        (planned,) = engine(rule("r", AddTag("buyer"))).plan(happens()).actions
        assert {"email": "Ana@example.com", "name": "Ana", "phone": "5511"} == dict(planned.data)

    @pytest.mark.parametrize("name", [None, "Ana"])
    @pytest.mark.parametrize("phone", [None, "5511"])
    def test_naming_the_default_fields(self, engine, rule, happens, name, phone):
        """Naming these three gives the same plan as the default."""
        event = happens(contact=Contact("ana@example.com", name=name, phone=phone))
        (planned,) = engine(rule("r", AddTag("buyer"))).plan(event).actions
        assert self._data(engine, rule, event, "phone", "email", "name") == dict(planned.data)
        assert list(planned.data) == sorted(planned.data)

    def test_contact_fields(self, engine, rule, happens):
        """Each field of the contact can be sent."""
        contact = Contact("a@example.com", name="A B", first_name="A", last_name="B", phone="1")
        fields = ("email", "name", "first_name", "last_name", "phone")
        data = self._data(engine, rule, happens(contact=contact), *fields)
        assert {name: getattr(contact, name) for name in fields} == data

    def test_facts_as_given(self, engine, rule, happens):
        """Facts are sent as the event has them, untrimmed and in their type."""
        at = datetime(2026, 5, 1, tzinfo=timezone(timedelta(hours=-3)))
        facts = {"offer": " aB ", "price": Decimal("9.90"), "installments": 2, "approved_at": at}
        assert facts == self._data(engine, rule, happens(facts=facts), *facts)

    @pytest.mark.parametrize("facts", [{}, {"offer": ""}, {"offer": "  "}])
    def test_absent_and_blank_values_are_left_out(self, engine, rule, happens, facts):
        """Absent and blank values are not sent: they would erase the provider's."""
        assert {} == self._data(engine, rule, happens(facts=facts), "offer", "first_name")

    @pytest.mark.parametrize(("fact", "value"), [("price", Decimal(0)), ("is_order_bump", False)])
    def test_zero_and_false_are_values(self, engine, rule, happens, fact, value):
        """Zero and False are known values, and are sent."""
        assert {fact: value} == self._data(engine, rule, happens(facts={fact: value}), fact)

    def test_what_no_rule_sends_is_not_sent(self, engine, rule, happens):
        """Facts and fields that the rule does not name are not sent."""
        assert {} == self._data(engine, rule, happens(facts={"offer": "x"}))

    def test_the_e_mail_is_always_in_the_plan(self, engine, rule, happens):
        """The e-mail identifies the contact, whatever the rule sends."""
        (planned,) = engine(rule("r", AddTag("buyer"), send=())).plan(happens()).actions
        assert "Ana@example.com" == planned.email


class TestIds:
    """`id` depends on event, provider, contact and action, and is the same in every release."""

    # Journals keep these ids: if one changes, hosts carry out actions twice.
    GOLDEN = (
        (AddTag("VIP"), "1a0e83258b8e5b3ccfb1b653"),
        (RemoveTag("vip"), "78eea3cfc5a17699722c0704"),
        (AddLead(), "3586c83407887753f4b64bbf"),
        (AddLead("Buyers"), "2370cc441295079de81270c9"),
        (MoveLead("B", source="A", if_absent="skip"), "de1383f49664c752b5d48207"),
        (RemoveLead("A"), "0dd27e9bf7edfbd0532a1d34"),
        (ProviderAction("acme.enrol", {"course": "w"}), "362e5970c3f3e217582aa038"),
    )

    def _id(self, engine, rule, event, action=AddTag("VIP"), **changes):  # noqa: B008 # immutable, so sharing it is safe
        providers = {"mail": VERBS, "post": VERBS}
        rules = rule(changes.pop("id", "r"), action, **changes)
        (planned,) = engine(rules, providers=providers).plan(event).actions
        return planned.id

    @pytest.mark.parametrize(("action", "expected"), GOLDEN)
    def test_golden(self, engine, rule, happens, action, expected):
        """These are the ids of the first release."""
        expected = f"1217136cc6c780e6d4827680-{expected}"
        assert expected == self._id(engine, rule, happens(), action)

    def test_equal_actions_have_equal_ids(self, engine, rule, happens):
        """The spelling of the tag, the rule and its condition do not change the id."""
        one = self._id(engine, rule, happens())
        other = self._id(
            engine,
            rule,
            happens(facts={"language": "en"}),
            AddTag(" vip "),
            id="other",
            condition=where.language == "en",
            send=("email",),
        )
        assert one == other

    def test_the_contact_counts_by_identity(self, engine, rule, happens):
        """Two spellings of one address are one contact."""
        one, other = (
            self._id(engine, rule, happens(contact=Contact(email)))
            for email in ("ANA@example.com", " ana@EXAMPLE.com")
        )
        assert one == other

    @pytest.mark.parametrize(
        "event",
        [{"id": "e-2"}, {"contact": Contact("bia@example.com")}],
        ids=["event", "contact"],
    )
    def test_event_and_contact_are_in_the_first_half(self, engine, rule, happens, event):
        """Another event or contact changes only the half before the dash."""
        one = self._id(engine, rule, happens()).split("-")
        other = self._id(engine, rule, happens(**event)).split("-")
        assert (False, True) == (one[0] == other[0], one[1] == other[1])

    def test_the_provider_is_in_the_first_half(self, engine, rule, happens):
        """The same action at another account has another id."""
        one = self._id(engine, rule, happens())
        other = self._id(engine, rule, happens(), provider="post")
        assert (False, True) == (one == other, one.split("-")[1] == other.split("-")[1])

    @pytest.mark.parametrize("size", [1, 9, 1_023, 1_024, 100_000])
    @pytest.mark.parametrize("letter", ["e", "é"])
    def test_the_first_half_for_any_strings(self, engine, rule, happens, size, letter):
        """It is the reference's digest, for strings of any length and letters."""
        event = happens(id=letter * size, contact=Contact("ana@éxample.com"))
        plain = happens(id=letter * size)
        assert [
            digest(event.id, "mail", "ana@éxample.com"),
            digest(event.id, "mail", "ana@example.com"),
        ] == [self._id(engine, rule, each).split("-")[0] for each in (event, plain)]

    @pytest.mark.parametrize("email", ["ana@example.com", "ana@éxample.com"])
    def test_enum_members_are_their_values(self, engine, rule, happens, email):
        """A member of an enum as an id gives the same as its value."""

        class Sale(str, Enum):  # noqa: UP042 # `str()` of a member is not its value
            FIRST = "e-1"

        plain, member = (happens(id=id, contact=Contact(email)) for id in ("e-1", Sale.FIRST))
        assert self._id(engine, rule, plain) == self._id(engine, rule, member)

    def test_each_action_of_a_plan_has_its_own(self, engine, rule, happens):
        """No two actions of a plan share an id."""
        eng = engine(rule("r", *TestOrder.ACTIONS), providers={"mail": VERBS})
        ids = [planned.id for planned in eng.plan(happens()).actions]
        assert len(TestOrder.ACTIONS) == len(set(ids))


class TestPersonalData:
    """The repr of a plan shows no personal data."""

    @pytest.mark.parametrize("secret", ["Ana", "example.com", "5511", "SECRET"])
    def test_repr(self, engine, rule, happens, secret):
        """It has neither the e-mail nor the data."""
        eng = engine(rule("r", AddTag("buyer"), send=("email", "name", "phone", "offer")))
        plan = eng.plan(happens(facts={"offer": "SECRET"}))
        assert secret not in repr(plan)

    def test_ids_with_an_address(self, engine, happens):
        """An event id with an e-mail address is masked in plans and explanations."""
        event = happens(id="quiz:ana@example.com")
        explanation = engine().explain(event)
        shown = (repr(engine().plan(event)), repr(explanation), str(explanation))
        assert [False] * 3 == ["ana@" in text for text in shown]

    def test_action_and_reasons_are_shown(self, engine, rule, happens):
        """It has the action and the reasons, for finding out what went wrong."""
        text = repr(engine(rule("r", AddTag("buyer"))).plan(happens()))
        assert (True, True) == ("AddTag(tag='buyer')" in text, "because=('r',)" in text)


def test_places_with_parts(engine, rule, happens):
    """A place of several parts reaches the provider whole."""
    place = Place(machine="7", sequence="2", level="1")
    assert [AddLead(place)] == _actions(engine(rule("r", AddLead(place))).plan(happens()))


def test_times_are_utc(engine, happens):
    """The time in a plan is the event's, in UTC."""
    at = datetime(2026, 5, 4, 9, tzinfo=timezone(timedelta(hours=-3)))
    assert (
        datetime(2026, 5, 4, 12, tzinfo=UTC) == engine().plan(happens(occurred_at=at)).occurred_at
    )
