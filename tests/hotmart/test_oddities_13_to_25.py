"""Known oddities of webhook bodies, 13 to 25, with a class for each."""

import json
from typing import Any

import pytest

from listboss.errors import WebhookError
from listboss.hotmart import parse
from listboss.rules.event import Event, FactValue

TWO = ["purchase.approved", "subscription.active"]


def _first(body: Any) -> Event:
    parsed = parse(body)
    assert parsed.ignored is None
    return parsed.events[0]


def _fact(body: Any, name: str) -> FactValue | None:
    return _first(body).facts.get(name)


def _names(body: Any) -> list[str]:
    return [str(event.name) for event in parse(body).events]


class TestOddity13:
    """The event and the status contradict each other."""

    @pytest.mark.parametrize(
        ("event", "status", "name"),
        [
            ("PURCHASE_BILLET_PRINTED", "APPROVED", "purchase.waiting_payment"),
            ("PURCHASE_REFUNDED", "APPROVED", "purchase.refunded"),
        ],
    )
    def test_event_wins(self, sale, event, status, name):
        """The event decides, and the status is only a fact."""
        sale["event"], sale["data"]["purchase"]["status"] = event, status
        assert _names(sale) == [name]
        assert status == _fact(sale, "purchase_status")


@pytest.mark.parametrize(
    ("address", "checkout", "read"),
    [
        ({"country": "Brasil"}, {}, None),
        ({"country": "Brazil"}, {"name": "Brasil"}, None),
        ({"country_iso": "br"}, {}, "BR"),
        ({"country_iso": ""}, {"iso": "PT"}, "PT"),
        ({"country_iso": "Brasil"}, {"iso": "PT"}, "PT"),
        ({"country_iso": "BR"}, {"iso": "PT"}, "BR"),
        ({}, {}, None),
    ],
    ids=repr,
)
class TestOddity14:
    """Countries as names, in lower case or blank."""

    def test_country(self, sale, address, checkout, read):
        """The buyer's code takes precedence over the checkout's, and names are not guessed."""
        sale["data"]["buyer"]["address"] = address
        sale["data"]["purchase"]["checkout_country"] = checkout
        assert read == _fact(sale, "country")


class TestOddity15:
    """E-mail addresses in every format, and two in one body."""

    @pytest.mark.parametrize(
        "given", ["ANA@EXAMPLE.COM", " ana@example.com ", "ana@example.com.", "Ana@Example.com"]
    )
    def test_one_contact(self, sale, given):
        """Case, outer spaces and a final dot do not make another contact."""
        sale["data"]["buyer"]["email"] = given
        contact = _first(sale).contact
        assert contact is not None
        assert contact.key == "ana@example.com"

    @pytest.mark.parametrize("given", ["", None, "ana", "ana at example", 7, {}], ids=repr)
    def test_none(self, sale, given):
        """Without a plausible address, the event has no contact."""
        sale["data"]["buyer"]["email"] = given
        assert _first(sale).contact is None

    def test_buyer_and_subscriber(self, sale):
        """Of two addresses, the buyer's is used."""
        sale["data"]["subscription"]["subscriber"]["email"] = "bruno@example.com"
        contact = _first(sale).contact
        assert contact is not None
        assert contact.email == "ana@example.com"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"name": "Ana"}, "Ana"),
        ({"first_name": "Ana", "last_name": "Souza"}, "Ana Souza"),
        ({"first_name": "Ana", "last_name": ""}, "Ana"),
        ({"name": "🙂"}, "🙂"),
        ({"name": "\u202eسارة"}, "\u202eسارة"),
        ({"name": "A" * 300}, "A" * 300),
        ({"name": "\ud800"}, "?"),
        ({}, None),
    ],
    ids=ascii,
)
class TestOddity16:
    """Names in every format."""

    def test_name(self, sale, given, name):
        """The name is the one in the body, or its parts."""
        sale["data"]["buyer"] = {"email": "ana@example.com", **given}
        contact = _first(sale).contact
        assert contact is not None
        assert name == contact.name


@pytest.mark.parametrize(
    ("phone", "code", "read"),
    [
        ("555511999990000", "55", "555511999990000"),
        ("+5511999990000", "55", "+5511999990000"),
        (" 11 99999 0000 ", "55", "5511 99999 0000"),
        ("", "55", None),
        ("11999990000", "999999999", "11999990000"),
        ("11999990000", "", "11999990000"),
    ],
)
class TestOddity17:
    """Phone numbers in every format."""

    def test_phone(self, sale, phone, code, read):
        """A number keeps its format."""
        sale["data"]["buyer"] |= {"checkout_phone": phone, "checkout_phone_code": code}
        contact = _first(sale).contact
        assert contact is not None
        assert read == contact.phone


