from typing import Any, ClassVar

import attrs
import pytest

from listboss import (
    AUTOMATIC,
    HOTMART,
    AddTag,
    AllOf,
    AnyOf,
    Capabilities,
    Catalogue,
    Comparison,
    Conflict,
    Idle,
    MoveLead,
    Not,
    RemoveTag,
    Segmentation,
    where,
)
from listboss.engine import ConflictRule, Explanation, FactState, Reason, RuleOutcome
from listboss.engine.explain import Explainer


@pytest.fixture
def outcome(engine, happens):
    """Explain an event by some rules and return the outcome of rule `r`."""

    def outcome(*rules, **event):
        explanation = engine(*rules).explain(happens(**event))
        return next(rule for rule in explanation.rules if rule.segmentation_id == "r")

    return outcome


class TestReasons:
    """Each rule that is not in the plan carries exactly one reason."""

    def test_runs(self, outcome, rule):
        """A rule in the plan runs, and has no reason."""
        assert RuleOutcome("r", runs=True) == outcome(rule("r", AddTag("x")))

    def test_runs_in_part(self, outcome, rule):
        """A rule of which one action is dropped still runs."""
        assert outcome(rule("r", AddTag("x"), AddTag("y")), rule("s", RemoveTag("x"))).runs

    @pytest.mark.parametrize(
        ("changes", "event", "expected"),
        [
            ({}, {"contact": None}, Reason.UNADDRESSED),
            ({}, {"is_test": True}, Reason.TEST),
            ({"event": "purchase.refunded"}, {}, Reason.OTHER_EVENT),
            ({"enabled": False}, {}, Reason.DISABLED),
            ({"provider": "gone"}, {}, Reason.FLAGGED),
            (
                {"product_id": "77", "plan_ids": ("10",)},
                {"product_id": "77", "plan_id": "20"},
                Reason.OTHER_PLAN,
            ),
            (
                {"product_id": "77", "plan_ids": ("10",)},
                {"product_id": "77"},
                Reason.OTHER_PLAN,
            ),
            ({"condition": where.language == "en"}, {}, Reason.CONDITION_NOT_MET),
            ({"condition": AnyOf()}, {}, Reason.FLAGGED),
        ],
    )
    def test_each(self, outcome, rule, changes, event, expected):
        """The reason is the one that applies: unaddressed, test, other event and so on."""
        result = outcome(rule("r", AddTag("x"), **changes), **event)
        assert (False, expected) == (result.runs, result.reason)

    def test_lost_conflict(self, outcome, rule):
        """A rule all of whose actions are dropped lost a conflict, which is reported."""
        result = outcome(rule("r", AddTag("x")), rule("s", RemoveTag("x")))
        assert (
            RuleOutcome(
                "r",
                runs=False,
                reason=Reason.LOST_CONFLICT,
                conflict=Conflict(
                    "mail", "x", RemoveTag("x"), AddTag("x"), ConflictRule.REMOVE_WINS
                ),
                lost_to=("s",),
            )
            == result
        )

    def test_what_was_lost_in_part(self, outcome, rule):
        """A rule that runs says which of its actions was dropped, and who won."""
        result = outcome(rule("r", AddTag("x"), AddTag("y")), rule("s", RemoveTag("x")))
        assert (AddTag("x"), ("s",)) == (result.conflict.dropped, result.lost_to)

    def test_a_conflict_of_others(self, outcome, rule):
        """A conflict between other rules is not reported."""
        result = outcome(rule("r", AddTag("y")), rule("s", RemoveTag("x")), rule("t", AddTag("x")))
        assert RuleOutcome("r", runs=True) == result

    def test_the_conflict_reported_is_its_own(self, outcome, rule):
        """Of several conflicts, the rule's own is reported."""
        result = outcome(
            rule("o", AddTag("x"), provider="post"),
            rule("p", RemoveTag("x"), provider="post"),
            rule("a", AddTag("a")),
            rule("s", RemoveTag("a"), RemoveTag("x")),
            rule("r", AddTag("x")),
        )
        assert ("mail", AddTag("x")) == (result.conflict.provider, result.conflict.dropped)

    def test_flagged_names_the_findings(self, outcome, rule):
        """The outcome has the errors, without the warnings."""
        result = outcome(rule("r", AddTag("x"), provider="gone", send=("email", "rating")))
        assert ["provider_missing"] == [finding.code for finding in result.findings]

    def test_planned_tests_run(self, engine, rule, happens):
        """With `include_tests`, a test event is explained like any other."""
        event = happens(is_test=True)
        (result,) = engine(rule("r", AddTag("x"))).explain(event, include_tests=True).rules
        assert result.runs

    def test_a_plan_of_other_rules(self, rule_set, rule, happens, engine):
        """A rule that the plan does not mention has no conflict."""
        plan = engine().plan(happens())
        explainer = Explainer(rule_set(rule("r", AddTag("x"))), "42")
        (result,) = explainer.explain(happens(), plan).rules
        assert (False, None) == (result.runs, result.conflict)


