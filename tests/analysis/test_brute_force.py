"""Every finding is what trying all values of all facts gives, and nothing is missing."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any

import pytest

from listboss import (
    AddLead,
    AddTag,
    AllOf,
    AnalysisCode,
    AnyOf,
    Comparison,
    Condition,
    Engine,
    Event,
    FactType,
    Finding,
    FindingCode,
    Not,
    Product,
    RemoveTag,
    RuleSet,
    Segmentation,
)
from listboss.analysis import _meeting, analyse
from listboss.rules._facts import READERS
from listboss.rules.action import action_key
from listboss.rules.condition import NO_VALUE, comparisons
from listboss.testing import random_condition, reference
from listboss.testing._worlds import ACCOUNTS, ACTIONS, CATALOGUE, FACTS, PLANS
from tests.analysis.brute import Combinations

ALL, ONE_PLACE, *_ = ACCOUNTS
OPPOSITES = {
    "add_tag": ("remove_tag", AnalysisCode.NEVER_REMOVED),
    "remove_tag": ("add_tag", AnalysisCode.ONLY_REMOVED),
}
LISTED = [fact for fact in FACTS if fact.values]


def random_rules(dice: Random) -> RuleSet:
    """Make up to five rules on one product and event, with few facts and few actions."""
    facts = dice.sample(FACTS, dice.choice([1, 1, 2, 2]))
    divided = dice.randint(1, 4) == 1
    if divided:
        facts = [dice.choice(LISTED)]
    kind = dice.choice(["single", "subscription"])
    product = Product(
        "1",
        "Course",
        kind=kind,
        plans=PLANS[: dice.randint(1, 3)] if kind == "subscription" else (),
        approved_at=date(2025, 1, 1),
    )
    plan_ids = [plan_id for plan in product.plans for plan_id in plan.ids]
    possible = [each for each in ACTIONS if ONE_PLACE[1].can(each)]
    known = [*dice.sample(possible, 3), AddLead()]
    rules = [
        Segmentation(
            f"Rule {n}",
            id=f"r{n}",
            product_id="1",
            provider=dice.choice([ALL, ONE_PLACE, ONE_PLACE])[0],
            event="purchase.approved",
            condition=_condition(dice, facts, divided=divided),
            actions=[dice.choice(known) for _ in range(dice.choice([1, 1, 2]))],
            plan_ids=[dice.choice(plan_ids) for _ in range(dice.randint(1, 2))] if plan_ids else (),
            send=dice.choice([("email",), ("email",), ("email", "name")]),
            enabled=dice.randint(1, 12) > 1,
        )
        for n in range(dice.randint(2, 5))
    ]
    return RuleSet(
        [product],
        rules,
        providers=dict([ALL, ONE_PLACE]),
        catalogue=CATALOGUE,
        capture_provider=dice.choice([None, ONE_PLACE[0]]),
    )


def _condition(dice: Random, facts: list[FactType], *, divided: bool) -> Condition | None:
    """Make a condition, none, or one of those that divide the values of a choice."""
    if dice.randint(1, 6) == 1:
        return None
    if divided:
        return Comparison(facts[0].name, "eq", dice.choice(facts[0].values[:4]))
    return random_condition(dice, facts, depth=dice.choice([0, 0, 1, 2]))


class Tried:
    """What trying everything says about a rule set."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.product = rules.products[0]
        self.tried = Combinations([each.condition for each in rules], rules.catalogue)
        self.bits = {each.id: self.tried.holds(each.condition) for each in rules}
        self.never = {each.id for each in rules if not self.bits[each.id]}
        unusable = {each.id for each in rules if self._is_faulty(each, rules)} | self.never
        self.active = [each for each in rules if each.enabled and each.id not in unusable]
        self.flagged = [each for each in rules if each.enabled and each.id in unusable]
        plans: list[Any] = [*self.product.plans] or [None]
        self.on: dict[str, list[int]] = {
            each.id: [
                self.bits[each.id] if plan is None or set(plan.ids) & {*each.plan_ids} else 0
                for plan in plans
            ]
            for each in self.active
        }

    @staticmethod
    def _is_faulty(rule: Segmentation, rules: RuleSet) -> bool:
        """Whether a rule has an error apart from what is tried here."""
        return any(
            finding.segmentation_id == rule.id
            and finding.severity == "error"
            and finding.code != "never_holds"
            for finding in rules.findings
        )

    def findings(self) -> set[tuple[str, str | None, tuple[str, ...]]]:
        """Return code, rule and other rules of each expected finding but the parts and gaps."""
        return {
            *((FindingCode.NEVER_HOLDS, rule_id, ()) for rule_id in self.never),
            *(
                (AnalysisCode.ALWAYS_HOLDS, rule.id, ())
                for rule in self.active
                if self.always(rule)
            ),
            *self.conflicts(),
            *self.tags(),
            *self.plans(),
            *self.gaps(),
        }

    def always(self, rule: Segmentation) -> bool:
        """Whether it holds whenever the facts that it compares have usable values."""
        mentioned = [each for _, each in comparisons(rule.condition)]
        known = self.tried.everything
        for each in mentioned:
            if each.operator not in NO_VALUE:
                fact = CATALOGUE.fact(each.fact)
                assert fact is not None
                values = self.tried.values[each.fact]
                read = READERS[fact.kind]
                usable = [v for v in values if v is not None and read(v) is not None]
                known &= self.tried.where(each.fact, usable)
        is_complete = bool(mentioned) and not has_empty_group(rule.condition)
        return is_complete and not known & ~self.bits[rule.id]

    def conflicts(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield the pairs of rules with an event on which one action beats another."""
        for n, one in enumerate(self.active):
            for other in self.active[n:]:
                meet = any(a & b for a, b in zip(self.on[one.id], self.on[other.id], strict=True))
                if meet and one.provider == other.provider and self._contradict(one, other):
                    yield AnalysisCode.CONFLICT, one.id, () if one is other else (other.id,)

    def _contradict(self, one: Segmentation, other: Segmentation) -> bool:
        place = self.rules.providers[one.provider].one_place
        return any(
            reference.beats(first, second, earlier=True, one_place=place)
            for a in one.actions
            for b in other.actions
            if action_key(a) != action_key(b)
            for first, second in ((a, b), (b, a))
        )

    def tags(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield the first rule for each tag that is only put on, or only taken off."""
        first: dict[tuple[str, str, str], str] = {}
        for rule in self.active:
            for action in rule.actions:
                if isinstance(action, (AddTag, RemoveTag)):
                    kind, tag = action_key(action)
                    first.setdefault((kind, rule.provider, tag), rule.id)
        flagged = {
            (action_key(action)[0], rule.provider, action_key(action)[-1])
            for rule in self.flagged
            for action in rule.actions
        }
        for (kind, provider, tag), rule_id in first.items():
            opposite, code = OPPOSITES[kind]
            if (opposite, provider, tag) not in first.keys() | flagged:
                yield code, rule_id, ()

    def plans(self) -> Iterator[tuple[str, None, tuple[str, ...]]]:
        """Yield one finding for each subscription plan without a rule."""
        of_flagged = {plan_id for rule in self.flagged for plan_id in rule.plan_ids}
        for n, plan in enumerate(self.product.plans):
            if of_flagged & {*plan.ids}:
                continue
            if self.active and not any(self.on[rule.id][n] for rule in self.active):
                yield AnalysisCode.NO_RULE_FOR_PLAN, None, (str(n),)

    def gaps(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Yield the families that leave values of a choice out, if rules compare nothing else."""
        names = list(self.tried.values)
        if len(names) != 1 or self.flagged or CATALOGUE.fact(names[0]) not in LISTED:
            return
        (name,) = names
        unusable = self.tried.where(name, [None, 0])
        families: dict[Any, list[Segmentation]] = {}
        for rule in self.active:
            kinds = tuple(type(action) for action in rule.actions)
            plans = tuple(bool(bits) for bits in self.on[rule.id])
            if rule.condition is not None and not self.bits[rule.id] & unusable:
                families.setdefault((rule.provider, kinds, plans), []).append(rule)
        for first, *others in families.values():
            bits = [self.bits[each.id] for each in (first, *others)]
            divided = all(not a & b for n, a in enumerate(bits) for b in bits[:n])
            covered = self.tried.everything & ~unusable
            for each in bits:
                covered &= ~each
            fact = CATALOGUE.fact(name)
            left = covered & self.tried.where(name, fact.values if fact else ())
            if others and divided and left:
                yield AnalysisCode.GAP, first.id, tuple(each.id for each in others)

    def coverage(self) -> dict[str, str]:
        """Return the code of each rule that adds nothing, from the last to the first."""
        found: dict[str, str] = {}
        for rule in reversed(self.active):
            others = [e for e in self.active if e is not rule and e.id not in found]
            own = [action for action in rule.actions if not self._captured(rule, action)]
            if not own:
                found[rule.id] = AnalysisCode.LOSES_TO_AUTOMATIC
            elif all(self._covered(rule, action, others) for action in own):
                twin = any(self._same(rule, other) for other in others)
                found[rule.id] = AnalysisCode.DUPLICATE if twin else AnalysisCode.SHADOWED
        return found

    def _captured(self, rule: Segmentation, action: Any) -> bool:
        return action == AddLead() and rule.provider == self.rules.capture_provider

    def _covered(self, rule: Segmentation, action: Any, others: list[Segmentation]) -> bool:
        left = list(self.on[rule.id])
        for other in others:
            asks = other.provider == rule.provider and {*rule.send} <= {*other.send}
            if asks and action_key(action) in map(action_key, other.actions):
                left = [a & ~b for a, b in zip(left, self.on[other.id], strict=True)]
        return not any(left)

    def _same(self, one: Segmentation, other: Segmentation) -> bool:
        return self.on[one.id] == self.on[other.id] and all(
            ({*map(action_key, e.actions)}, e.provider, {*e.send})
            == ({*map(action_key, one.actions)}, one.provider, {*one.send})
            for e in (other,)
        )


def key(finding: Finding) -> tuple[str, str | None, tuple[str, ...]]:
    """Return code, rule and other rules of a finding."""
    if finding.code == AnalysisCode.NO_RULE_FOR_PLAN:
        return finding.code, None, (finding.path.removeprefix("$.plans[").removesuffix("]"),)
    return finding.code, finding.segmentation_id, finding.others


COVERAGE = (AnalysisCode.DUPLICATE, AnalysisCode.SHADOWED, AnalysisCode.LOSES_TO_AUTOMATIC)
APART = {*COVERAGE, AnalysisCode.REDUNDANT_PART}
COUNTED = {FindingCode.NEVER_HOLDS, *AnalysisCode} - APART


def has_empty_group(condition: Condition | None) -> bool:
    """Whether a group is empty, which the review reports."""
    match condition:
        case Not():
            return has_empty_group(condition.condition)
        case AllOf() | AnyOf():
            return not condition.conditions or any(map(has_empty_group, condition.conditions))
        case _:
            return False


def removed(condition: Condition, path: str, gone: set[str]) -> Condition | None:
    """Return a condition without the parts of these paths; None for such a part."""
    if path in gone:
        return None
    match condition:
        case Comparison():
            return condition
        case Not():
            inner = removed(condition.condition, f"{path}.not", gone)
            return None if inner is None else Not(inner)
        case AllOf() | AnyOf():
            word = "all" if isinstance(condition, AllOf) else "any"
            parts = [
                removed(part, f"{path}.{word}[{n}]", gone)
                for n, part in enumerate(condition.conditions)
            ]
            kept = [part for part in parts if part is not None]
            return type(condition)(*kept) if kept or not parts else None


def paths(condition: Condition, path: str) -> Iterator[str]:
    """Yield the paths of the parts of all combinations."""
    match condition:
        case Not():
            yield from paths(condition.condition, f"{path}.not")
        case AllOf() | AnyOf():
            word = "all" if isinstance(condition, AllOf) else "any"
            for n, part in enumerate(condition.conditions):
                yield f"{path}.{word}[{n}]"
                yield from paths(part, f"{path}.{word}[{n}]")
        case _:
            pass


def check_parts(rule: Segmentation, reported: set[str], tried: Tried) -> None:
    """Check that the reported parts change nothing together, and that no other part does."""
    condition, path = rule.condition, "$.condition"
    assert condition is not None
    bits = tried.bits[rule.id]
    left = removed(condition, path, reported)
    assert left is not None
    assert bits == tried.tried.holds(left), (condition, reported)
    for each in paths(condition, path):
        if not any(each.startswith(one) for one in reported):
            without = removed(condition, path, {*reported, each})
            assert without is None or bits != tried.tried.holds(without), (condition, each)


def check_witness(finding: Finding, engine: Engine, tried: Tried) -> None:
    """Check with the engine that an event shows what a finding says."""
    event = finding.witness
    assert event is not None, finding
    matched, plan = set(engine.match(event)), engine.plan(event)
    assert reference.plan(engine.rules, event) == plan
    named = {each for each in (finding.segmentation_id, *finding.others) if each}
    match finding.code:
        case AnalysisCode.GAP:
            assert not named & matched
        case AnalysisCode.NO_RULE_FOR_PLAN:
            assert not matched
        case AnalysisCode.SHADOWED:
            assert finding.segmentation_id in matched
            assert matched & {*finding.others}
        case AnalysisCode.CONFLICT:
            assert named <= matched
            keys = {action_key(a) for id in named for a in engine.rules.segmentation(id).actions}
            assert keys & {action_key(conflict.dropped) for conflict in plan.conflicts}
            check_smallest(finding, event, tried)
        case _:
            assert named <= matched


def check_smallest(finding: Finding, event: Event, tried: Tried) -> None:
    """Check that no event with fewer facts shows the conflict."""
    both = tried.tried.everything
    for each in (finding.segmentation_id, *finding.others):
        assert each is not None
        both &= tried.bits[each]
    sizes = (len(tried.tried.facts(n)) for n in range(len(tried.tried.maps)) if both >> n & 1)
    assert min(sizes) == sum(name in tried.tried.values for name in event.facts)


def check(rules: RuleSet) -> Counter[str]:
    """Compare the report of a rule set with what trying everything says; return the codes."""
    report, tried, engine = analyse(rules), Tried(rules), Engine(rules)
    found = report.findings
    counted = {key(each) for each in found if each.code in COUNTED}
    if len(tried.tried.values) != 1:  # what a family is depends on how its conditions are written
        counted = {each for each in counted if each[0] != AnalysisCode.GAP}
    assert tried.findings() == counted, rules.segmentations
    covered = {each.segmentation_id: each.code for each in found if each.code in COVERAGE}
    assert tried.coverage() == covered, rules.segmentations
    for rule in tried.active:
        parts = {
            each.path
            for each in found
            if (each.code, each.segmentation_id) == (AnalysisCode.REDUNDANT_PART, rule.id)
        }
        if not (rule.condition is None or tried.always(rule) or has_empty_group(rule.condition)):
            check_parts(rule, parts, tried)
    for each in found:
        if each.code in set(AnalysisCode):
            check_witness(each, engine, tried)
    return Counter(each.code for each in found)


class TestBruteForce:
    """A report has exactly the findings that trying everything gives."""

    @pytest.mark.parametrize("indexed", [False, True])
    def test_small_rule_sets(self, amount, monkeypatch, indexed):
        """Up to five rules on one product and event: at least 5,000 pairs by default.

        Half of the rule sets are analysed with an index, which else only large groups have.
        """
        if indexed:
            monkeypatch.setattr(_meeting, "MIN_INDEXED", 0)
            monkeypatch.setattr(_meeting, "MAX_KEPT", 2)
        for n in range(amount(ci=450, soak=20_000)):
            check(random_rules(Random(f"analysis/{indexed}/{n}")))

    def test_every_code_occurs(self):
        """The rule sets are not too tame: each code that is decided by trying occurs in some."""
        seen: Counter[str] = Counter()
        for n in range(150):
            seen += check(random_rules(Random(f"codes/{n}")))

        assert set(AnalysisCode) - {AnalysisCode.TOO_COMPLEX} <= set(seen)
