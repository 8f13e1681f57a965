"""The facts of one webhook: what the table of paths finds, corrected and completed.

An order bump is one only if it names another sale as its parent, because the sender flags
every sale of a checkout. Campaign parameters are also found inside the tracking codes,
which keep their text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

from listboss.hotmart._lookup import FieldReader
from listboss.hotmart._reading import Version
from listboss.hotmart._values import text
from listboss.hotmart.fields import FACTS, IDS, MARKED
from listboss.rules.event import FactValue

__all__ = ["CAMPAIGN_KEYS", "Fields", "campaign_facts", "read_fields"]

CAMPAIGN_KEYS: Mapping[str, str] = {
    key: fact
    for fact, keys in {
        "utm_source": "utmsource source s",
        "utm_medium": "utmmedium medium m",
        "utm_campaign": "utmcampaign campaign c",
        "utm_content": "utmcontent content co ct",
        "utm_term": "utmterm term t",
    }.items()
    for key in keys.split()
}
"""The fact of each key in a tracking code, without underscores."""
TRACKING_CODES = ("sck", "src", "xcod")
"""The facts that may contain campaign parameters, in the order tried."""


class Fields(NamedTuple):
    """The fields of one webhook: its facts, its ids and what only recognises a test."""

    facts: dict[str, FactValue]
    ids: dict[str, str]
    marked: dict[str, str]


_SEPARATOR = re.compile(r"[|&;]")
_V1, _V2 = (FieldReader({**FACTS, **IDS, **MARKED}, version) for version in Version)


def read_fields(root: Mapping[str, object], version: Version) -> Fields:
    """Return the fields of a webhook, which are below `root`."""
    facts = (_V2 if version is Version.V2 else _V1).read(root)
    ids = {name: str(facts[name]) for name in IDS if name in facts}
    facts.pop("product_id", None)  # the other ids are facts of the event, too
    facts.pop("product_ucode", None)
    marked = {name: str(facts.pop(name)) for name in MARKED if name in facts}
    parent = facts.get("parent_transaction")
    if parent is not None and parent == facts.get("transaction"):
        del facts["parent_transaction"]
    if facts.get("is_order_bump"):
        facts["is_order_bump"] = "parent_transaction" in facts
    for name, value in campaign_facts(facts).items():
        facts.setdefault(name, value)
    if list(facts) != (names := sorted(facts)):
        facts = {name: facts[name] for name in names}
    return Fields(facts, ids, marked)


def campaign_facts(facts: Mapping[str, FactValue]) -> dict[str, FactValue]:
    """Return the campaign parameters in the tracking codes; the first of equal keys counts.

    >>> campaign_facts({"sck": "s=news|c=spring", "src": "utm_medium=e-mail&utm_source=x"})
    {'utm_source': 'news', 'utm_campaign': 'spring', 'utm_medium': 'e-mail'}
    """
    found: dict[str, FactValue] = {}
    for code in TRACKING_CODES:
        written = facts.get(code)
        if isinstance(written, str) and "=" in written:
            for fact, value in _parameters(written):
                found.setdefault(fact, value)
    return found


def _parameters(code: str) -> Iterator[tuple[str, str]]:
    decode = unquote_plus if "&" in code else unquote
    for pair in _SEPARATOR.split(code.rpartition("?")[2]):
        key, equals, value = pair.partition("=")
        fact = CAMPAIGN_KEYS.get(key.strip().lower().replace("_", ""))
        if equals and fact is not None and (decoded := text(decode(value))):
            yield fact, decoded