class TestOddity18:
    """A ticket count of 13 digits; installments as 0, null or a string."""

    def test_tickets(self, sale):
        """The number of tickets changes nothing."""
        expected = parse(sale)
        sale["data"]["purchase"]["event_tickets"] = {"amount": 1746000000123}
        assert expected == parse(sale)

    @pytest.mark.parametrize(
        ("given", "read"), [(0, None), (None, None), ("12", 12), (1746000000123, None)], ids=repr
    )
    def test_installments(self, sale, given, read):
        """A number of installments below 1 or above the limit is absent."""
        sale["data"]["purchase"]["payment"]["installments_number"] = given
        assert read == _fact(sale, "installments")


@pytest.mark.parametrize(
    "plans", [[], [{"id": 1}, {"id": 2}], [{"id": 1, "current": True}] * 2], ids=repr
)
class TestOddity19:
    """`plans` that is empty, or has no current plan, or two."""

    def test_plan_unknown(self, shape, plans):
        """The event has no plan."""
        body = shape("13-switch-plan.json")
        body["data"]["plans"] = plans
        assert _first(body).plan_id is None


class TestOddity20:
    """Tracking parameters with special characters, long or null."""

    @pytest.mark.parametrize("sck", ["A|B[c]\"d'", "x y" * 170])
    def test_sck(self, sale, sck):
        """A parameter is kept unchanged."""
        sale["data"]["purchase"]["origin"] = {"sck": sck, "src": None}
        assert sck == _fact(sale, "sck")
        assert _fact(sale, "src") is None


class TestOddity21:
    """Fields with misspelt or camel-case names."""

    def test_sck(self, sale):
        """The payment link's parameter is used if the usual one is absent."""
        sale["data"]["purchase"]["sckPaymentLink"] = "link"
        assert _fact(sale, "sck") == "link"

    def test_src(self, sale):
        """The documented misspelling is read."""
        sale["data"]["purchase"]["origin"] = {"Scr": "insta"}
        assert _fact(sale, "src") == "insta"

    def test_charge_date(self, shape):
        """Both spellings of a new charge date give the same event."""
        snake, camel = shape("14-charge-date.json"), shape("14-charge-date-camel-case.json")
        assert parse(snake) == parse(camel)


class TestOddity22:
    """Duplicate keys and deep nesting."""

    def test_duplicate_keys(self, sale):
        """The last of several equal keys is used."""
        body = json.dumps(sale).replace("{", '{"event": "OTHER", ', 1)
        assert parse(sale) == parse(body)

    @pytest.mark.parametrize("depth", [70, 900, 50_000])
    def test_deep(self, depth):
        """Deep nesting is refused."""
        with pytest.raises(WebhookError) as caught:
            parse('{"event":' + "[" * depth + "]" * depth + "}")
        assert caught.value.code == "webhook_too_deep"

    def test_deep_object(self, sale):
        """An object that contains itself is harmless, because it is not traversed."""
        expected = parse(sale)
        sale["data"]["itself"] = sale
        assert expected == parse(sale)


class TestOddity23:
    """Unknown keys at any level."""

    def test_unknown_keys(self, sale):
        """They change nothing."""
        expected = parse(sale)

        def more(node: Any) -> Any:
            if not isinstance(node, dict):
                return node
            return {**{key: more(value) for key, value in node.items()}, "new_in_2030": {"a": [1]}}

        assert expected == parse(more(sale))


class TestOddity24:
    """Fields of both versions in one body."""

    def test_both(self, sale, form):
        """The fields of version 2.0.0 decide."""
        assert parse(sale) == parse({**form, **sale})

    def test_event_without_data(self, form):
        """A form with an event name and without data is still version 1.0.0."""
        assert parse(form) == parse({**form, "event": "PURCHASE_REFUNDED"})


class TestOddity25:
    """Secrets and personal data in the body; see also test_secrets.py."""

    def test_nothing_of_them(self, form):
        """No fact contains the token, the document, the address or the e-mail."""
        kept = str(
            [attribute for event in parse(form).events for attribute in event.facts.values()]
        )
        assert not any(form[field] in kept for field in ("hottok", "doc", "address", "email"))
