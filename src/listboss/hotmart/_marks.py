"""Is this the test button? The marks of its bodies, and how many of them it takes.

The rule: marks that stand in no real sale (a fixed code, the test buyer's address) count
two points each, those that a real one could show (product id 0, a name, an old date) count
one; two points make a test. So a real sale with one odd value is no test, and a test body
with one value changed still is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from listboss.hotmart._webhook import Webhook

__all__ = ["MARKS", "is_test"]

CERTAIN, LIKELY = 2, 1
ENOUGH = 2


def _among(*values: str) -> Callable[[str], bool]:
    return frozenset(values).__contains__


# points, field, whether its case-folded value bears the mark
MARKS: tuple[tuple[int, str, Callable[[str], bool]], ...] = (
    (CERTAIN, "product_ucode", _among("fb056612-bcc6-4217-9e6d-2a5d1110ac2f")),
    (CERTAIN, "transaction", _among("hp16015479281022")),
    (CERTAIN, "parent_transaction", _among("hp02316330308193")),
    (CERTAIN, "email", _among("testecomprador271101postman15@example.com")),
    (LIKELY, "email", _among("teste@hotmart.com.br", "test@hotmart.com")),
    (LIKELY, "product_id", lambda product_id: not product_id.strip("0")),
    # The cart's and the cancellation's; both may well be somebody's real product.
    (LIKELY, "product_id", _among("123456", "788921")),
    (LIKELY, "product_name", lambda name: "test postback2" in name),
    (LIKELY, "product_name", _among("product name com ç e á")),
    (LIKELY, "subscriber_code", _among("i9ot62c3", "0000aaaa", "9w2lnsg4", "00000000")),
    (LIKELY, "ordered_at", _among("2017-11-27 11:49:04+00:00")),
    (LIKELY, "approved_at", _among("2017-11-27 11:49:06+00:00")),
)


def is_test(webhook: Webhook) -> bool:
    """Whether a body came from the test button, by its marks."""
    shown = _shown(webhook)
    points = (points for points, field, bears in MARKS if field in shown and bears(shown[field]))
    return sum(points) >= ENOUGH


def _shown(webhook: Webhook) -> Mapping[str, str]:
    shown = {**webhook.facts, **webhook.ids}
    if webhook.contact is not None:
        shown["email"] = webhook.contact.email
    return {name: str(value).casefold() for name, value in shown.items()}
