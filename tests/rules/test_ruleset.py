import copy
import pickle
from datetime import date
from typing import Any

import attrs
import pytest

from listboss import (
    AUTOMATIC,
    HOTMART,
    AddTag,
    Capabilities,
    Comparison,
    EventType,
    FindingCode,
    Operator,
    Product,
    RuleSet,
    Segmentation,
)
from listboss.errors import (
    ArgumentTypeError,
    AutomaticSegmentationError,
    DuplicateIdError,
    FlaggedSegmentationError,
    RuleError,
    UnknownIdError,
)
from listboss.rules import DashboardEntry, FindingsDiff, RuleSetDiff, Verb

COURSE = Product("42", "Course", approved_at=date(2025, 1, 1))
BOOK = Product("43", "Book", approved_at=date(2025, 1, 1))
MAIL = Capabilities.everything()


def _rule(id, product_id="42", **changes):
    fields = {
        "id": id,
        "product_id": product_id,
        "provider": "mail",
        "event": "purchase.approved",
        "actions": AddTag("x"),
    }
    return Segmentation(id, **{**fields, **changes})


A, B, C = _rule("a"), _rule("b", "43"), _rule("c")
SINGLE: Any = (COURSE, A)
RULES = RuleSet([COURSE, BOOK], [A, B, C], providers={"mail": MAIL})


class TestContents:
    """What a rule set holds."""

    def test_products(self):
        """Products are in the given order."""
        assert ((COURSE, BOOK), COURSE, None) == (
            RULES.products,
            RULES.product("42"),
            RULES.product("1"),
        )

    def test_segmentations(self):
        """Segmentations are sorted by product, and in declared order within each."""
        assert ((A, C, B), [A, C, B], 3) == (RULES.segmentations, list(RULES), len(RULES))

    def test_of_one_product(self):
        """A product has its custom segmentations; an unknown product has none."""
        assert ((A, C), (B,), ()) == tuple(map(RULES.rules_of, ("42", "43", "1")))

    def test_by_product(self):
        """The view has every product with rules and cannot be changed."""
        view = RULES.rules_by_product
        assert {"42": (A, C), "43": (B,)} == view
        with pytest.raises(TypeError):
            view["42"] = ()  # type: ignore[index] # wrong on purpose

    def test_one(self):
        """A segmentation is found by its id."""
        assert (B, True, False) == (RULES.segmentation("b"), "b" in RULES, "z" in RULES)

    def test_single_values(self):
        """One product and one segmentation are accepted instead of lists."""
        assert RuleSet([COURSE], [A]) == RuleSet(*SINGLE)

    def test_empty(self):
        """A rule set may be empty."""
        rules = RuleSet()
        assert ((), (), {}, None, HOTMART, ()) == (
            rules.products,
            rules.segmentations,
            rules.providers,
            rules.capture_provider,
            rules.catalogue,
            rules.findings,
        )

    def test_repr(self):
        """The repr shows the size."""
        assert "<RuleSet of 2 products and 3 segmentations>" == repr(RULES)


class TestValue:
    """A rule set is an immutable value."""

    def test_equal(self):
        """Rule sets with equal contents are equal and have the same hash."""
        again = RuleSet([COURSE, BOOK], [A, B, C], providers={"mail": MAIL})
        assert (RULES, hash(RULES)) == (again, hash(again))

    @pytest.mark.parametrize(
        "other",
        [
            RULES.remove("a"),
            RULES.with_product(attrs.evolve(COURSE, name="Other")),
            RULES.with_provider("mail", Capabilities()),
            RuleSet([COURSE, BOOK], [C, B, A], providers={"mail": MAIL}),
            RuleSet([COURSE, BOOK], [A, B, C], providers={"mail": MAIL}, capture_provider="mail"),
        ],
    )
    def test_different(self, other):
        """Rule sets differ by rules, their order in a product, products, providers and capture."""
        assert other != RULES

    @pytest.mark.parametrize(
        "again", [copy.copy, copy.deepcopy, lambda rules: pickle.loads(pickle.dumps(rules))]
    )
    def test_copies(self, again):
        """A copy is equal and usable."""
        other = again(RULES)
        assert (RULES, A) == (other, other.segmentation("a"))

    def test_frozen(self):
        """No field can be set."""
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(RULES, "capture_provider", "mail")  # noqa: B010 # as a checker would refuse it


