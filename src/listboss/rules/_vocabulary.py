"""One normal form for each word of Hotmart's that has several spellings.

Versions, events and tools spell statuses, actors and payment types in different ways. The
facts of webhooks and the values of rules are both read through `normal_form`, so a rule
holds whichever spelling it was written in. The normal forms are those of the catalogue; an
unknown word is its own normal form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

__all__ = ["ACTORS", "NORMAL_FORMS", "normal_form"]

NORMAL_FORMS: Mapping[str, str] = {
    spelling: normal
    for normal, spellings in {
        # statuses of purchases and subscriptions
        "BILLET_PRINTED": "PRINTED_BILLET BOLETO_PRINTED",
        "CANCELED": "CANCELLED CANCELLATION REFUSED DECLINED REJECTED",
        "CHARGEBACK": "CHARGE_BACK CHARGED_BACK",
        "COMPLETED": "COMPLETE",
        "DELAYED": "OVERDUE PAST_DUE",
        "DISPUTE": "DISPUTED PROTEST PROTESTED REFUND_REQUESTED",
        "OUT_OF_SHOPPING_CART": "ABANDONED_CART CART_ABANDONED CART_ABANDONMENT ABANDONED_CHECKOUT",
        "PARTIALLY_REFUNDED": "PARTIAL_REFUND PARTIALLY_REFUND REFUNDED_PARTIALLY",
        "REFUNDED": "REFUND",
        "UNDER_ANALYSIS": "UNDER_ANALISYS",
        "WAITING_PAYMENT": "WAYTING_PAYMENT AWAITING_PAYMENT PENDING PENDING_PAYMENT",
        # payment types and modes
        "BILLET": "BOLETO",
        "MULTIPLOS_PAGAMENTOS": "MULTIPLE_PAYMENTS",
        "PAGAMENTO_UNICO": "UNIQUE_PAYMENT",
        "PAGAMENTO_VISTA": "PAY_IN_FULL PAGAMENTO_A_VISTA",
        # roles
        "SELLER": "VENDOR PRODUCER",
        "COPRODUCER": "CO_PRODUCER",
    }.items()
    for spelling in spellings.split()
}
"""The normal form of each other spelling."""
ACTORS: Mapping[str, str] = {
    spelling: actor
    for actor, spellings in {
        "ADMIN": "ADMINISTRATOR HOTMART",
        "CUSTOMER": "CLIENT BUYER SUBSCRIBER USER",
        "SELLER": "VENDOR PRODUCER CREATOR",
    }.items()
    for spelling in spellings.split()
}
"""The actors of a cancellation, as they follow `CANCELLED_BY_`."""
MAX_LENGTH = 64
_SEPARATORS = re.compile(r"[\s._-]+")
_WORD = re.compile(r"[A-Z0-9_]+")
_CANCELED_BY = re.compile(r"CANCELL?ED_BY_(?:THE_)*([A-Z0-9_]+)")


def normal_form(text: str) -> str | None:
    """Return the normal form of a word, or None if `text` is not one word or short phrase.

    >>> normal_form("Canceled by client"), normal_form("past-due"), normal_form("brand new")
    ('CANCELLED_BY_CUSTOMER', 'DELAYED', 'BRAND_NEW')
    >>> normal_form("No, a sentence.")
    """
    if len(text) > MAX_LENGTH:
        text = text.strip()
    return _normal_form(text) if len(text) <= MAX_LENGTH else None


@lru_cache(maxsize=1_024)
def _normal_form(text: str) -> str | None:
    text = text.strip()
    if not text.isascii():
        return None
    word = _SEPARATORS.sub("_", text.upper())
    if not _WORD.fullmatch(word):
        return None
    form = NORMAL_FORMS.get(word, word)
    if word.startswith("CANCEL") and (canceled := _CANCELED_BY.fullmatch(word)):
        actor = canceled[1]
        form = f"CANCELLED_BY_{ACTORS.get(actor, actor)}"
    return form if len(form) <= MAX_LENGTH else None