class TestPrecedence:
    """Of several reasons, the first in the order of `Reason` is reported."""

    LADDER: tuple[tuple[Reason, dict[str, Any], dict[str, Any]], ...] = (
        (Reason.CONDITION_NOT_MET, {"condition": where.language == "en"}, {}),
        (Reason.OTHER_PLAN, {}, {"plan_id": "20"}),
        (Reason.FLAGGED, {"provider": "gone"}, {}),
        (Reason.DISABLED, {"enabled": False}, {}),
        (Reason.OTHER_EVENT, {"event": "purchase.refunded"}, {}),
        (Reason.TEST, {}, {"is_test": True}),
        (Reason.UNADDRESSED, {}, {"contact": None}),
    )

    @pytest.mark.parametrize("rung", range(len(LADDER)))
    def test_ladder(self, outcome, rule, rung):
        """Each row adds a reason that comes before those above it."""
        of_rule: dict[str, Any] = {"product_id": "77", "plan_ids": ("10",)}
        of_event: dict[str, Any] = {"product_id": "77", "plan_id": "10"}
        for _, on_rule, on_event in self.LADDER[: rung + 1]:
            of_rule.update(on_rule)
            of_event.update(on_event)
        result = outcome(rule("r", AddTag("x"), **of_rule), **of_event)
        assert self.LADDER[rung][0] == result.reason


class TestAutomatic:
    """Automatic segmentations are explained too, before the custom ones."""

    def test_all_rows_first(self, engine, rule, happens):
        """Every built-in has an outcome, and the custom rules follow."""
        explanation = engine(rule("r", AddTag("x")), capture_provider="mail").explain(happens())
        assert [*(row.id for row in AUTOMATIC), "r"] == [
            result.segmentation_id for result in explanation.rules
        ]

    def test_which_run(self, engine, happens):
        """Rows of this event run; the reason of the others is that they are for another event."""
        explanation = engine(capture_provider="mail").explain(happens())
        concerned = {
            row.id: None if "purchase.approved" in row.adds_on + row.removes_on else "other_event"
            for row in AUTOMATIC
        } | {"auto.subscription_canceled": "condition_not_met"}
        assert concerned == {rule.segmentation_id: rule.reason for rule in explanation.rules}

    @pytest.mark.parametrize(
        ("facts", "expected"),
        [
            ({"recurrence_number": 1}, (True, None, None)),
            ({"recurrence_number": 2}, (False, Reason.CONDITION_NOT_MET, FactState.KNOWN)),
            ({}, (False, Reason.CONDITION_NOT_MET, FactState.MISSING)),
        ],
    )
    def test_first_charge(self, engine, happens, facts, expected):
        """An approval that is not the first charge of a subscription does not meet a condition."""
        explanation = engine(capture_provider="mail").explain(happens(facts=facts))
        rules = {rule.segmentation_id: rule for rule in explanation.rules}
        rule = rules["auto.subscription_canceled"]
        assert expected == (rule.runs, rule.reason, rule.state)

    def test_first_charge_without_the_fact(self, engine, happens):
        """A host's catalogue may lack the fact of the first charge."""
        catalogue = Catalogue([attrs.evolve(kind, facts=()) for kind in HOTMART.events], facts=())
        eng = engine(capture_provider="mail", catalogue=catalogue)
        event = happens("purchase.approved", product_id="77", plan_id="10")
        reasons = {rule.reason for rule in eng.explain(event).rules if rule.state is not None}
        assert {Reason.CONDITION_NOT_MET} == reasons

    @pytest.mark.parametrize(
        "options", [{"capture_provider": "gone"}, {"providers": {"mail": Capabilities()}}]
    )
    def test_the_provider_cannot(self, engine, happens, options):
        """If the provider of capture is missing or cannot do it, that is the reason."""
        explanation = engine(**{"capture_provider": "mail", **options}).explain(
            happens("waitlist.joined")
        )
        reasons = {rule.segmentation_id: rule.reason for rule in explanation.rules}
        assert (Reason.PROVIDER_CANNOT, Reason.OTHER_EVENT) == (
            reasons["auto.waitlist"],
            reasons["auto.free_student"],
        )

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [({"contact": None}, Reason.UNADDRESSED), ({"is_test": True}, Reason.TEST)],
    )
    def test_plan_wide_reasons(self, engine, happens, changes, expected):
        """A missing e-mail and a test are reasons of automatic segmentations, too."""
        explanation = engine(capture_provider="mail").explain(happens(**changes))
        assert {expected} == {rule.reason for rule in explanation.rules}