class TestBuilding:
    """An invalid rule set is refused when it is made."""

    @pytest.mark.parametrize(
        ("arguments", "options", "error", "path"),
        [
            (([COURSE, attrs.evolve(COURSE, name="2")],), {}, DuplicateIdError, "$.products[1]"),
            (([COURSE], [A, _rule("a", "43")]), {}, DuplicateIdError, "$.segmentations"),
            ((["42"],), {}, ArgumentTypeError, "$.products[0]"),
            (("42",), {}, ArgumentTypeError, "$.products"),
            ((7,), {}, ArgumentTypeError, "$.products"),
            (([COURSE], ["a"]), {}, ArgumentTypeError, "$.segmentations"),
            (([COURSE], "a"), {}, ArgumentTypeError, "$.segmentations"),
            ((), {"providers": {"mail": "all"}}, ArgumentTypeError, "$.providers.mail"),
            ((), {"providers": {" ": MAIL}}, RuleError, "$.providers"),
            ((), {"providers": {7: MAIL}}, ArgumentTypeError, "$.providers"),
            ((), {"capture_provider": ""}, RuleError, "$.capture_provider"),
            ((), {"capture_provider": 7}, ArgumentTypeError, "$.capture_provider"),
            (([COURSE], [AUTOMATIC[0]]), {}, AutomaticSegmentationError, "$"),
            (([COURSE], AUTOMATIC[0]), {}, AutomaticSegmentationError, "$"),
            (([COURSE], [_rule("auto.mine")]), {}, AutomaticSegmentationError, "$"),
        ],
    )
    def test_refused(self, arguments, options, error, path):
        """Equal ids, wrong types, blank names and ids of automatic segmentations are refused."""
        with pytest.raises(error) as caught:
            RuleSet(*arguments, **options)
        assert path == caught.value.path


class TestAdd:
    """`add` returns a rule set with more rules."""

    def test_at_the_end(self):
        """New rules are last in their product."""
        new = RULES.add(_rule("d"), _rule("e", "44"))
        assert ["a", "c", "d", "b", "e"] == [rule.id for rule in new]

    def test_the_old_one_stays(self):
        """Nothing changes in place."""
        RULES.add(_rule("d"))
        assert ("d" in RULES, 3) == (False, len(RULES))

    def test_nothing(self):
        """Adding nothing returns an equal rule set."""
        assert RULES == RULES.add()

    def test_other_products_are_shared(self):
        """A change to one product leaves the others untouched."""
        assert RULES.rules_of("43") is RULES.add(_rule("d")).rules_of("43")

    @pytest.mark.parametrize("product_id", ["42", "43"])
    def test_taken_id(self, product_id):
        """An id that exists is refused, in the same or another product."""
        with pytest.raises(DuplicateIdError) as caught:
            RULES.add(_rule("a", product_id))
        assert "duplicate_id" == caught.value.code


class TestReplace:
    """`replace` returns a rule set with the rule of that id replaced."""

    def test_in_its_place(self):
        """The order of the rules stays the same."""
        new = RULES.replace(attrs.evolve(A, name="New"))
        assert [("a", "New"), ("c", "c"), ("b", "b")] == [(rule.id, rule.name) for rule in new]

    def test_in_another_product(self):
        """A rule that changes its product is last in the new one."""
        new = RULES.replace(_rule("a", "43"))
        assert (["c", "b", "a"], "43") == (
            [rule.id for rule in new],
            new.segmentation("a").product_id,
        )

    def test_unknown(self):
        """An unknown rule is refused, not added."""
        with pytest.raises(UnknownIdError):
            RULES.replace(_rule("z"))

    def test_wrong_type(self):
        """Anything but a segmentation is refused."""
        with pytest.raises(ArgumentTypeError):
            RULES.replace("a")  # type: ignore[arg-type] # wrong on purpose


class TestRemove:
    """`remove` returns a rule set without the rule."""

    def test_one(self):
        """The others keep their order."""
        assert ["a", "b"] == [rule.id for rule in RULES.remove("c")]

    def test_the_last_of_a_product(self):
        """The product stays, and the rule set equals one that never had the rule."""
        expected = RuleSet([COURSE, BOOK], [A, C], providers={"mail": MAIL})
        assert (expected, BOOK) == (RULES.remove("b"), RULES.remove("b").product("43"))

    def test_the_id_is_free_again(self):
        """A removed id can be added again."""
        assert "a" in RULES.remove("a").add(A)

    def test_unknown(self):
        """An unknown id is refused; the hint lists the known ids."""
        with pytest.raises(UnknownIdError) as caught:
            RULES.remove("z")
        assert (
            "unknown segmentation `z`"
            " (choose `a`, `b` or `c`, or look the id up in `segmentations`)"
        ) == str(caught.value)

    def test_a_name_for_an_id(self):
        """For the name of a segmentation the hint has its id."""
        rules = RULES.add(attrs.evolve(_rule("d"), name="New Buyers"))
        with pytest.raises(UnknownIdError) as caught:
            rules.remove("new buyers")
        assert "the id of the segmentation with this name is `d`" == caught.value.hint


