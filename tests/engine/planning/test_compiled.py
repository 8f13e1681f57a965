"""The tag or place over which a compiled action can conflict."""

import pytest

from listboss import (
    Action,
    AddLead,
    AddTag,
    Capabilities,
    MoveLead,
    ProviderAction,
    RemoveLead,
    RemoveTag,
    Segmentation,
)
from listboss.engine.planning.compiled import compile_actions

TARGETS: dict[str, tuple[Action, tuple[str, ...]]] = {
    "add tag": (AddTag(" VIP"), ("mail", "tag", "vip")),
    "remove tag": (RemoveTag("vip"), ("mail", "tag", "vip")),
    "add lead": (AddLead("News"), ("mail", "place", "list", "news")),
    "remove lead": (RemoveLead("news"), ("mail", "place", "list", "news")),
    "move lead": (MoveLead("News", source="Old"), ("mail", "place", "list", "news")),
    "contact base": (AddLead(), ("mail", "place")),
    "own action": (ProviderAction("acme.enrol"), ()),
}


@pytest.mark.parametrize("name", TARGETS)
def test_target(name):
    """It is the provider's tag or place, folded; a provider's own action has none."""
    action, target = TARGETS[name]
    rule = Segmentation(
        "rule", product_id="p", provider="mail", event="purchase.approved", actions=action
    )
    assert [target] == [each.target for each in compile_actions(rule, Capabilities.everything())]
