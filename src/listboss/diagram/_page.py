"""A rule set as one HTML page: rules by product, from the event over the condition to actions.

The page is complete without its script, which adds search and keys. It loads nothing: style
and script are inside, and its Content-Security-Policy allows these two by their digests and
nothing else. All text goes through `escape` or `as_html`.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

from listboss.diagram._view import (
    AutomaticAction,
    EventView,
    ProductView,
    RuleView,
    View,
    view,
)
from listboss.rules._text import one_line
from listboss.rules._wording import as_html, describe_action, describe_condition
from listboss.rules.action import AddTag, RemoveTag
from listboss.rules.automatic import AUTOMATIC, AutomaticSegmentation
from listboss.rules.condition import Comparison, Operator
from listboss.rules.finding import AnalysisCode, Finding
from listboss.rules.ruleset import RuleSet

__all__ = ["page"]

MAX_LINKS = 10
"""Of a finding about more rules than this, the others are counted."""


def page(rules: RuleSet, findings: Iterable[Finding] | None = None, *, title: str = "Rules") -> str:
    """Return one self-contained HTML page that shows a rule set.

    `findings` are shown beside what they are about, by default `rules.findings`. The page can be
    stored, sent and opened from disk; it contains no contact data.

    >>> page(RuleSet()).splitlines()[0]
    '<!doctype html>'
    """
    shown = view(rules, rules.findings if findings is None else findings)
    style, script = _data("page.css"), _data("page.js")
    return Template(_data("page.html")).substitute(
        title=_text(title),
        style=style,
        script=script,
        style_digest=_digest(style),
        script_digest=_digest(script),
        summary=_summary(shown),
        findings=_findings(shown.findings, shown.rules),
        navigation="".join(map(_entry, shown.products)),
        products="".join(_product(each, shown.rules) for each in shown.products),
        options=_options(shown),
        automatic=_automatic_table(shown),
    )


@cache
def _data(name: str) -> str:
    return files("listboss.diagram").joinpath(name).read_text("utf-8")


def _digest(text: str) -> str:
    """Return the digest by which the policy of the page allows its own style or script."""
    return b64encode(sha256(text.encode()).digest()).decode()


def _text(text: str) -> str:
    return escape(one_line(text))


def _name(text: str) -> str:
    """Return a user's text that is kept apart from the direction of the text around it."""
    return f"<bdi>{_text(text)}</bdi>"