class TestSwitching:
    """`enable` and `disable`."""

    def test_on_and_off(self):
        """A rule is off until it is enabled, and off again once it is disabled."""
        on = RULES.enable("a")
        assert [False, True, False] == [
            rules.segmentation("a").enabled for rules in (RULES, on, on.disable("a"))
        ]

    def test_order_stays(self):
        """Switching a rule does not move it."""
        assert ["a", "c", "b"] == [rule.id for rule in RULES.enable("a").disable("c")]

    def test_enabling_a_flagged_rule(self):
        """A rule with error findings is refused; the error has these findings, without warnings."""
        rules = RULES.add(_rule("bad", actions=AddTag(" "), provider="x", send=("rating",)))
        with pytest.raises(FlaggedSegmentationError) as caught:
            rules.enable("bad")
        assert ("flagged_segmentation", ["provider_missing", "value_empty"]) == (
            caught.value.code,
            [getattr(finding, "code", None) for finding in caught.value.findings],
        )

    def test_enabling_with_warnings(self):
        """A rule with warnings can be enabled."""
        rules = RULES.add(_rule("warned", send=("email", "rating")))
        assert rules.enable("warned").segmentation("warned").enabled

    def test_disabling_a_flagged_rule(self):
        """A rule that has become unusable can be switched off."""
        rules = RULES.enable("a").without_provider("mail")
        assert not rules.disable("a").segmentation("a").enabled

    @pytest.mark.parametrize("operation", ["enable", "disable", "segmentation"])
    def test_unknown(self, operation):
        """An unknown id is refused."""
        with pytest.raises(UnknownIdError):
            getattr(RULES, operation)("z")


class TestAutomaticOnesAreRefused:
    """No operation accepts an automatic segmentation or its id."""

    @pytest.mark.parametrize("operation", ["remove", "enable", "disable", "segmentation"])
    @pytest.mark.parametrize("id", [*(row.id for row in AUTOMATIC), "auto.capture", "auto.other"])
    def test_by_id(self, operation, id):
        """Every id with the reserved prefix is refused."""
        with pytest.raises(AutomaticSegmentationError):
            getattr(RULES, operation)(id)

    @pytest.mark.parametrize("operation", ["add", "replace"])
    @pytest.mark.parametrize("rule", [AUTOMATIC[0], _rule("auto.cart_abandonment")])
    def test_by_value(self, operation, rule):
        """A built-in and a custom rule with its id are refused."""
        with pytest.raises(AutomaticSegmentationError):
            getattr(RULES, operation)(rule)


class TestProducts:
    """`with_product` adds a product or replaces it."""

    def test_added(self):
        """A new product is last."""
        new = Product("44", "Talk", kind="webinar")
        assert (COURSE, BOOK, new) == RULES.with_product(new).products

    def test_replaced(self):
        """A product with a known id replaces the old one; its rules stay."""
        new = attrs.evolve(COURSE, name="Course 2")
        rules = RULES.with_product(new)
        assert ((new, BOOK), (A, C)) == (rules.products, rules.rules_of("42"))

    def test_wrong_type(self):
        """Anything but a product is refused."""
        with pytest.raises(ArgumentTypeError):
            RULES.with_product("42")  # type: ignore[arg-type] # wrong on purpose