class TestAutomaticText:
    """The text of an automatic segmentation says what it does with its tag on this event."""

    @pytest.mark.parametrize(
        ("row", "event", "expected"),
        [
            ("auto.purchase_approved", {}, "runs: add tag `auto:purchase-approved:42`"),
            ("auto.purchase_expired", {}, "runs: remove tag `auto:purchase-expired:42`"),
            ("auto.free_student", {}, "other event"),
            ("auto.waitlist", {"is_test": True}, "test (would remove tag `auto:waitlist:42`)"),
            (
                "auto.subscription_canceled",
                {},
                "condition not met: `recurrence_number` is missing"
                " (would remove tag `auto:subscription-canceled:42`)",
            ),
        ],
    )
    def test_each(self, engine, happens, row, event, expected):
        """It puts the tag on or takes it off, or would have."""
        explanation = engine(capture_provider="mail").explain(happens(**event))
        texts = {rule.segmentation_id: rule.text for rule in explanation.rules}
        assert expected == texts[row]

    def test_the_provider_cannot(self, engine, happens):
        """What the provider cannot do is what would have been done."""
        eng = engine(capture_provider="mail", providers={"mail": Capabilities()})
        texts = {
            rule.segmentation_id: rule.text
            for rule in eng.explain(happens("waitlist.joined")).rules
        }
        assert "provider cannot (would add tag `auto:waitlist:42`)" == texts["auto.waitlist"]


