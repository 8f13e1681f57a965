import copy
import json
import traceback
from typing import Any

import pytest

from listboss.errors import WebhookError
from listboss.hotmart import parse, verify
from listboss.hotmart._v1 import read_v1
from listboss.hotmart._v2 import read_v2
from listboss.rules._facts import LONG_TEXTS

TOKEN, DOCUMENT, STREET, IP = "canary-token", "canary-document", "canary-street", "canary-ip"
NEVER_KEPT = (TOKEN, DOCUMENT, STREET, IP)
EMAIL, NAME, PHONE = "canary-email@example.com", "canary-name", "canary-phone"
NEVER_SHOWN = (*NEVER_KEPT, EMAIL, NAME, PHONE)

V2: dict[str, Any] = {
    "id": "w-1",
    "creation_date": 1746000000000,
    "hottok": TOKEN,
    "event": "PURCHASE_APPROVED",
    "data": {
        "product": {"id": 1001},
        "buyer": {
            "email": EMAIL,
            "name": NAME,
            "first_name": NAME,
            "last_name": NAME,
            "checkout_phone": PHONE,
            "document": DOCUMENT,
            "address": {"country_iso": "BR", "address": STREET, "zipcode": STREET},
        },
        "producer": {"name": NAME, "document": DOCUMENT},
        "affiliates": [{"affiliate_code": "", "name": NAME}],
        "purchase": {"buyer_ip": IP, "transaction": "HP1"},
        "buyer_ip": IP,
        "subscription": {"status": "ACTIVE"},
    },
}
V1 = {
    "hottok": TOKEN,
    "status": "approved",
    "prod": "1001",
    "purchase_date": "2025-04-30",
    "email": EMAIL,
    "name": NAME,
    "phone_number": PHONE,
    "doc": DOCUMENT,
    "address": STREET,
    "address_city": STREET,
    "subscription_status": "active",
}
BODIES = [
    V2,
    V1,
    {**V2, "event": "ORDER_FULFILLMENT"},
    {**V2, "event": EMAIL},
    {**V2, "data": {**V2["data"], "product": None}},  # JSON is nested
    {**V1, "status": EMAIL},
    {key: value for key, value in V2.items() if key != "id"},
]


def _found(text: str, canaries: tuple[str, ...]) -> list[str]:
    return [canary for canary in canaries if canary in text]


def _all_of(error: BaseException) -> str:
    """Return everything in an error and its chain, shown or not."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None:
        chain.append(current)
        current = current.__cause__ or current.__context__
    shown = "".join(traceback.format_exception(error))
    return shown + "".join(f"{one!r} {one.args} {vars(one)}" for one in chain)


@pytest.mark.parametrize("body", BODIES)
def test_never_kept(body: Any):
    """No result contains the token, the document, the address or the IP address."""
    parsed = parse(body)
    kept = "".join(
        f"{event.id} {event.transaction} {event.plan_name} {dict(event.facts)} "
        f"{event.contact and (event.contact.email, event.contact.name, event.contact.phone)}"
        for event in parsed.events
    )
    assert (EMAIL in kept) is bool(parsed.events)
    assert _found(kept, NEVER_KEPT) == []


@pytest.mark.parametrize("body", BODIES)
def test_never_shown(body: Any):
    """No `repr` of a result or of what it is made from shows personal data."""
    parsed = parse(body)
    shown = f"{parsed!r} {parsed} {parsed.events} {parsed.ignored}"
    assert _found(shown, NEVER_SHOWN) == []
    for read in (read_v1, read_v2):
        assert _found(repr(read(body, "x")), NEVER_SHOWN) == []


@pytest.mark.parametrize(
    "broken",
    [
        json.dumps(V2)[:-1],
        json.dumps(V2)[:-1].encode(),
        json.dumps([V2] * 101),
        json.dumps([EMAIL, [TOKEN]]),
        f"{EMAIL} {TOKEN} {DOCUMENT} {STREET} {IP} {NAME} {PHONE}",
        '{"a": ' * 1000 + json.dumps(V2) + "}" * 1000,
        json.dumps(V2) + " " * 2_000_000,
        "&".join([f"email={EMAIL}&hottok={TOKEN}"] * 1000),
    ],
    ids=range(8),
)
def test_errors_carry_nothing(broken):
    """No error contains anything of the body, not even in its chain."""
    with pytest.raises(WebhookError) as caught:
        parse(broken)
    assert _found(_all_of(caught.value), NEVER_SHOWN) == []


def test_verify_says_nothing(capfd, caplog):
    """`verify` writes to no stream and no log."""
    assert verify({"x-hotmart-hottok": TOKEN}, b"", "another") is False
    assert verify({}, V2, TOKEN) is True
    assert ("", "") == tuple(capfd.readouterr())
    assert caplog.records == []


def test_nothing_is_kept():
    """Nothing of a body stays in memory, however long its strings are."""
    body = copy.deepcopy(V2)
    long = "canary".rjust(3_000)
    body["data"]["buyer"]["address"]["country_iso"] = long
    body["data"]["purchase"] |= {"price": {"value": 1, "currency_value": long}, "status": long}
    LONG_TEXTS.clear()
    parse(json.dumps(body))
    assert not LONG_TEXTS