class TestProviders:
    """`with_provider` integrates an account, `without_provider` removes it."""

    def test_added_and_changed(self):
        """An account is added or replaced by name."""
        rules = RULES.with_provider("post", MAIL).with_provider("mail", Capabilities())
        assert {"mail": Capabilities(), "post": MAIL} == rules.providers

    def test_removed(self):
        """The account's rules stay and are flagged; the others are unaffected."""
        rules = RULES.add(_rule("p", provider="post")).with_provider("post", MAIL)
        left = rules.without_provider("mail")
        assert {"a", "b", "c"} == {finding.segmentation_id for finding in left.findings}

    def test_unknown(self):
        """An unknown account cannot be removed; the hint lists the known names."""
        with pytest.raises(UnknownIdError) as caught:
            RULES.without_provider("post")
        assert "unknown provider `post` (choose `mail`)" == str(caught.value)

    @pytest.mark.parametrize(("name", "value"), [("mail", "all"), (" ", MAIL)])
    def test_refused(self, name, value):
        """Anything but capabilities and a blank name are refused."""
        with pytest.raises((ArgumentTypeError, RuleError)):
            RULES.with_provider(name, value)


class TestWhatAFormOffers:
    """Events by product and provider, facts by event, actions by provider."""

    def test_events(self):
        """The events that fit the product's kind are offered."""
        names = [event.name for event in RULES.events_for("42", "mail")]
        assert (True, False, False) == tuple(
            name in names for name in ("purchase.approved", "subscription.active", "webinar.ended")
        )

    def test_events_that_the_provider_supports(self):
        """Of these, only the events that the account supports are offered."""
        rules = RULES.with_provider("mail", Capabilities(events=("purchase.approved", "x")))
        assert ["purchase.approved"] == [event.name for event in rules.events_for("42", "mail")]

    @pytest.mark.parametrize(("product", "provider"), [("1", "mail"), ("42", "post")])
    def test_no_events(self, product, provider):
        """For an unknown product or provider there are no events."""
        assert () == RULES.events_for(product, provider)

    def test_facts(self):
        """The facts of the event are offered; an unknown event has none."""
        assert (HOTMART.facts_of("purchase.approved"), ()) == (
            RULES.facts_for("purchase.approved"),
            RULES.facts_for("quiz.passed"),
        )

    def test_operators(self):
        """The operators that fit the fact are offered; an unknown fact has none."""
        assert ("eq", "ne", "in", "not_in", "is_set", "is_missing") == RULES.operators_for(
            "country"
        )
        assert {"lt", "between"} <= {*RULES.operators_for("price")}
        assert () == RULES.operators_for("no_such")

    @pytest.mark.parametrize("fact", HOTMART.facts, ids=lambda fact: fact.name)
    def test_operators_that_are_offered_fit(self, fact):
        """A rule with an operator gets the finding `operator_unfit` if it is not offered."""
        values: dict[str, Any] = {"is_set": None, "is_missing": None}
        values |= dict.fromkeys(("in", "not_in", "between"), (1, 2))
        for operator in Operator:
            condition = Comparison(fact.name, operator, values.get(operator, 1))
            rules = RULES.add(_rule("new", condition=condition))
            unfit = FindingCode.OPERATOR_UNFIT in {found.code for found in rules.findings}
            assert unfit is (operator not in RULES.operators_for(fact.name))

    def test_actions(self):
        """General kinds and own verbs are offered; an unknown provider has none."""
        account = Capabilities(add_tag="native", move_lead="emulated", verbs=(Verb("acme.enrol"),))
        rules = RULES.with_provider("mail", account)
        assert (("add_tag", "move_lead", "acme.enrol"), ()) == (
            rules.actions_for("mail"),
            rules.actions_for("post"),
        )

    def test_own_catalogue(self):
        """The host's own event type is offered like a built-in one."""
        catalogue = HOTMART.extended(events=[EventType("quiz.passed", "Passed")])
        rules = RuleSet([COURSE], providers={"mail": MAIL}, catalogue=catalogue)
        assert "quiz.passed" == rules.events_for("42", "mail")[-1].name


class TestDashboard:
    """`for_product`: automatic segmentations first, then custom ones, each with its findings."""

    def test_custom_only(self):
        """Without capture there are no automatic segmentations."""
        assert (DashboardEntry(A), DashboardEntry(C)) == RULES.for_product("42")

    def test_automatic_first(self):
        """With capture, automatic segmentations come first and are marked."""
        rules = RuleSet([COURSE], [A], providers={"mail": MAIL}, capture_provider="mail")
        assert [*((row, True) for row in AUTOMATIC), (A, False)] == [
            (entry.segmentation, entry.is_automatic) for entry in rules.for_product("42")
        ]

    @pytest.mark.parametrize("product", [Product("42", "Course"), BOOK])
    def test_not_approved_or_unknown(self, product):
        """Automatic segmentations appear only on approved products."""
        rules = RuleSet([product], [A], providers={"mail": MAIL}, capture_provider="mail")
        assert [A] == [entry.segmentation for entry in rules.for_product("42")]

    def test_findings(self):
        """Each entry has the findings about its rule."""
        rules = RULES.add(_rule("bad", provider="gone"))
        assert [[], [], ["provider_missing"]] == [
            [finding.code for finding in entry.findings] for entry in rules.for_product("42")
        ]


