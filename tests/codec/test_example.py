"""examples/rules.toml: valid, with one rule that is flagged on purpose."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from listboss import Engine
from listboss.codec import dump_rules, load_event, load_rules, rules_schema

RULES = Path(__file__).parents[2] / "examples" / "rules.toml"


def test_one_rule_is_flagged_and_one_is_off() -> None:
    """All other rules can be used, and there are no other findings."""
    rules = load_rules(RULES.read_bytes(), format="toml")
    names = {rule.id: rule.name for rule in rules.segmentations}

    assert ["Refund of the mini course"] == [names[f.segmentation_id or ""] for f in rules.findings]
    assert ["Good ratings"] == [rule.name for rule in rules.segmentations if not rule.enabled]


def test_it_is_the_same_in_json() -> None:
    """Written as JSON, it is valid by the schema and gives the same rule set."""
    rules = load_rules(RULES.read_bytes(), format="toml")
    text = dump_rules(rules)

    assert rules == load_rules(text)
    assert Draft202012Validator(rules_schema()).is_valid(json.loads(text))


def test_an_english_speaking_buyer_is_added_to_the_list() -> None:
    """An approved purchase with the language English adds the contact to the list."""
    engine = Engine(load_rules(RULES.read_bytes(), format="toml"))
    event = load_event(
        {
            "name": "purchase.approved",
            "id": "e-1",
            "product_id": "1001",
            "contact": {"email": "ana@example.com"},
            "occurred_at": "2026-05-04T12:00:00Z",
            "facts": {"language": "en-US", "country": "BR"},
        }
    )
    names = {rule.id: rule.name for rule in engine.rules.segmentations}
    because = [names.get(why, why) for a in engine.plan(event).actions for why in a.because]

    assert {"English-speaking buyers", "Buyers"} < set(because)
    assert "Buyers abroad" not in because
