"""Recognise webhooks of Hotmart's test button by the marks in them.

A mark that no real sale has (a fixed code, the test buyer's address) counts two points. A
mark that a real sale may have (product id 0, a name, an old date) counts one. Two points
make a test: one odd value does not turn a real sale into a test, and a test body with one
changed value is still a test.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from listboss.hotmart._webhook import Webhook

__all__ = ["MARKS", "is_test"]

CERTAIN, LIKELY = 2, 1
THRESHOLD = 2


def _one_of(*values: str) -> Callable[[str], bool]:
    return frozenset(values).__contains__


# points, field, test of its value: case-folded, or a date and time
MARKS: tuple[tuple[int, str, Callable[[Any], bool]], ...] = (
    (CERTAIN, "product_ucode", _one_of("fb056612-bcc6-4217-9e6d-2a5d1110ac2f")),
    (CERTAIN, "transaction", _one_of("hp16015479281022")),
    (CERTAIN, "parent_transaction", _one_of("hp02316330308193")),
    (CERTAIN, "email", _one_of("testecomprador271101postman15@example.com")),
    (CERTAIN, "producer_name", lambda name: name.replace(" ", "") == "producertestname"),
    (CERTAIN, "sku", lambda sku: sku.startswith("htm_sandbox")),
    (LIKELY, "offer", _one_of("test")),
    (LIKELY, "email", _one_of("teste@hotmart.com.br", "test@hotmart.com")),
    (LIKELY, "product_id", lambda product_id: not product_id.strip("0")),
    # The ids of the cart and the cancellation; a real product may have either of them.
    (LIKELY, "product_id", _one_of("123456", "788921")),
    (LIKELY, "product_name", lambda name: "test postback" in name),
    (LIKELY, "product_name", _one_of("product name com ç e á")),
    (LIKELY, "subscriber_code", _one_of("i9ot62c3", "0000aaaa", "9w2lnsg4", "00000000")),
    (LIKELY, "ordered_at", datetime(2017, 11, 27, 11, 49, 4, tzinfo=UTC).__eq__),
    (LIKELY, "approved_at", datetime(2017, 11, 27, 11, 49, 6, tzinfo=UTC).__eq__),
)


def is_test(webhook: Webhook) -> bool:
    """Whether a webhook came from the test button."""
    fields = {**webhook.facts, **webhook.ids, **webhook.marked}
    if webhook.contact is not None:
        fields["email"] = webhook.contact.email
    points = 0
    for more, name, holds in MARKS:
        value = fields.get(name)
        if value is not None and holds(value.casefold() if isinstance(value, str) else value):
            points += more
    return points >= THRESHOLD
