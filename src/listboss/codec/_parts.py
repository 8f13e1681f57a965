"""Read and write one segmentation, condition or action as canonical JSON.

For a host that keeps each rule in a row of its database, instead of all of them in one file.
The documents have the form that rule files give these values, with the `version` of the
format. `load(dump(x)) == x`, and equal values give equal text.
"""

from __future__ import annotations

from typing import Any, cast

from listboss.codec._document import LIMITS, Limits, Source
from listboss.codec._reading import read_document
from listboss.codec._writing import canonical_json, write
from listboss.rules.action import Action
from listboss.rules.condition import Condition
from listboss.rules.segmentation import Segmentation

__all__ = [
    "dump_action",
    "dump_condition",
    "dump_segmentation",
    "load_action",
    "load_condition",
    "load_segmentation",
]

# Unions are not classes, but the reader knows these two.
_CONDITION: type[Condition] = cast("Any", Condition)
_ACTION: type[Action] = cast("Any", Action)


def load_segmentation(source: Source, *, limits: Limits = LIMITS) -> Segmentation:
    """Read one segmentation from a string, bytes, or a mapping from a parser.

    The document has the keys of a segmentation in a rule file. Whether the rule can run is
    not checked: put it into a `RuleSet` and look at its findings. Raises `CodecError`: one
    fault alone, several as a `CodecErrors` group.

    >>> rule = load_segmentation(
    ...     '''{"name": "Buyers", "product_id": "1001", "provider": "mail",
    ...     "event": "purchase.approved", "actions": [{"add_tag": "buyer"}]}'''
    ... )
    >>> rule.actions
    (AddTag(tag='buyer'),)
    """
    return read_document(source, Segmentation, limits, private=False)


def dump_segmentation(segmentation: Segmentation) -> str:
    """Write a segmentation as canonical JSON, without its empty fields.

    >>> from listboss import AddTag
    >>> rule = Segmentation(
    ...     "Buyers",
    ...     product_id="1001",
    ...     provider="mail",
    ...     event="purchase.approved",
    ...     actions=AddTag("buyer"),
    ... )
    >>> load_segmentation(dump_segmentation(rule)) == rule
    True
    """
    return canonical_json(write(segmentation))


def load_condition(source: Source, *, limits: Limits = LIMITS) -> Condition:
    """Read one condition; takes and raises the same as `load_segmentation`.

    >>> load_condition('{"fact": "language", "eq": "en"}')
    Comparison(fact='language', operator=<Operator.EQ: 'eq'>, value='en')
    """
    return read_document(source, _CONDITION, limits, private=False)


def dump_condition(condition: Condition) -> str:
    """Write a condition as canonical JSON.

    >>> from listboss import where
    >>> dump_condition((where.price >= 100) & ~(where.country == "BR"))
    '{"all":[{"fact":"price","ge":100},{"fact":"country","ne":"BR"}],"version":1}'
    """
    return canonical_json(write(condition))


def load_action(source: Source, *, limits: Limits = LIMITS) -> Action:
    """Read one action; takes and raises the same as `load_segmentation`.

    >>> load_action('{"add_lead": "English-Speaking Buyers"}')
    AddLead(place=Place(list='English-Speaking Buyers'))
    """
    return read_document(source, _ACTION, limits, private=False)


def dump_action(action: Action) -> str:
    """Write an action as canonical JSON.

    >>> from listboss import MoveLead
    >>> dump_action(MoveLead("Customers", source="Prospects"))
    '{"move_lead":{"source":"Prospects","to":"Customers"},"version":1}'
    """
    return canonical_json(write(action))
