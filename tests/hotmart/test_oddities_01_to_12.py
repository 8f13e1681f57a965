"""Known oddities of webhook bodies, 1 to 12, with a class for each."""

import json
from decimal import Decimal
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


class TestOddity01:
    """Top level not an object, empty, truncated, BOM, form, wrapped in `body`."""

    @pytest.mark.parametrize("body", ["[]", '"x"', "null", "7", "", '{"event": "PURCH'])
    def test_not_a_webhook(self, body):
        """A body that is not an object is refused."""
        with pytest.raises(WebhookError):
            parse(body)

    @pytest.mark.parametrize("wrap", ["\ufeff{}", '{{"body": {}}}', '[{{"body": {}}}]', "[{}]"])
    def test_wrapped(self, sale, wrap):
        """A wrapper or a byte order mark changes nothing."""
        assert parse(sale) == parse(wrap.format(json.dumps(sale)))

    @pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", None, "json"])
    def test_content_type(self, sale, content_type):
        """JSON is read with any content type."""
        assert parse(sale) == parse(json.dumps(sale), content_type=content_type)


class TestOddity02:
    """`data` missing or of another type; `event` missing, lower case, unknown or a number."""

    @pytest.mark.parametrize("data", [None, [], "x", 7])
    def test_data(self, sale, data):
        """A body without data has no product."""
        parsed = parse({**sale, "data": data})
        assert parsed.ignored is not None
        assert parsed.ignored.reason == "no_product"

    @pytest.mark.parametrize(
        ("event", "count"), [("purchase_approved", 2), ("NEW", 0), (7, 0), (None, 0)]
    )
    def test_event(self, sale, event, count):
        """A lower-case name is read; an unknown or absent name gives no event."""
        assert count == len(parse({**sale, "event": event}).events)


@pytest.mark.parametrize("version", ["1.0.0", 2, "2.0", None, []], ids=repr)
class TestOddity03:
    """`version` contradicts the shape, or is missing."""

    def test_version(self, sale, form, version):
        """Only the shape decides the version."""
        assert parse(sale) == parse({**sale, "version": version})
        assert parse(form) == parse({**form, "version": version})


class TestOddity04:
    """Ids as an integer, a string of digits, zeros, blank, null, a boolean or a float."""

    @pytest.mark.parametrize(
        ("given", "read"),
        [(7, "7"), ("7", "7"), ("00000", "00000"), (0, "0"), (7.0, "7"), (" 7 ", "7")],
        ids=repr,
    )
    def test_usable(self, sale, given, read):
        """Numbers and strings become strings."""
        sale["data"]["product"]["id"] = given
        sale["data"]["subscription"]["plan"]["id"] = given
        event = _first(sale)
        assert (event.product_id, event.plan_id) == (read, read)

    @pytest.mark.parametrize("given", ["", None, True, 7.5, {}, [7]], ids=repr)
    def test_unusable(self, sale, given):
        """An unusable plan id is absent, and without any product id there is no event."""
        del sale["data"]["product"]["ucode"]
        sale["data"]["subscription"]["plan"]["id"] = given
        assert _first(sale).plan_id is None
        sale["data"]["product"]["id"] = given
        assert parse(sale).events == ()


class TestOddity05:
    """`id` missing, not a UUID, or the same on different events."""

    def test_missing(self, sale):
        """A body without an id gets the same id at each delivery."""
        del sale["id"]
        assert _first(sale).id == _first(json.loads(json.dumps(sale))).id

    def test_mock(self, sale):
        """An id can be any string."""
        assert _first({**sale, "id": "mock-1"}).id == "mock-1:purchase.approved"

    def test_reused(self, sale):
        """Different events in bodies with the same id have different ids."""
        refund = {**sale, "event": "PURCHASE_REFUNDED"}
        assert len({event.id for body in (sale, refund) for event in parse(body).events}) == 3


@pytest.mark.parametrize(
    "given",
    [
        1777550400000,
        "1777550400000",
        1777550400,
        "2026-04-30T12:00:00Z",
        "2026-04-30T12:00:00+00:00",
        "2026-04-30T12:00:00.000Z",
        "2026-04-30T12:00:00",
    ],
    ids=repr,
)
class TestOddity06:
    """Dates in every format."""

    def test_date(self, sale, given):
        """All formats give the same date and time."""
        sale["data"]["purchase"]["date_next_charge"] = given
        assert str(_fact(sale, "next_charge_at")) == "2026-04-30 12:00:00+00:00"


@pytest.mark.parametrize(
    "given", ["", None, -1, 10**17, True, "tomorrow", [], "12/05/2025"], ids=repr
)
class TestOddity06Unusable:
    """Values that are not dates."""

    def test_no_date(self, sale, given):
        """They are absent."""
        sale["data"]["purchase"]["date_next_charge"] = given
        assert _fact(sale, "next_charge_at") is None


class TestOddity07:
    """`creationDate`, `creation_date`, and both."""

    def test_both(self, sale):
        """The usual spelling takes precedence."""
        both = {**sale, "creationDate": 1}
        assert _first(sale).occurred_at == _first(both).occurred_at


