import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from listboss import (
    AddLead,
    AddTag,
    AllOf,
    EventName,
    Product,
    ProductKind,
    Segmentation,
    SubscriptionPlan,
    where,
)
from listboss.errors import ArgumentTypeError, RuleError
from listboss.rules.segmentation import digest

ANNUAL = SubscriptionPlan("20", "Annual", also=["21", "22"])
MONTHLY = SubscriptionPlan("10", "Monthly")


def rule(name="Buyers", **changes):
    """Make a rule with some fields changed."""
    given = {
        "product_id": "42",
        "provider": "mail",
        "event": "purchase.approved",
        "actions": AddTag("buyer"),
    }
    return Segmentation(name, **{**given, **changes})


class TestDigest:
    """The digest that ids are made of."""

    @pytest.mark.parametrize(
        ("parts", "expected"),
        [
            # Made by `printf ... | b2sum -l 96`.
            (["add_tag", "vip"], "1a0e83258b8e5b3ccfb1b653"),
            (["add_tag", "café"], "08b77d594eb625d3db6f7254"),
            (["e-1", "mail", "ana@example.com"], "1217136cc6c780e6d4827680"),
        ],
    )
    def test_known(self, parts, expected):
        """The digest is the same on every machine and in every release."""
        assert expected == digest(parts)

    def test_lengths_count(self):
        """The digest depends on where each part ends, in bytes."""
        assert 5 == len({digest(p) for p in (["ab"], ["a", "b"], ["", "ab"], ["ab", ""], ["é"])})


class TestSubscriptionPlan:
    """One plan of a subscription."""

    def test_ids(self):
        """Its own id comes first, then the others, each once."""
        assert ("20", "21", "22") == ANNUAL.ids
        assert ("1", "2") == SubscriptionPlan("1", "x", also=["2", "2"]).ids

    @pytest.mark.parametrize("changes", [{"id": " "}, {"name": ""}, {"also": [" "]}])
    def test_blank(self, changes):
        """A blank id or name is refused."""
        with pytest.raises(RuleError):
            SubscriptionPlan(**{"id": "1", "name": "x", **changes})

    def test_bare_string(self):
        """A string is not a list of ids."""
        with pytest.raises(ArgumentTypeError):
            SubscriptionPlan("1", "x", also="23")


class TestProduct:
    """A product and its plans."""

    def test_kind_by_name(self):
        """A kind may be given by name; the default is a single product."""
        assert ProductKind.WEBINAR is Product("1", "x", kind="webinar").kind
        assert ProductKind.SINGLE is Product("1", "x").kind

    def test_plan(self):
        """A plan is found by any of its ids."""
        club = Product("1", "x", kind=ProductKind.SUBSCRIPTION, plans=[MONTHLY, ANNUAL])
        assert [MONTHLY, ANNUAL, ANNUAL, None] == [club.plan(i) for i in ("10", "20", "22", "9")]

    def test_plan_ids(self):
        """Every id of every plan, in the order given."""
        club = Product("1", "x", kind=ProductKind.SUBSCRIPTION, plans=[MONTHLY, ANNUAL])
        assert [*MONTHLY.ids, *ANNUAL.ids] == list(club.plan_ids)

    def test_a_single_plan(self):
        """One plan may be given instead of a list."""
        single: Any = MONTHLY
        club = Product("1", "x", kind=ProductKind.SUBSCRIPTION, plans=single)
        assert (MONTHLY,) == club.plans

    @pytest.mark.parametrize("kind", [ProductKind.SINGLE, ProductKind.FREE, ProductKind.WEBINAR])
    def test_plans_of_other_kinds(self, kind):
        """Plans are refused for other kinds of product."""
        with pytest.raises(RuleError) as caught:
            Product("1", "x", kind=kind, plans=[MONTHLY])
        assert "$.plans" == caught.value.path

    @pytest.mark.parametrize("other", ["20", "22"])
    def test_shared_ids(self, other):
        """No two plans share an id, whether their own or in `also`."""
        with pytest.raises(RuleError):
            Product(
                "1",
                "x",
                kind=ProductKind.SUBSCRIPTION,
                plans=[ANNUAL, SubscriptionPlan(other, "Other")],
            )

    @pytest.mark.parametrize("plans", [["10"], "10", 3])
    def test_wrong_plans(self, plans):
        """Anything but subscription plans is refused."""
        with pytest.raises(ArgumentTypeError):
            Product("1", "x", kind=ProductKind.SUBSCRIPTION, plans=plans)

    @pytest.mark.parametrize(
        ("beta", "approved_at"),
        [
            (False, None),
            (True, date(2024, 6, 30)),
            (True, datetime(2024, 6, 30, 23, 59, 59, 999999, tzinfo=UTC)),
            (False, date(2024, 7, 1)),
            (False, datetime(2024, 7, 1, tzinfo=UTC)),
            (True, datetime(2024, 7, 1, 2, tzinfo=timezone(timedelta(hours=3)))),
        ],
    )
    def test_beta_capture(self, beta, approved_at):
        """A product has it if it was approved before 2024-07-01 in UTC."""
        assert Product("1", "x", approved_at=approved_at).has_beta_capture is beta

    def test_approved_at(self):
        """A date is midnight in UTC; a time without a zone and a string are refused."""
        midnight = datetime(2025, 1, 2, tzinfo=UTC)
        assert midnight == Product("1", "x", approved_at=date(2025, 1, 2)).approved_at
        with pytest.raises(RuleError):
            Product("1", "x", approved_at=midnight.replace(tzinfo=None))
        text: Any = "2025-01-02"
        with pytest.raises(ArgumentTypeError):
            Product("1", "x", approved_at=text)

    @pytest.mark.parametrize("wrong", [("", "x"), ("1", " ")])
    def test_blank(self, wrong):
        """A blank id or name is refused."""
        with pytest.raises(RuleError):
            Product(*wrong)


