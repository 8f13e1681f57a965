"""Moves without a source, which take a contact out of every place, whatever product it is of.

Places belong to an account, not to a product. So such a move also empties the lists of other
products, and the author of a rule thinks of one product at a time. The review reports it as a
warning only, since a shop may want exactly that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from listboss.rules.action import MoveLead
from listboss.rules.finding import FindingCode

if TYPE_CHECKING:
    from listboss.rules.review import ReviewContext
    from listboss.rules.segmentation import Segmentation

__all__ = ["sourceless_moves"]


def sourceless_moves(
    rule: Segmentation, context: ReviewContext
) -> Iterator[tuple[FindingCode, str, str, str]]:
    """Yield a fault for each move without a source, if the rule set has another product.

    An account where a contact is at one place at a time has none: every addition does the same.
    """
    account = context.capabilities
    if len(context.product_ids) < 2 or account is None:
        return
    if account.one_place or account.move_lead == "none":
        return
    for n, action in enumerate(rule.actions):
        if isinstance(action, MoveLead) and action.source is None:
            message = "the move has no source, so the contact leaves the places of other products"
            hint = "name the `source`, or add the contact instead of moving it"
            yield FindingCode.MOVE_WITHOUT_SOURCE, message, f"$.actions[{n}]", hint