class TestOddity08:
    """Money in every format, and currencies."""

    @pytest.mark.parametrize(
        ("given", "read"),
        [(997, "997"), (74.78, "74.78"), ("10.90", "10.90"), (0, "0"), ("0.0", "0.0")],
        ids=repr,
    )
    def test_price(self, sale, given, read):
        """A price is exact, and 0 is a price."""
        sale["data"]["purchase"]["price"]["value"] = given
        assert Decimal(read) == _fact(sale, "price")

    @pytest.mark.parametrize("given", ["10,90", None, "", "free", [], True], ids=repr)
    def test_no_price(self, sale, given):
        """A doubtful amount is absent."""
        sale["data"]["purchase"]["price"]["value"] = given
        assert _fact(sale, "price") is None

    @pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e999"])
    def test_not_finite(self, sale, constant):
        """Constants that are not valid JSON are absent."""
        body = json.dumps(sale).replace('"value": 64.9', f'"value": {constant}')
        assert _fact(body, "price") is None

    @pytest.mark.parametrize(
        "purchase",
        [
            {"price": {"currency_code": "EUR"}},
            {"price": {}, "full_price": {"currency_value": "EUR"}},
            {"price": None, "full_price": None, "original_offer_price": {"currency_value": "eur"}},
        ],
        ids=repr,
    )
    def test_currency(self, sale, purchase):
        """The currency comes from the price, or else from the other prices."""
        sale["data"]["purchase"] = purchase
        assert _fact(sale, "currency") == "EUR"


@pytest.mark.parametrize("odd", [None, {}, [], "x", 7], ids=repr)
class TestOddity09:
    """Objects that are null, empty or of another type."""

    @pytest.mark.parametrize(
        "path",
        ["subscription", "buyer", "purchase", "affiliates", "plans", "purchase.checkout_country",
         "purchase.origin", "purchase.order_bump", "purchase.payment", "purchase.offer",
         "purchase.price", "buyer.address", "subscription.plan", "subscription.subscriber"],
    )  # fmt: skip
    def test_object(self, sale, path, odd):
        """The event is there, without the facts of that object."""
        *parents, last = path.split(".")
        target = sale["data"]
        for parent in parents:
            target = target[parent]
        target[last] = odd
        assert _names(sale)[0] == "purchase.approved"


class TestOddity10:
    """Affiliates: one blank element, a boolean in the cart, a misspelling."""

    @pytest.mark.parametrize("code", ["", None, " "])
    def test_blank(self, sale, code):
        """A blank affiliate code is absent."""
        sale["data"]["affiliates"] = [{"affiliate_code": code, "name": ""}]
        assert _fact(sale, "affiliate") is None

    def test_cart(self, shape):
        """The cart's boolean is not an affiliate code."""
        assert _fact(shape("11-cart.json"), "affiliate") is None

    def test_misspelling(self, sale):
        """The documented misspelling is read."""
        del sale["data"]["affiliates"]
        sale["data"]["affilliates"] = [{"affiliate_code": "AFF1"}]
        assert _fact(sale, "affiliate") == "AFF1"


class TestOddity11:
    """Offers and coupons."""

    def test_blank_offer(self, sale):
        """A blank offer code is absent."""
        sale["data"]["purchase"]["offer"] = {"code": ""}
        assert _fact(sale, "offer") is None

    def test_key(self, shape):
        """The offer of a switched plan is read from its own key."""
        assert _fact(shape("13-switch-plan.json"), "offer") == "abcd1234"

    @pytest.mark.parametrize(("given", "read"), [(None, None), (" DIA DAS MÃES ", "DIA DAS MÃES")])
    def test_coupon(self, sale, given, read):
        """A coupon is trimmed and may contain spaces."""
        sale["data"]["purchase"]["offer"]["coupon_code"] = given
        assert read == _fact(sale, "coupon")


@pytest.mark.parametrize(
    ("fact", "given", "read"),
    [
        ("purchase_status", "CANCELLED", "CANCELED"),
        ("purchase_status", "CANCELED", "CANCELED"),
        ("purchase_status", "COMPLETE", "COMPLETED"),
        ("purchase_status", "PRINTED_BILLET", "BILLET_PRINTED"),
        ("purchase_status", "UNDER_ANALISYS", "UNDER_ANALYSIS"),
        ("purchase_status", "OVERDUE", "DELAYED"),
        ("purchase_status", "PROTESTED", "DISPUTE"),
        ("purchase_status", "wayting_payment", "WAITING_PAYMENT"),
        ("purchase_status", "approved", "APPROVED"),
        ("purchase_status", "BRAND_NEW", "BRAND_NEW"),
        ("payment_method", "BOLETO", "BILLET"),
        ("payment_method", "credit_card", "CREDIT_CARD"),
        ("payment_method", "APPLE_PAY", "APPLE_PAY"),
        ("subscription_status", "OVERDUE", "DELAYED"),
        ("subscription_status", "past_due", "DELAYED"),
        ("subscription_status", "canceled", "CANCELED"),
        ("subscription_status", "CANCELED_BY_ADMIN", "CANCELLED_BY_ADMIN"),
    ],
)
class TestOddity12:
    """Spellings of statuses and payment types."""

    def test_one_spelling(self, sale, form, fact, given, read):
        """Both versions give the same spelling, and unknown words are kept."""
        data = sale["data"]
        data["purchase"]["status"] = data["subscription"]["status"] = given
        data["purchase"]["payment"]["type"] = given
        assert read == _fact(sale, fact)
        field = {"purchase_status": "status", "payment_method": "payment_type"}.get(fact, fact)
        parsed = parse({**form, field: given})
        assert not parsed.events or read == parsed.events[0].facts[fact]