class TestTotal:
    """For any event, each rule of its product has one outcome, and no other rule has one."""

    RULES: ClassVar[dict[str, dict[str, Any]]] = {
        "one": {},
        "other event": {"event": "purchase.refunded"},
        "off": {"enabled": False},
        "flagged": {"event": "webinar.ended"},
        "condition": {"condition": where.price < 10},
        "club": {"product_id": "77", "plan_ids": ("10",)},
        "elsewhere": {"product_id": "99"},
    }

    EVENTS = tuple(
        {"name": name, "product_id": product_id, "is_test": is_test}
        for name in ("purchase.approved", "purchase.refunded", "webinar.ended", "x.y")
        for product_id in ("42", "77", "99", "1")
        for is_test in (False, True)
    )

    @pytest.mark.parametrize("capture", [None, "mail", "gone"])
    @pytest.mark.parametrize("changes", EVENTS)
    def test_each_rule_once(self, engine, rule, happens, changes, capture):
        """Each rule of the product's dashboard is in the plan or has a reason."""
        eng = engine(
            *(rule(id, AddTag(id), **settings) for id, settings in self.RULES.items()),
            capture_provider=capture,
        )
        event = happens(**changes)
        explanation, plan = eng.explain(event), eng.plan(event)
        running = {reason for planned in plan.actions for reason in planned.because}
        dashboard = [entry.segmentation.id for entry in eng.rules.for_product(event.product_id)]
        assert [(id, id in running, id in running) for id in dashboard] == [
            (rule.segmentation_id, rule.runs, rule.reason is None) for rule in explanation.rules
        ]

    def test_twice(self, engine, rule, happens):
        """An event that is explained twice has the same explanation twice."""
        eng = engine(rule("a", AddTag("x"), condition=where.price < 10))
        assert eng.explain(happens()) == eng.explain(happens())

    def test_only_some(self, engine, rule, happens):
        """With `only`, the outcomes are those of the rules with these ids, in their order."""
        eng = engine(rule("a", AddTag("x")), rule("b", AddTag("y")), rule("c", AddTag("z")))
        explanation = eng.explain(happens(), only=["c", "gone", "a"])
        assert ["c", "a"] == [outcome.segmentation_id for outcome in explanation.rules]

    def test_many_products(self, engine, rule, happens, monkeypatch):
        """How many products are explained in turn changes no explanation."""
        monkeypatch.setattr("listboss.engine.engine.MAX_EXPLAINERS", 1)
        eng = engine(rule("a", AddTag("x")), rule("b", AddTag("x"), product_id="77"))
        products = ["42", "77", "42", "77"]
        assert ["a", "b", "a", "b"] == [
            rule.segmentation_id
            for product_id in products
            for rule in eng.explain(happens(product_id=product_id)).rules
        ]

    def test_changed_rules(self, engine, rule, happens):
        """An engine with other rules explains those."""
        eng = engine(rule("a", AddTag("x")))
        assert eng.explain(happens()).rules[0].runs
        changed = eng.with_rules(eng.rules.disable("a"))
        assert Reason.DISABLED is changed.explain(happens()).rules[0].reason

    def test_head(self, engine, happens):
        """The explanation has the event, the product and why the plan is idle."""
        explanation = engine().explain(happens())
        assert ("e-1", "42", Idle.NO_RULE) == (
            explanation.event_id,
            explanation.product_id,
            explanation.idle,
        )


class TestCondition:
    """`condition not met` names the first comparison that did not hold, and what is known."""

    @pytest.mark.parametrize(
        ("facts", "state", "actual"),
        [
            ({}, FactState.MISSING, None),
            ({"installments": " "}, FactState.MISSING, " "),
            ({"installments": "6"}, FactState.WRONG_TYPE, "6"),
            ({"installments": True}, FactState.WRONG_TYPE, True),
            ({"installments": 5}, FactState.KNOWN, 5),
        ],
    )
    def test_what_is_known(self, outcome, rule, facts, state, actual):
        """The state is missing, wrong type or known; `actual` has the raw value."""
        condition = where.installments >= 6
        result = outcome(rule("r", AddTag("x"), condition=condition), facts=facts)
        assert (condition, state, actual) == (result.comparison, result.state, result.actual)

    EN, SIX, BR = where.language == "en", where.installments >= 6, where.country == "BR"

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (EN & SIX & BR, SIX),
            (EN & BR & SIX, BR),
            (SIX | BR, SIX),
            (BR | SIX, BR),
            (~EN, where.language != "en"),
            (Not(EN), where.language != "en"),
            (Not(Not(SIX)), SIX),
            (Not(AllOf(EN, EN)), where.language != "en"),
            (Not(AnyOf(SIX, EN)), where.installments < 6),
            (Not(AnyOf(EN, SIX)), where.language != "en"),
            (where.language.is_missing(), where.language.is_missing()),
            (Not(where.language.is_set()), where.language.is_missing()),
            (Not(where.installments.between(1, 5)), where.installments.between(1, 5)),
            (Not(where.coupon.contains("x")), where.coupon.contains("x")),
            (AnyOf(AnyOf(), SIX), SIX),
            (AnyOf(SIX, EN) & BR, BR),
            (AnyOf(EN & AnyOf(), SIX), SIX),
        ],
    )
    def test_which_comparison(self, outcome, rule, condition, expected):
        """It is the first one that keeps the condition from holding, negated where need be."""
        result = outcome(rule("r", AddTag("x"), condition=condition), facts={"language": "en"})
        assert (Reason.CONDITION_NOT_MET, expected) == (result.reason, result.comparison)


