import itertools
import pickle
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest

from listboss import (
    HOTMART,
    AddTag,
    Capabilities,
    Engine,
    Event,
    EventType,
    Idle,
    Product,
    where,
)
from listboss.errors import ArgumentTypeError


def _tags(plan):
    return [planned.action.tag for planned in plan.actions]


class TestWrongTypes:
    """What is not an event or a rule set is refused by name."""

    def test_an_event(self, engine):
        """`plan` and `match` take events."""
        with pytest.raises(ArgumentTypeError, match="expected an event, got a mapping"):
            engine().plan({})
        with pytest.raises(ArgumentTypeError, match="expected an event, got a mapping"):
            engine().match({})

    def test_a_rule_set(self):
        """An engine takes a rule set, not its rules."""
        with pytest.raises(ArgumentTypeError, match="expected a rule set, got a list"):
            Engine([])  # type: ignore[arg-type] # wrong on purpose


class TestPlanMany:
    """`plan_many` plans a stream, one event at a time."""

    def test_in_order(self, engine, rule, happens):
        """One plan for each event, in the order of the events."""
        events = [happens(id=f"e-{n}") for n in range(5)]
        eng = engine(rule("r", AddTag("x")))
        assert [eng.plan(event) for event in events] == list(eng.plan_many(events))

    def test_a_set_has_no_order(self, engine, happens):
        """Events come in an order, so a set of them is refused."""
        with pytest.raises(ArgumentTypeError, match="expected a list, got a set"):
            list(engine().plan_many({happens()}))

    def test_nothing_is_read_ahead(self, engine, happens):
        """An endless stream can be planned: each event is taken when its plan is asked for."""
        taken = []

        def endless():
            for n in itertools.count():
                taken.append(n)
                yield happens(id=f"e-{n}")

        plans = engine().plan_many(endless())
        before = len(taken)
        next(plans)
        next(plans)
        assert (0, 2) == (before, len(taken))

    @pytest.mark.parametrize(("include", "expected"), [(False, [Idle.TEST]), (True, [None])])
    def test_include_tests(self, engine, rule, happens, include, expected):
        """Test events are planned only when asked for, as with `plan`."""
        eng = engine(rule("r", AddTag("x")))
        plans = eng.plan_many([happens(is_test=True)], include_tests=include)
        assert expected == [plan.idle for plan in plans]

    @pytest.mark.parametrize("include", [None, 1, "no"])
    def test_include_tests_is_a_boolean(self, engine, happens, include):
        """A test event is not planned because of a value that is neither True nor False."""
        with pytest.raises(ArgumentTypeError, match="expected a boolean"):
            engine().plan(happens(is_test=True), include_tests=include)


def test_a_subclass_of_event(engine, rule, happens):
    """An event of a host's own class is planned like any other."""

    class OwnEvent(Event):
        """An event with a method of the host's."""

    eng, event = engine(rule("r", AddTag("x"))), happens()
    fields = [field.name for field in attrs.fields(Event) if field.init]
    own = OwnEvent(**{name: getattr(event, name) for name in fields})
    assert (eng.plan(event).actions, ("r",)) == (eng.plan(own).actions, eng.match(own))


CHANGES = {
    "rule added": lambda rules, rule: rules.add(rule("new", AddTag("new"))),
    "rule removed": lambda rules, rule: rules.remove("a"),
    "rule replaced": lambda rules, rule: rules.replace(rule("a", AddTag("other"))),
    "rule moved": lambda rules, rule: rules.replace(
        rule("a", AddTag("a"), product_id="77", plan_ids=("10",))
    ),
    "rule disabled": lambda rules, rule: rules.disable("a"),
    "product not approved": lambda rules, rule: rules.with_product(Product("42", "Course")),
    "product approved later": lambda rules, rule: rules.with_product(
        attrs.evolve(rules.product("42"), name="Course 2")
    ),
    "provider gone": lambda rules, rule: rules.without_provider("mail"),
    "provider limited": lambda rules, rule: rules.with_provider("mail", Capabilities()),
    "nothing": lambda rules, rule: rules,
}


@pytest.fixture
def world(rule_set, rule, happens):
    """Rules of two products, the same after a change, and events that meet them."""

    def world(size, change):
        rules = rule_set(
            rule("a", AddTag("a")),
            *(rule(f"r{n}", AddTag(str(n)), condition=where.offer == str(n)) for n in range(size)),
            rule("club", AddTag("club"), product_id="77", plan_ids=("10",)),
            capture_provider="post",
        )
        events = [
            happens(facts={"offer": "1"}),
            happens(),
            happens(product_id="77", plan_id="10"),
        ]
        return rules, CHANGES[change](rules, rule), events

    return world