class TestFindings:
    """`findings`: about the whole rule set first, then product by product."""

    def test_order(self):
        """Capture comes first, then each product, its own findings before those of its rules."""
        rules = RuleSet(
            [attrs.evolve(COURSE, approved_at=date(2024, 1, 1)), BOOK],
            [_rule("z", "99"), _rule("b", "43", provider="gone"), _rule("a", provider="gone")],
            providers={"mail": MAIL},
            capture_provider="lost",
        )
        assert [
            ("capture_provider_missing", None, None),
            ("beta_capture", "42", None),
            ("provider_missing", "42", "a"),
            ("provider_missing", "43", "b"),
            ("product_unknown", "99", "z"),
        ] == [(f.code, f.product_id, f.segmentation_id) for f in rules.findings]

    def test_of_one_product(self):
        """`findings_of` returns the findings about one product only."""
        rules = RULES.without_provider("mail")
        assert (["a", "c"], ["b"], []) == tuple(
            [finding.segmentation_id for finding in rules.findings_of(product_id)]
            for product_id in ("42", "43", "1")
        )


class TestDiff:
    """`diff` returns what another rule set adds, removes and changes."""

    def test_nothing(self):
        """Equal rule sets have an empty difference, which is false."""
        assert (RuleSetDiff(), False) == (RULES.diff(RULES), bool(RULES.diff(RULES)))

    def test_rules(self):
        """Rules are compared by id."""
        other = RULES.remove("a").add(_rule("d")).enable("c")
        assert RuleSetDiff(added=("d",), removed=("a",), changed=("c",)) == RULES.diff(other)

    def test_settings(self):
        """Other differences are named."""
        other = RuleSet(
            [COURSE],
            [A, B, C],
            providers={"post": MAIL},
            catalogue=HOTMART.extended(events=[EventType("quiz.passed", "Passed")]),
            capture_provider="post",
        )
        settings = ("products", "providers", "catalogue", "capture_provider")
        assert RuleSetDiff(settings=settings) == RULES.diff(other)

    @pytest.mark.parametrize("field", ["added", "removed", "changed", "settings"])
    def test_truth(self, field):
        """Any difference makes it true."""
        assert bool(RuleSetDiff(**{field: ("x",)}))


class TestFindingsDiff:
    """`findings_diff` returns what becomes wrong and what is fixed in another rule set."""

    def test_nothing(self):
        """Equal rule sets have no difference, which is false."""
        assert (FindingsDiff(), False) == (
            RULES.findings_diff(RULES),
            bool(RULES.findings_diff(RULES)),
        )

    def test_an_account_is_lost(self):
        """Its rules are flagged, each with its finding."""
        difference = RULES.findings_diff(RULES.without_provider("mail"))

        flagged = tuple(rule.id for rule in RULES if rule.provider == "mail")
        assert flagged == difference.flagged
        assert {"provider_missing"} == {finding.code for finding in difference.new}
        assert bool(difference)

    def test_an_account_is_back(self):
        """The other way round, the findings are gone, and the rules can run again."""
        there = RULES.findings_diff(RULES.without_provider("mail"))
        back = RULES.without_provider("mail").findings_diff(RULES)

        assert (there.new, there.flagged) == (back.gone, back.unflagged)
        assert ((), ()) == (back.new, back.flagged)

    def test_a_removed_rule_is_not_unflagged(self):
        """A flagged rule that is removed cannot run again; its findings are gone."""
        lost = RULES.without_provider("mail")
        first = lost.findings[0].segmentation_id
        assert first is not None
        difference = lost.findings_diff(lost.remove(first))

        assert ((), [first]) == (
            difference.unflagged,
            [finding.segmentation_id for finding in difference.gone],
        )

    def test_a_warning_flags_nothing(self):
        """A warning is a new finding, and the rule still runs."""
        name = RULES.segmentations[0].name
        difference = RULES.findings_diff(RULES.add(attrs.evolve(_rule("copy"), name=name)))

        assert {"name_duplicate"} == {finding.code for finding in difference.new}
        assert () == difference.flagged
