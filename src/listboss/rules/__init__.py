"""What a host writes: events, contacts, catalogues, conditions, actions, rules, rule sets.

They are frozen values, without I/O, clock or randomness. This module gathers the public
names of the modules in the package; `listboss` exports the ones that most programs need.
"""

from listboss.rules._mapping import FrozenMap
from listboss.rules.action import (
    Action,
    AddLead,
    AddTag,
    MoveLead,
    Place,
    ProviderAction,
    RemoveLead,
    RemoveTag,
)
from listboss.rules.automatic import AUTOMATIC, AutomaticSegmentation
from listboss.rules.builtin import HOTMART
from listboss.rules.capabilities import Capabilities, Verb
from listboss.rules.catalogue import (
    Catalogue,
    EventType,
    FactKind,
    FactType,
    ProductKind,
    Source,
    Subject,
)
from listboss.rules.condition import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Not,
    Operator,
    where,
)
from listboss.rules.dashboard import DashboardEntry, RuleSetDiff
from listboss.rules.event import Contact, Event, EventName, FactValue
from listboss.rules.finding import AnalysisCode, Finding, FindingCode, FindingsDiff, Severity
from listboss.rules.review import ReviewContext
from listboss.rules.ruleset import RuleSet
from listboss.rules.segmentation import Product, Segmentation, SubscriptionPlan

__all__ = [
    "AUTOMATIC",
    "HOTMART",
    "Action",
    "AddLead",
    "AddTag",
    "AllOf",
    "AnalysisCode",
    "AnyOf",
    "AutomaticSegmentation",
    "Capabilities",
    "Catalogue",
    "Comparison",
    "Condition",
    "Contact",
    "DashboardEntry",
    "Event",
    "EventName",
    "EventType",
    "FactKind",
    "FactType",
    "FactValue",
    "Finding",
    "FindingCode",
    "FindingsDiff",
    "FrozenMap",
    "MoveLead",
    "Not",
    "Operator",
    "Place",
    "Product",
    "ProductKind",
    "ProviderAction",
    "RemoveLead",
    "RemoveTag",
    "ReviewContext",
    "RuleSet",
    "RuleSetDiff",
    "Segmentation",
    "Severity",
    "Source",
    "Subject",
    "SubscriptionPlan",
    "Verb",
    "where",
]