class TestWithRules:
    """`with_rules` gives the same as a new engine."""

    @pytest.mark.parametrize("change", CHANGES)
    @pytest.mark.parametrize(("size", "warm"), [(2, False), (2, True), (300, False), (300, True)])
    def test_equals_a_fresh_engine(self, world, change, size, warm):
        """After each change, the plans are those of a new engine."""
        before, after, events = world(size, change)
        old = Engine(before)
        if warm:
            old.warm()
        fresh, new = Engine(after), old.with_rules(after)
        assert [fresh.plan(event) for event in events] == [new.plan(event) for event in events]

    def test_an_equal_product(self, engine, rule, happens):
        """A product that is replaced by an equal one keeps its rules."""
        old = engine(rule("a", AddTag("a")))
        old.plan(happens())
        new = old.with_rules(old.rules.with_product(attrs.evolve(old.rules.product("42"))))
        assert old.plan(happens()) == new.plan(happens())

    def test_the_old_engine_stays_as_it_was(self, engine, rule, happens):
        """An engine is immutable: it keeps its own rules."""
        old = engine(rule("a", AddTag("a")))
        new = old.with_rules(old.rules.add(rule("b", AddTag("b"))))
        assert (["a"], ["a", "b"]) == (_tags(old.plan(happens())), _tags(new.plan(happens())))

    def test_many_steps(self, engine, rule, rule_set, happens):
        """A long series of changes gives the same as one change to the last rules."""
        eng = engine()
        for n in range(60):
            eng = eng.with_rules(eng.rules.add(rule(f"r{n}", AddTag(f"{n:02}"))))
            if n % 3 == 0:
                eng = eng.with_rules(eng.rules.disable(f"r{n}"))
        assert [f"{n:02}" for n in range(60) if n % 3] == _tags(eng.plan(happens()))

    @pytest.mark.parametrize("size", [1, 300])
    def test_replaced_rules_use_their_new_condition(self, engine, rule, happens, size):
        """A rule that is replaced in a large product is matched by its new condition."""
        eng = engine(
            *(rule(f"r{n}", AddTag(str(n)), condition=where.offer == "x") for n in range(size))
        )
        changed = rule("r0", AddTag("new"), condition=where.offer == "y")
        eng = eng.with_rules(eng.rules.replace(changed))
        assert ["new"] == _tags(eng.plan(happens(facts={"offer": "y"})))

    def test_another_catalogue(self, engine, rule, rule_set, happens):
        """The new engine knows an event type that the catalogue gained."""
        old = engine(rule("r", AddTag("x"), event="quiz.passed")).warm()
        catalogue = HOTMART.extended(events=[EventType("quiz.passed", "Passed")])
        new = old.with_rules(
            rule_set(rule("r", AddTag("x"), event="quiz.passed"), catalogue=catalogue)
        )
        event = happens("quiz.passed")
        assert (Idle.UNKNOWN_EVENT, ["x"]) == (old.plan(event).idle, _tags(new.plan(event)))

    def test_another_capture_provider(self, engine, rule_set, happens):
        """Automatic actions follow the rule set's provider."""
        old = engine(capture_provider="mail")
        old.plan(happens())
        new = old.with_rules(rule_set(capture_provider="post"))
        assert {"post"} == {planned.provider for planned in new.plan(happens()).actions}


class TestAnEngineDependsOnItsRulesAlone:
    """Only the rules decide, not what happened before."""

    def test_rules(self, rule_set, rule):
        """An engine has the rules that it decides by."""
        rules = rule_set(rule("r", AddTag("x")))
        assert rules is Engine(rules).rules

    def test_repr(self, engine, rule):
        """The repr shows how many rules there are, and no more."""
        assert "<Engine of <RuleSet of 2 products and 1 segmentations>>" == repr(
            engine(rule("r", AddTag("x")))
        )

    @pytest.mark.parametrize("used", [False, True])
    def test_pickle(self, engine, rule, happens, used):
        """An engine can be sent to another process, used or not."""
        eng = engine(rule("r", AddTag("x"), condition=where.language == "pt"))
        event = happens(facts={"language": "pt-BR"})
        if used:
            eng.plan(event)
        again = pickle.loads(pickle.dumps(eng))
        assert (eng.rules, eng.plan(event)) == (again.rules, again.plan(event))

    def test_warm(self, engine, rule, happens):
        """`warm` returns the engine, and changes no plan."""
        cold, warm = (engine(rule("r", AddTag("x"))) for _ in range(2))
        assert (True, cold.plan(happens())) == (warm.warm() is warm, warm.plan(happens()))

    def test_earlier_events_have_no_effect(self, engine, rule, happens):
        """Planning the same event again, after others, gives the same plan."""
        eng = engine(
            rule("r", AddTag("x"), condition=where.language == "en"), capture_provider="mail"
        )
        event = happens(facts={"language": "en"})
        first = eng.plan(event)
        eng.plan(happens(facts={"language": "pt"}))
        eng.plan(happens("purchase.refunded"))
        assert first == eng.plan(event)

    def test_shared_between_threads(self, engine, rule, happens):
        """Threads that share a cold engine all get the plans of one thread."""
        rules = [rule(f"r{n}", AddTag(str(n)), condition=where.offer == str(n)) for n in range(50)]
        events = [happens(id=f"e-{n}", facts={"offer": str(n % 60)}) for n in range(200)]
        expected = [engine(*rules).plan(event) for event in events]
        shared = engine(*rules)
        with ThreadPoolExecutor(8) as pool:
            assert expected == list(pool.map(shared.plan, events))

    def test_rules_of_an_unknown_product(self, engine, rule, happens):
        """Rules may name a product that the rule set does not have yet."""
        eng = engine(rule("r", AddTag("x"), product_id="99"))
        later = eng.with_rules(
            eng.rules.with_product(Product("99", "New", approved_at=happens().occurred_at))
        )
        event = happens(product_id="99")
        assert (Idle.UNKNOWN_PRODUCT, ["x"]) == (eng.plan(event).idle, _tags(later.plan(event)))

    def test_many_rules_of_an_unknown_product(self, engine, rule, happens):
        """This holds for products that are indexed at once, too."""
        eng = engine(*(rule(f"r{n}", AddTag("x"), product_id="99") for n in range(300)))
        assert Idle.UNKNOWN_PRODUCT == eng.plan(happens(product_id="99")).idle
