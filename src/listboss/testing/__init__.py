"""Tools for your own tests: Hypothesis strategies, small random worlds, and a reference engine.

Importing this package registers a strategy for each class with Hypothesis, so that
`st.from_type(Event)` works; it needs the extra `listboss[testing]`. `reference.plan` is a
slow, readable engine to compare plans with, and `check_journal` tests a journal of your own.
Nothing here is needed to run listboss.
"""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from listboss.rules import (
    Capabilities,
    Catalogue,
    Contact,
    Event,
    Place,
    Product,
    RuleSet,
    Segmentation,
    SubscriptionPlan,
    Verb,
)
from listboss.testing import reference
from listboss.testing._accounts import actions, actions_of, capabilities, places, verbs
from listboss.testing._journals import check_journal
from listboss.testing._plain import contacts, fact_values, facts
from listboss.testing._webhooks import payloads
from listboss.testing._worlds import (
    Dice,
    random_condition,
    random_event,
    random_facts,
    random_rules,
)
from listboss.testing.strategies import (
    catalogues,
    conditions,
    conditions_of,
    events,
    pairs,
    products,
    rule_sets,
    segmentations,
    subscription_plans,
)

__all__ = [
    "Dice",
    "actions",
    "capabilities",
    "catalogues",
    "check_journal",
    "conditions",
    "contacts",
    "events",
    "fact_values",
    "facts",
    "pairs",
    "payloads",
    "places",
    "products",
    "random_condition",
    "random_event",
    "random_facts",
    "random_rules",
    "reference",
    "rule_sets",
    "segmentations",
    "subscription_plans",
    "verbs",
]


_STRATEGIES: dict[type, SearchStrategy[Any]] = {
    Capabilities: capabilities(),
    Catalogue: catalogues(),
    Contact: contacts(),
    Event: events(),
    Place: places(),
    Product: products(),
    RuleSet: rule_sets(),
    Segmentation: segmentations(),
    SubscriptionPlan: subscription_plans(),
    Verb: verbs(),
    **actions_of(),
    **conditions_of(),
}
for _kind, _strategy in _STRATEGIES.items():
    st.register_type_strategy(_kind, _strategy)