class TestText:
    """The text of an outcome shows no value of the event."""

    @pytest.mark.parametrize(
        ("changes", "facts", "expected"),
        [
            ({}, {}, "runs"),
            ({"enabled": False}, {}, "disabled"),
            ({"event": "purchase.refunded"}, {}, "other event"),
            ({"provider": "gone"}, {}, "flagged: provider `gone` is not integrated"),
            (
                {"condition": where.language == "en"},
                {},
                "condition not met: `language` is missing",
            ),
            (
                {"condition": where.language == "en"},
                {"language": 5},
                "condition not met: `language` has the wrong type",
            ),
            (
                {"condition": where.language == "en"},
                {"language": "pt"},
                "condition not met: `language` does not match `== en`",
            ),
            (
                {"condition": AnyOf()},
                {},
                "flagged: the empty `any` never holds, so the rule never runs",
            ),
        ],
    )
    def test_each(self, outcome, rule, changes, facts, expected):
        """The text is in words that people read."""
        result = outcome(rule("r", AddTag("x"), **changes), facts=facts)
        assert expected == result.text

    @pytest.mark.parametrize(
        ("condition", "facts", "expected"),
        [
            (where.price >= 250, {"price": 120}, "`price` is `120`, which does not match `>= 250`"),
            (where.price >= 250, {"price": "x"}, "`price` is `x`, which has the wrong type"),
            (where.price >= 250, {}, "`price` is missing"),
            (where.price.is_missing(), {"price": 5}, "`price` is `5`, which does not match"),
        ],
    )
    def test_with_values(self, outcome, rule, condition, facts, expected):
        """If asked for, the text has the event's value that decided."""
        result = outcome(rule("r", AddTag("x"), condition=condition), facts=facts)
        assert result.describe(values=True).startswith(f"condition not met: {expected}")

    def test_lost_in_part(self, outcome, rule):
        """A rule that runs names the action that was dropped."""
        result = outcome(rule("r", AddTag("x"), AddTag("y")), rule("s", RemoveTag("x")))
        assert "runs without add tag `x`: lost conflict over `x` to `s`: remove wins" == result.text

    def test_words(self):
        """Members of enumerations may be given as words, as everywhere."""
        outcome = RuleOutcome("r", runs=False, reason="test", state="missing")
        explanation = Explanation("e-1", "42", "test", (outcome,))
        assert "event `e-1` on product `42` (idle: test)\n  `r`: test" == str(explanation)
        assert "`r`: test" == str(outcome)

    def test_what_it_needs(self):
        """What would have to be different is at the end."""
        result = RuleOutcome("r", runs=False, reason="other_event", needs="on `x`")
        assert "other event; it would run on `x`" == result.text

    def test_without_a_winner(self, rule_set, rule, happens, engine):
        """A winner that is not in the plan is not named."""
        rules = rule_set(rule("r", AddTag("x")), rule("s", RemoveTag("x")))
        plan = attrs.evolve(engine(*rules).plan(happens()), actions=())
        first, _ = Explainer(rules, "42").explain(happens(), plan).rules
        assert "lost conflict over `x`: remove wins" == first.text

    def test_several_findings(self, outcome, rule):
        """The text has everything that flags a rule."""
        text = outcome(rule("r", AddTag(" "), provider="gone")).text
        assert "flagged: provider `gone` is not integrated; the tag is blank" == text

    def test_lost_conflict(self, outcome, rule):
        """The text has the target and the rule of the table that decided."""
        result = outcome(rule("s", MoveLead("B")), rule("r", MoveLead("C")))
        assert "lost conflict over `list=c` to `s`: first wins" == result.text

    def test_explanation(self, engine, rule, happens):
        """One line for the event, one for each rule."""
        eng = engine(rule("a", AddTag("x")), rule("b", AddTag("y"), enabled=False))
        assert "event `e-1` on product `42`\n  `a`: runs\n  `b`: disabled" == str(
            eng.explain(happens())
        )

    def test_a_default_id(self, engine, happens):
        """A rule with the default id, which says nothing to people, is shown with its name."""
        made = Segmentation(
            "Buyers",
            product_id="42",
            provider="mail",
            event="purchase.approved",
            actions=AddTag("x"),
        )
        explanation = engine(made).explain(happens())
        assert (
            "event `e-1` on product `42` (idle: no rule)\n"
            f"  `Buyers` (`{made.id}`): disabled" == str(explanation)
        )
        assert f"| `Buyers` (`{made.id}`) | disabled |" in explanation.markdown()

    def test_idle_explanation(self, engine, rule, happens):
        """The first line has the reason of an idle plan."""
        eng = engine(rule("b", AddTag("y"), enabled=False))
        assert "event `e-1` on product `42` (idle: no rule)\n  `b`: disabled" == str(
            eng.explain(happens())
        )


