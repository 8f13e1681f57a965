import itertools
from decimal import Decimal

import pytest

from listboss import AddLead, AddTag, MoveLead, Place, ProviderAction, RemoveLead, RemoveTag
from listboss.rules import Capabilities, Verb
from listboss.rules.action import action_spelling

EQUAL = (
    (AddTag("VIP"), AddTag(" vip ")),
    (RemoveTag("VIP"), RemoveTag("vip")),
    (AddLead("Buyers"), AddLead(Place(list="BUYERS "))),
    (AddLead(Place(a="1", b="x")), AddLead(Place(b="X", a="1"))),
    (RemoveLead("A"), RemoveLead("a")),
    (MoveLead("B", source="A"), MoveLead("b", source=" a")),
    (
        ProviderAction("acme.note", {"fee": Decimal("49.90")}),
        ProviderAction("acme.note", {"fee": Decimal("4.99E+1")}),
    ),
)
DIFFERENT = (
    (AddTag("a"), AddTag("b")),
    (AddLead(), AddLead("a")),
    (AddLead(Place(a="1")), AddLead(Place(b="1"))),
    (RemoveLead("a"), RemoveTag("a")),
    (ProviderAction("acme.note", {"n": 1}), ProviderAction("acme.note", {"n": 2})),
)


def _plan(engine, rule, event, *actions):
    providers = {
        "mail": Capabilities(
            add_tag="native",
            remove_tag="native",
            add_lead="native",
            move_lead="native",
            remove_lead="native",
            verbs=(Verb("acme.note", {"n": "integer", "fee": "decimal"}, optional=("n", "fee")),),
        )
    }
    rules = [rule(f"r{n}", action) for n, action in enumerate(actions)]
    return engine(*rules, providers=providers).plan(event)


@pytest.mark.parametrize("actions", EQUAL)
def test_equal_actions_become_one(engine, rule, happens, actions):
    """Actions that compare equal at one provider are one action, with all its reasons."""
    (planned,) = _plan(engine, rule, happens(), *actions).actions
    assert ("r0", "r1") == planned.because


@pytest.mark.parametrize("actions", DIFFERENT)
def test_different_actions_stay_apart(engine, rule, happens, actions):
    """Actions that differ in more than their spelling are not merged."""
    assert 2 == len(_plan(engine, rule, happens(), *actions).actions)


@pytest.mark.parametrize("actions", EQUAL)
def test_the_spelling_does_not_depend_on_the_order(engine, rule, happens, actions):
    """The spelling that is sent, and the id, do not depend on the order of the rules."""
    one, other = (
        _plan(engine, rule, happens(), *order).actions[0] for order in (actions, actions[::-1])
    )
    assert (one.action, one.id) == (other.action, other.id)
    assert action_spelling(one.action) == action_spelling(other.action)


def test_the_spelling_sent_is_one_of_those_written(engine, rule, happens):
    """Only spellings that a rule uses are sent, never the folded form."""
    (planned,) = _plan(engine, rule, happens(), AddTag("VIP"), AddTag("Vip")).actions
    assert AddTag("VIP") == planned.action


def test_single_actions_are_sent_as_written(engine, rule, happens):
    """The case of a tag reaches the provider, and the digits of a decimal."""
    credit = ProviderAction("acme.note", {"fee": Decimal("49.90")})
    plan = _plan(engine, rule, happens(), AddTag(" New Buyers "), credit)
    tag, fee = (planned.action for planned in plan.actions)
    assert "New Buyers" == tag.tag
    assert "49.90" == str(fee.parameters["fee"])


def test_providers_do_not_merge(engine, rule, happens):
    """The same tag at two accounts is two actions."""
    plan = engine(rule("a", AddTag("x")), rule("b", AddTag("x"), provider="post")).plan(happens())
    assert [("mail", ("a",)), ("post", ("b",))] == [(p.provider, p.because) for p in plan.actions]


def test_data_are_the_union(engine, rule, happens):
    """A merged action sends what any of its rules sends."""
    eng = engine(
        rule("a", AddTag("x"), send=("email", "offer")),
        rule("b", AddTag("x"), send=("name", "email")),
    )
    (planned,) = eng.plan(happens(facts={"offer": "o"})).actions
    assert ["email", "name", "offer"] == list(planned.data)


def test_reasons_are_sorted_and_named_once(engine, rule, happens):
    """A rule that asks twice for one action is one reason, and reasons are sorted."""
    eng = engine(rule("b", AddTag("x"), AddTag("X")), rule("a", AddTag("x")))
    (planned,) = eng.plan(happens()).actions
    assert ("a", "b") == planned.because


def test_merging_does_not_depend_on_the_order_of_rules(engine, rule, happens):
    """All orders of three rules give one plan."""
    rules = (
        rule("a", AddTag("x"), AddTag("y")),
        rule("b", AddTag("X"), send=("name",)),
        rule("c", AddTag("x "), AddTag("z")),
    )
    plans = {engine(*order).plan(happens()) for order in itertools.permutations(rules)}
    assert 1 == len(plans)


def test_with_an_automatic_action(engine, rule, happens):
    """A custom rule that also adds the lead is one more reason of the automatic action."""
    eng = engine(rule("mine", AddLead(), send=("offer",)), capture_provider="mail")
    planned = next(
        p for p in eng.plan(happens(facts={"offer": "o"})).actions if p.action == AddLead()
    )
    assert (("auto.capture", "mine"), True, ["email", "name", "offer", "phone"]) == (
        planned.because,
        planned.automatic,
        list(planned.data),
    )
