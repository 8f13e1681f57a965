"""listboss: a rules engine that turns what happens to a product into actions on a contact.

The door; nothing is defined here. One event goes one way:

- `listboss.hotmart`: webhook bytes to `Event`;
- nouns: `Event`, `Segmentation` (event, condition, actions), `RuleSet`, `Capabilities`;
- `Engine.plan(event)`: to a `Plan`, a pure function; `Engine.explain` says why;
- `listboss.delivery` carries a plan out at a `Provider`; `listboss.send` is an embedded one;
- `listboss.codec`: JSON and TOML; `listboss.testing`: strategies and the reference engine;
- `listboss.errors`: every exception, all under `ListBossError`.
"""

from listboss.engine import Conflict, Engine, Explanation, Idle, Plan, PlannedAction
from listboss.errors import ListBossError
from listboss.provider import AsyncProvider, Provider
from listboss.rules import (
    AUTOMATIC,
    HOTMART,
    Action,
    AddLead,
    AddTag,
    AllOf,
    AnyOf,
    AutomaticSegmentation,
    Capabilities,
    Catalogue,
    Comparison,
    Condition,
    Contact,
    Event,
    EventName,
    EventType,
    FactType,
    Finding,
    MoveLead,
    Not,
    Place,
    Product,
    ProductKind,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    RuleSet,
    Segmentation,
    Severity,
    SubscriptionPlan,
    where,
)

__all__ = [
    "AUTOMATIC",
    "HOTMART",
    "Action",
    "AddLead",
    "AddTag",
    "AllOf",
    "AnyOf",
    "AsyncProvider",
    "AutomaticSegmentation",
    "Capabilities",
    "Catalogue",
    "Comparison",
    "Condition",
    "Conflict",
    "Contact",
    "Engine",
    "Event",
    "EventName",
    "EventType",
    "Explanation",
    "FactType",
    "Finding",
    "Idle",
    "ListBossError",
    "MoveLead",
    "Not",
    "Place",
    "Plan",
    "PlannedAction",
    "Product",
    "ProductKind",
    "Provider",
    "ProviderAction",
    "RemoveLead",
    "RemoveTag",
    "RuleSet",
    "Segmentation",
    "Severity",
    "SubscriptionPlan",
    "where",
]