def _number(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


# Parts of the page


def _summary(shown: View) -> str:
    rules = shown.rules.values()
    counts = (
        (len(rules), "rule", ""),
        (len(shown.products), "product", ""),
        (sum(each.is_flagged for each in rules), "flagged", "flagged"),
        (sum(not each.rule.enabled for each in rules), "switched off", "switched off"),
    )
    parts = (_number(n, one, many) for n, one, many in counts if n or one in {"rule", "product"})
    return "".join(f"<li>{part}</li>" for part in parts)


def _entry(product: ProductView) -> str:
    count = len(product.rules)
    return (
        f'<li><a href="#{product.key}"><span>{_name(product.name)}</span> '
        f'<span class="count">{count:,}</span></a></li>'
    )


def _product(product: ProductView, rules: Mapping[str, RuleView]) -> str:
    facts = [f"id <code>{_text(product.id)}</code>", _number(len(product.rules), "rule")]
    if product.product is None:
        facts.append("not in the rule set")
    else:
        facts.insert(1, _text(product.product.kind))
        if product.has_automatic:
            facts.append('<a href="#automatic">automatic segmentations</a>')
        elif product.product.approved_at is None:
            facts.append("not approved")
    events = "".join(_event(event, product, rules) for event in product.events)
    empty = "" if events else '<p class="empty">No custom rules.</p>'
    return (
        f'<section class="product" id="{product.key}" aria-labelledby="{product.key}h">'
        f'<header><h2 id="{product.key}h">{_name(product.name)}</h2>'
        f'<ul class="facts">{_items(facts)}</ul></header>'
        f"{_findings(product.findings, rules)}{events}{empty}</section>\n"
    )


def _items(items: Iterable[str]) -> str:
    return "".join(f"<li>{item}</li>" for item in items)


def _event(event: EventView, product: ProductView, rules: Mapping[str, RuleView]) -> str:
    name = "" if event.name == event.label else f"<code>{_text(event.name)}</code>"
    cards = "".join(_rule(each, product, rules) for each in event.rules)
    return (
        f'<section class="event"><h3><span>{_name(event.label)}</span>{name}</h3>'
        f'<ol class="rules">{cards}{_automatic(event.automatic)}</ol></section>\n'
    )


def _rule(each: RuleView, product: ProductView, rules: Mapping[str, RuleView]) -> str:
    rule = each.rule
    states = [*_states(each)]
    plans = ", ".join(_plan(plan_id, product) for plan_id in rule.plan_ids)
    where = f"at <b>{_name(rule.provider)}</b>" + (f", only plan {plans}" if plans else "")
    actions = _items(as_html(describe_action(action)) for action in rule.actions)
    who = '<span class="every">every contact</span>'
    if rule.condition is not None:
        who = f'<span class="word">if</span> {as_html(describe_condition(rule.condition))}'
    badges = "".join(
        f' <span class="badge {state}">{badge}</span>'
        for state in states
        if (badge := _STATES[state][0])
    )
    return (
        f'<li><article class="{" ".join(["rule", *states])}" id="{each.key}" tabindex="-1">'
        f'<header><h4>{_name(rule.name)}</h4>{badges}<p class="where">{where}</p></header>'
        f'<div class="flow"><p class="who">{who}</p>'
        f'<ul class="then">{actions or "<li>nothing</li>"}</ul></div>'
        f"{_findings(each.findings, rules, rule.id)}</article></li>\n"
    )


_STATES = {
    "noted": ("", "with findings"),
    "conflict": ("conflict", "in a conflict"),
    "flagged": ("flagged", "flagged"),
    "off": ("switched off", "switched off"),
}
"""The states of a rule: its badge, and the choice of the form that shows rules in this state."""


def _states(each: RuleView) -> Iterator[str]:
    if each.findings:
        yield "noted"
    if any(finding.code is AnalysisCode.CONFLICT for finding in each.findings):
        yield "conflict"
    if each.is_flagged:
        yield "flagged"
    if not each.rule.enabled:
        yield "off"


def _options(shown: View) -> str:
    counts = Counter(state for each in shown.rules.values() for state in _states(each))
    return '<option value="">all rules</option>' + "".join(
        f'<option value="{state}">{choice} ({counts[state]:,})</option>'
        for state, (_, choice) in _STATES.items()
        if counts[state]
    )


def _plan(plan_id: str, product: ProductView) -> str:
    plan = None if product.product is None else product.product.plan(plan_id)
    return f"<code>{_text(plan_id)}</code>" if plan is None else _name(plan.name)


def _automatic(actions: Iterable[AutomaticAction]) -> str:
    tags: dict[str, list[str]] = {"add tag": [], "remove tag": []}
    lines: list[str] = []
    for each in actions:
        match each.action:
            case AddTag(tag):
                tags["add tag"].append(_automatic_tag(tag, each))
            case RemoveTag(tag):
                tags["remove tag"].append(_automatic_tag(tag, each))
            case _:
                lines.append(as_html(describe_action(each.action)))
    lines += (
        f'{words} <span class="tags">{" ".join(of)}</span>' for words, of in tags.items() if of
    )
    if not lines:
        return ""
    return (
        '<li><article class="rule automatic" tabindex="-1"><header><h4>Automatic segmentations</h4>'
        ' <span class="badge automatic">automatic</span></header>'
        f"<ul>{_items(lines)}</ul></article></li>\n"
    )


def _automatic_tag(tag: str, each: AutomaticAction) -> str:
    first = " at the first charge" if each.first_charge else ""
    return f"<span><code>{_text(tag)}</code>{first}</span>"


def _findings(
    findings: Iterable[Finding], rules: Mapping[str, RuleView], beside: str | None = None
) -> str:
    """Return the findings that are about the rule with the id `beside`, or about no rule."""
    items = "".join(
        f'<li class="{finding.severity}"><p><b>{finding.severity}</b>'
        f" {as_html(finding.message)}</p>{_links(finding, rules, beside)}"
        f"{_witness(finding)}{_hint(finding)}</li>"
        for finding in findings
    )
    return f'<ul class="findings">{items}</ul>' if items else ""


def _links(finding: Finding, rules: Mapping[str, RuleView], beside: str | None) -> str:
    """Return links to the other rules of a finding."""
    named = dict.fromkeys((finding.segmentation_id, *finding.others))
    others = [rules[id] for id in named if id is not None and id != beside and id in rules]
    links = [f'<a href="#{each.key}">{_name(each.rule.name)}</a>' for each in others[:MAX_LINKS]]
    if len(others) > MAX_LINKS:
        links.append(f"{len(others) - MAX_LINKS:,} more")
    return f'<p class="links">see {", ".join(links)}</p>' if links else ""


def _witness(finding: Finding) -> str:
    """Return the facts of the event that shows a finding."""
    if finding.witness is None:
        return ""
    facts = finding.witness.facts.items()
    shown = [as_html(str(Comparison(name, Operator.EQ, value))) for name, value in facts]
    return f"<p>for example, with {', '.join(shown) or 'any event'}</p>"


def _hint(finding: Finding) -> str:
    return f'<p class="hint">{as_html(finding.hint)}</p>' if finding.hint else ""


def _automatic_table(shown: View) -> str:
    if not any(product.has_automatic for product in shown.products):
        return ""
    rows = "".join(
        f'<tr><th scope="row">{_text(row.name)}</th><td><code>{_text(row.tag_key)}</code></td>'
        f"<td>{_events_of(row.adds_on)}</td><td>{_ends(row)}</td></tr>\n"
        for row in AUTOMATIC
    )
    return (
        '<section class="product" id="automatic" aria-labelledby="automatic-h">'
        '<header><h2 id="automatic-h">Automatic segmentations</h2>'
        '<p class="note">Each approved product has them. The tag is <code>auto:</code>, the word in'
        " the second column, <code>:</code> and the id of the product.</p></header>"
        '<div class="table" tabindex="0" role="region" aria-label="Automatic tags and events">'
        "<table>"
        '<thead><tr><th scope="col">Name</th><th scope="col">Tag</th><th scope="col">Put on by</th>'
        f'<th scope="col">Taken off by</th></tr></thead><tbody>\n{rows}</tbody></table></div>'
        "</section>"
    )


def _ends(row: AutomaticSegmentation) -> str:
    if row.permanent_reason is not None:
        return f"never: {_text(row.permanent_reason)}"
    first = _events_of(row.removes_on_first_charge)
    return _events_of(row.removes_on) + (f"; {first} (first charge)" if first else "")


def _events_of(names: Iterable[str]) -> str:
    return ", ".join(f"<code>{_text(name)}</code>" for name in names)
