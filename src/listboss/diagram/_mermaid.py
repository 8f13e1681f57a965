"""A rule set as the text of a Mermaid flowchart: event, then rule, then actions.

Automatic actions and flagged rules have styles of their own; rules that contradict each other
are linked by a dotted line. Every label is a quoted string in which all but letters, digits
and a few marks is written as a character code, so a name cannot end its label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from listboss.diagram._view import EventView, ProductView, RuleView, view
from listboss.errors import UnknownIdError
from listboss.rules._text import one_line, quoted, suggestion
from listboss.rules._wording import describe_action, describe_condition
from listboss.rules.action import RemoveTag
from listboss.rules.finding import AnalysisCode, Finding
from listboss.rules.ruleset import RuleSet

__all__ = ["mermaid", "quote_label"]

MAX_LABEL = 120
"""Longer labels are cut, with an ellipsis at the end."""
MAX_REMOVED = 2
"""If automatic capture removes more tags than this, they are counted."""
_MARKUP = re.compile(r"[^\w .,:/()=+-]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_LIST_MARK = re.compile(r"(\d*)([.)+-])(?= |$)")
"""What begins an item of a list in Markdown: some releases of Mermaid show no lists and links."""
STYLES = (
    "classDef rule fill:#eef4ff,stroke:#3b66b0,color:#12233f",
    "classDef off fill:#f4f4f4,stroke:#999,color:#555,stroke-dasharray:4",
    "classDef flagged fill:#fdecea,stroke:#b3261e,color:#5c120d",
    "classDef automatic fill:#f3effb,stroke:#7a5bb5,color:#382660,stroke-dasharray:4",
)


def mermaid(
    rules: RuleSet, findings: Iterable[Finding] | None = None, *, product_id: str | None = None
) -> str:
    """Return a rule set as a Mermaid flowchart; of one product if `product_id` is given.

    `findings` are those to mark, by default `rules.findings`. A flowchart is readable up to
    some dozens of rules: for more, choose a product or use `page`. Raises `UnknownIdError` for
    a product that the rule set does not have.

    >>> from listboss import AddTag, RuleSet, Segmentation
    >>> welcome = Segmentation(
    ...     "Welcome",
    ...     product_id="42",
    ...     provider="mail",
    ...     event="purchase.approved",
    ...     actions=AddTag("buyer"),
    ... )
    >>> print(mermaid(RuleSet(segmentations=[welcome])))
    flowchart LR
    ...
    """
    shown = view(rules, rules.findings if findings is None else findings)
    known = [product.id for product in shown.products]
    if product_id is not None and product_id not in known:
        hint = suggestion(product_id, known)
        raise UnknownIdError(f"unknown product {quoted(product_id)}", hint=hint)
    lines = ["flowchart LR"]
    for product in shown.products:
        if product_id is None or product.id == product_id:
            lines += _product(product, shown.rules)
    lines += (f"  {style}" for style in STYLES)
    return "".join(f"{line}\n" for line in lines)


def quote_label(text: str) -> str:
    """Quote a label for Mermaid.

    >>> quote_label('a "b" <c>'), quote_label("1. a")
    ('"a #34;b#34; #60;c#62;"', '"1#46; a"')
    """
    plain = one_line(text).strip()
    cut = plain if len(plain) <= MAX_LABEL else plain[: MAX_LABEL - 1] + "…"
    escaped = _MARKUP.sub(lambda found: f"#{ord(found[0])};", cut)
    if mark := _LIST_MARK.match(escaped):
        escaped = f"{mark[1]}#{ord(mark[2])};{escaped[mark.end() :]}"
    return f'"{escaped}"'


def _product(product: ProductView, rules: Mapping[str, RuleView]) -> Iterator[str]:
    yield f"  subgraph {product.key}[{quote_label(f'{product.name} ({product.id})')}]"
    yield "    direction LR"
    for n, event in enumerate(product.events, 1):
        key = f"{product.key}e{n}"
        yield f"    {key}([{quote_label(event.label)}])"
        for each in event.rules:
            yield from _rule(key, each)
        yield from _automatic(key, event)
    yield from _links(product, rules)
    yield "  end"


def _rule(event_key: str, each: RuleView) -> Iterator[str]:
    rule, key = each.rule, each.key
    who = describe_condition(rule.condition).replace("`", "")
    style = "flagged" if each.is_flagged else "rule" if rule.enabled else "off"
    yield f"    {event_key} --> {key}[{quote_label(f'{rule.name}: {who}')}]:::{style}"
    for n, action in enumerate(rule.actions, 1):
        text = describe_action(action).replace("`", "")
        yield f"    {key} --> {key}a{n}({quote_label(f'{rule.provider}: {text}')})"


def _automatic(event_key: str, event: EventView) -> Iterator[str]:
    if not event.automatic:
        return
    removed = [each for each in event.automatic if isinstance(each.action, RemoveTag)]
    shown = [each for each in event.automatic if each not in removed]
    texts = [
        describe_action(each.action).replace("`", "") + " (first charge)" * each.first_charge
        for each in shown + (removed if len(removed) <= MAX_REMOVED else [])
    ]
    if len(removed) > MAX_REMOVED:
        texts.append(f"remove {len(removed)} automatic tags")
    labels = "<br>".join(quote_label(text)[1:-1] for text in texts)
    yield f'    {event_key} -.-> {event_key}auto["{labels}"]:::automatic'


def _links(shown: ProductView, rules: Mapping[str, RuleView]) -> Iterator[str]:
    """Yield a line between each two rules of a product that contradict each other."""
    for each in shown.rules:
        for finding in each.findings:
            if finding.code is not AnalysisCode.CONFLICT or finding.segmentation_id != each.rule.id:
                continue
            others = (rules[id] for id in finding.others if id in rules)
            yield from (f"    {each.key} <-. conflict .-> {other.key}" for other in others)