class TestSegmentation:
    """The three elements of a rule: when, who, what."""

    def test_defaults(self):
        """A rule is off, applies to every contact, and sends the default fields."""
        made = rule()
        assert (False, None, (), ("email", "name", "phone")) == (
            made.enabled,
            made.condition,
            made.plan_ids,
            made.send,
        )
        assert EventName.PURCHASE_APPROVED is made.event

    def test_default_id(self):
        """The default id depends on product, provider and name, and on nothing else."""
        assert rule().id == rule(event="quiz.passed", actions=AddTag("x"), enabled=True).id
        assert 4 == len(
            {made.id for made in (rule(), rule("x"), rule(product_id="1"), rule(provider="x"))}
        )
        assert f"seg-{digest(('42', 'mail', 'Buyers'))}" == rule().id

    def test_own_id(self):
        """A given id is kept."""
        assert "mine" == rule(id="mine").id

    @pytest.mark.parametrize("field", ["name", "product_id", "provider", "id", "event"])
    def test_blank(self, field):
        """A blank name or id is refused."""
        with pytest.raises(RuleError) as caught:
            rule(**{field: " "})
        assert f"$.{field}" == caught.value.path

    @pytest.mark.parametrize("field", ["name", "product_id", "provider", "event"])
    def test_wrong_type(self, field):
        """Another type is refused before the id is made of it."""
        with pytest.raises(ArgumentTypeError) as caught:
            rule(**{field: 3})
        assert f"$.{field}" == caught.value.path

    def test_actions(self):
        """One action may be given instead of a list; the review flags an empty list."""
        assert (AddTag("x"),) == rule(actions=AddTag("x")).actions
        assert (AddTag("x"), AddLead()) == rule(actions=[AddTag("x"), AddLead()]).actions
        assert () == rule(actions=[]).actions

    @pytest.mark.parametrize("actions", ["x", ["x"], [None], 3])
    def test_wrong_actions(self, actions):
        """Anything but actions is refused."""
        with pytest.raises(ArgumentTypeError) as caught:
            rule(actions=actions)
        assert caught.value.path.startswith("$.actions")

    def test_a_string_for_an_action(self):
        """For a string the hint shows how to write an action."""
        with pytest.raises(ArgumentTypeError) as caught:
            rule(actions="buyer")
        assert (
            "$.actions[0]",
            "expected an action, got a string",
            'such as `AddTag("buyer")`',
        ) == (caught.value.path, caught.value.message, caught.value.hint)

    def test_condition(self):
        """A list of conditions holds if all of them hold."""
        a, b = where.price > 1, where.offer == "x"
        assert a == rule(condition=a).condition
        assert (a | b) == rule(condition=a | b).condition
        assert ~(a | b) == rule(condition=~(a | b)).condition
        assert AllOf(a, b) == rule(condition=[a, b]).condition

    @pytest.mark.parametrize("condition", ["x", ["x"], 3, True])
    def test_wrong_condition(self, condition):
        """Anything but conditions is refused."""
        with pytest.raises(ArgumentTypeError):
            rule(condition=condition)

    @pytest.mark.parametrize("field", ["plan_ids", "send"])
    def test_ids(self, field):
        """A list of strings, each once and not blank; a bare string is refused."""
        assert ("a", "b") == getattr(rule(**{field: ["a", "b", "a"]}), field)
        with pytest.raises(ArgumentTypeError):
            rule(**{field: "ab"})
        with pytest.raises(RuleError) as caught:
            rule(**{field: ["a", " "]})
        assert f"$.{field}[1]" == caught.value.path

    @pytest.mark.parametrize("enabled", [1, None, "yes"])
    def test_enabled(self, enabled):
        """Only True and False are accepted."""
        with pytest.raises(ArgumentTypeError):
            rule(enabled=enabled)

    def test_value(self):
        """Rules can be hashed and pickled."""
        made = rule(condition=where.price > 1)
        assert made == pickle.loads(pickle.dumps(made))
        assert hash(made) == hash(pickle.loads(pickle.dumps(made)))