class TestTables:
    """Markdown, and HTML for notebooks: what users wrote cannot break out of its cell."""

    ODD = "a|b\n<b>&"

    def test_markdown(self, engine, rule, happens):
        """A table of two columns."""
        text = engine(rule("a", AddTag("x"))).explain(happens()).markdown()
        assert "| rule | outcome |\n|---|---|\n| `a` | runs |" == text

    def test_markdown_escapes(self, engine, rule, happens):
        """A bar or a line break in an id stays within its cell."""
        text = engine(rule(self.ODD, AddTag("x"))).explain(happens()).markdown()
        assert r"| a&#124;b&#92;n&#60;b&#62;&#38; | runs |" == text.splitlines()[-1]

    def test_html(self, engine, rule, happens):
        """A table of two columns."""
        html = engine(rule("a", AddTag("x"))).explain(happens())._repr_html_()
        assert (
            "<table><tr><th>rule</th><th>outcome</th></tr><tr><td><code>a</code></td>"
            "<td>runs</td></tr></table>" == html
        )

    def test_html_escapes(self, engine, rule, happens):
        """Markup in an id or a tag is shown as text."""
        odd = rule(self.ODD, AddTag("<i>"))
        eng = engine(odd, providers={"mail": Capabilities(add_tag="native", tags=())})
        html = eng.explain(happens())._repr_html_()
        assert (False, False, True, True) == (
            "<b>" in html,
            "<i>" in html,
            "&lt;b&gt;&amp;" in html,
            "&lt;i&gt;" in html,
        )


class TestPersonalData:
    """No text, table or repr shows what the event says of the contact."""

    @pytest.mark.parametrize(
        "form", ["__str__", "__repr__", "text", "markdown", "html", "_repr_html_"]
    )
    @pytest.mark.parametrize("canary", ["CANARY", "Ana", "example.com", "5511"])
    def test_canary(self, engine, rule, happens, form, canary):
        """No value of a fact or contact field appears."""
        eng = engine(
            rule("a", AddTag("x"), condition=where.offer == "o"),
            rule("b", AddTag("x"), condition=where.installments == 1),
            rule("c", AddTag("x")),
        )
        explanation = eng.explain(happens(facts={"offer": "CANARY", "installments": "CANARY"}))
        assert canary not in getattr(explanation, form)()

    @pytest.mark.parametrize("form", ["text", "markdown", "html"])
    def test_if_asked_for(self, engine, rule, happens, form):
        """With `values`, every form has the value of the fact that decided."""
        eng = engine(rule("a", AddTag("x"), condition=where.offer == "o"))
        explanation = eng.explain(happens(facts={"offer": "CANARY"}))
        assert "CANARY" in getattr(explanation, form)(values=True)

    def test_actual_has_the_value(self, outcome, rule):
        """`actual` has the raw value."""
        result = outcome(
            rule("r", AddTag("x"), condition=where.offer == "o"),
            facts={"offer": "CANARY"},
        )
        assert "CANARY" == result.actual


def test_every_reason_is_tested():
    """The tables above have every reason."""
    reported = {reason for reason, _, _ in TestPrecedence.LADDER}
    assert set(Reason) == reported | {Reason.LOST_CONFLICT, Reason.PROVIDER_CANNOT}


def test_negated_comparisons(outcome, rule):
    """A comparison under an odd number of `Not` is reported negated."""
    result = outcome(
        rule("r", AddTag("x"), condition=Not(where.language.is_in("en", "pt"))),
        facts={"language": "en"},
    )
    assert Comparison("language", "not_in", ("en", "pt")) == result.comparison
