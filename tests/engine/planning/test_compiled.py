"""What a prepared action could be contradicted over."""

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
from listboss.engine.planning.compiled import steps_of

SUBJECTS: dict[str, tuple[Action, tuple[str, ...]]] = {
    "add tag": (AddTag(" VIP"), ("mail", "tag", "vip")),
    "remove tag": (RemoveTag("vip"), ("mail", "tag", "vip")),
    "add lead": (AddLead("News"), ("mail", "place", "list", "news")),
    "remove lead": (RemoveLead("news"), ("mail", "place", "list", "news")),
    "move lead": (MoveLead("News", source="Old"), ("mail", "place", "list", "news")),
    "contact base": (AddLead(), ("mail", "place")),
    "own action": (ProviderAction("acme.enrol"), ()),
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_subject(name):
    """The provider's tag or place, folded; a provider's own action has none."""
    action, subject = SUBJECTS[name]
    rule = Segmentation(
        "rule", product_id="p", provider="mail", event="purchase.approved", actions=action
    )
    assert [subject] == [step.subject for step in steps_of(rule, Capabilities.everything())]
