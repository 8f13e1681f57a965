"""Facts that are corrected, completed, or found under another key."""

import json
from decimal import Decimal
from typing import Any

import pytest

from listboss.hotmart import parse
from listboss.hotmart._facts import CAMPAIGN_KEYS, campaign_facts


def _facts(body: Any) -> Any:
    return parse(body).events[0].facts


class TestOrderBump:
    """A sale is an order bump only if it names another sale as its parent."""

    @pytest.mark.parametrize(
        ("flag", "parent", "expected"),
        [
            (True, "HP7", (True, "HP7")),
            (True, "", (False, None)),
            (True, None, (False, None)),
            (True, "HP0000000001", (False, None)),
            (True, " HP0000000001 ", (False, None)),
            (False, "HP0000000001", (False, None)),
            (False, "", (False, None)),
            (False, "HP7", (False, "HP7")),
            (None, "HP7", (None, "HP7")),
            (None, "HP0000000001", (None, None)),
            ("true", "HP7", (True, "HP7")),
            ("true", "", (False, None)),
        ],
        ids=repr,
    )
    def test_flag_and_parent(self, sale, form, flag, parent, expected):
        """The flag counts with a parent of its own, in both versions."""
        sale["data"]["purchase"]["order_bump"] = {
            "is_order_bump": flag,
            "parent_purchase_transaction": parent,
        }
        form |= {
            "transaction": "HP0000000001",
            "order_bump": "" if flag is None else str(flag).lower(),
            "parent_purchase_transaction": parent or "",
        }
        for body in (sale, form):
            facts = _facts(body)
            assert facts["transaction"] == "HP0000000001"
            assert expected == (facts.get("is_order_bump"), facts.get("parent_transaction"))

    @pytest.mark.parametrize("bump", [None, [], {}, "x", True], ids=repr)
    def test_no_object(self, sale, bump):
        """Without the object nothing is known."""
        sale["data"]["purchase"]["order_bump"] = bump
        assert not {"is_order_bump", "parent_transaction"} & set(_facts(sale))

    def test_without_a_transaction(self, sale):
        """A parent is another sale if the sale itself has no code."""
        purchase = sale["data"]["purchase"]
        del purchase["transaction"]
        purchase["order_bump"] = {"is_order_bump": True, "parent_purchase_transaction": "HP7"}
        assert _facts(sale)["is_order_bump"] is True


class TestCampaigns:
    """Campaign parameters are fields of their own, or pairs in the tracking codes."""

    @pytest.mark.parametrize(
        ("codes", "expected"),
        [
            ({"sck": "s=a|m=b|c=c d|co=e|t=f"}, ("a", "b", "c d", "e", "f")),
            ({"src": "utm_source=a&utm_medium=b&utm_campaign=c&utm_content=e&utm_term=f"},
             ("a", "b", "c", "e", "f")),
            ({"xcod": "UTM_Source = a ; medium=b; campaign=c"}, ("a", "b", "c", None, None)),
            ({"sck": "https://shop.example.com/x?utm_source=a&y=1#utm_medium=b"},
             ("a", None, None, None, None)),
            ({"sck": "utm_source=a&amp;utm_medium=b"}, ("a", "b", None, None, None)),
            ({"sck": "c=dia%20das%20m%C3%A3es|s=a+b"}, ("a+b", None, "dia das mães", None, None)),
            ({"sck": "utm_campaign=black+friday&s=a"}, ("a", None, "black friday", None, None)),
            ({"sck": "s=|s=a|s=b"}, ("a", None, None, None, None)),
            ({"xcod": "s=x|m=x", "src": "s=s|c=s", "sck": "s=k"}, ("k", "x", "s", None, None)),
            ({"sck": "c=a=b"}, (None, None, "a=b", None, None)),
            ({"sck": "Ads|cold|lot2|VID_07", "src": "page"}, (None,) * 5),
            ({"sck": "x=1|utm=2|=3|s:4|source"}, (None,) * 5),
            ({"xcod": '{"s": "a"}'}, (None,) * 5),
            ({}, (None,) * 5),
        ],
        ids=repr,
    )  # fmt: skip
    def test_pairs(self, sale, form, codes, expected):
        """Pairs end at `|`, `&` or `;`; sck comes first, then src and xcod."""
        sale["data"]["purchase"]["origin"] = codes
        names = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")
        for body in (sale, {**form, "sck": "", "src": "", "xcod": "", **codes}):
            facts = _facts(body)
            assert expected == tuple(facts.get(name) for name in names)
            assert codes == {name: facts[name] for name in ("src", "sck", "xcod") if name in facts}

    @pytest.mark.parametrize("name", sorted(set(CAMPAIGN_KEYS.values())))
    def test_own_fields(self, sale, form, name):
        """A field of its own takes precedence over a pair."""
        pair = name.replace("_", "")
        assert "field" == _facts({**form, name: "field", "sck": f"{pair}=pair"})[name]
        assert "pair" == _facts({**form, name: " ", "sck": f"{pair}=pair"})[name]
        sale["data"]["purchase"]["origin"] = {name: "field", "sck": f"{pair}=pair"}
        assert "field" == _facts(sale)[name]

    @pytest.mark.parametrize("key", sorted(CAMPAIGN_KEYS))
    def test_every_key(self, key):
        """Each key of the table is read, in any case."""
        assert {CAMPAIGN_KEYS[key]: "x"} == campaign_facts({"sck": f"{key.upper()}=x"})


@pytest.mark.parametrize(
    ("path", "given", "fact", "expected"),
    [
        ("purchase.offer.name", " Second lot ", "offer_name", "Second lot"),
        ("purchase.offer.name", "", "offer_name", None),
        ("affiliates", [{"affiliate_code": "A1", "name": "Bia"}], "affiliate_name", "Bia"),
        ("affiliates", [{"affiliate_code": "", "name": "***"}], "affiliate_name", None),
        ("affiliates", [{"name": "Bia"}, {"affiliate_code": "A2", "name": "Caio"}],
         "affiliate_name", "Caio"),
        ("affiliates", [{"affiliate_code": "A1"}, {"affiliate_code": "A2", "name": "Caio"}],
         "affiliate_name", None),
        ("affiliates", [], "affiliate_name", None),
        ("purchase.is_funnel", True, "is_funnel", True),
        ("purchase.is_funnel", "no", "is_funnel", None),
        ("purchase.original_offer_price", {"value": 120.5}, "original_price", Decimal("120.5")),
        ("purchase.subscription_anticipation_purchase", True, "is_anticipated", True),
        ("subscription.plan.recurrency_period", 30, "recurrence_period", 30),
        ("purchase.recurrency_number", 6, "recurrence_number", 6),
        ("purchase.recurrencyNumber", "6", "recurrence_number", 6),
        ("purchase.origin", {"xcode": "x1"}, "xcod", "x1"),
        ("purchase.origin", {"xcod": {"ad": 7, "é": "ü"}}, "xcod", '{"ad": 7, "é": "ü"}'),
        ("purchase.origin", {"xcod": '{"ad": 7}'}, "xcod", '{"ad": 7}'),
        ("purchase.origin", {"xcod": {}, "xcode": "x1"}, "xcod", "x1"),
        ("purchase.origin", {"xcod": [1]}, "xcod", None),
        ("purchase.tracking", {"source": "page"}, "src", "page"),
        ("purchase.tracking", {"source_sck": "k1"}, "sck", "k1"),
        ("purchase.tracking", {"external_code": "x1"}, "xcod", "x1"),
        ("purchase.tracking", {"utm_source": "news"}, "utm_source", "news"),
    ],
    ids=repr,
)  # fmt: skip
def test_facts_of_version_2(sale, path, given, fact, expected):
    """Each fact is found at its path, or at one that replaces it."""
    *parents, last = path.split(".")
    target = sale["data"]
    for name in ("recurrence_number", "origin"):
        target["purchase"].pop(name, None)
    for parent in parents:
        target = target[parent]
    target[last] = given
    found = _facts(sale).get(fact)
    assert (type(expected), expected) == (type(found), found)


@pytest.mark.parametrize(
    ("field", "given", "fact", "expected"),
    [
        ("receiver_type", "coproducer", "receiver_type", "COPRODUCER"),
        ("receiver_type", "VENDOR", "receiver_type", "SELLER"),
        ("productOfferPaymentMode", "pagamento_unico", "payment_mode", "PAGAMENTO_UNICO"),
        ("recurrency_period", "90", "recurrence_period", 90),
        ("original_offer_price", "397.00", "original_price", Decimal("397.00")),
        ("funnel", "true", "is_funnel", True),
        ("aff_name", "Bia", "affiliate_name", "Bia"),
        ("aff_name", "", "affiliate_name", None),
        ("subscription_anticipation_purchase", "false", "is_anticipated", False),
        ("xcode", "x1", "xcod", "x1"),
        ("currency_codefrom", "BRL", "currency", "BRL"),
    ],
    ids=repr,
)
def test_facts_of_version_1(form, field, given, fact, expected):
    """Each fact is found in its field of a form."""
    for name in ("xcod", "currency", "currency_code_from", "currency_code_from_"):
        form.pop(name, None)
    found = _facts({**form, field: given}).get(fact)
    assert (type(expected), expected) == (type(found), found)


@pytest.mark.parametrize(("given", "expected"), [(True, True), (False, False), ("x", None)])
def test_from_affiliate(shape, given, expected):
    """The cart says whether an affiliate was involved, in both versions."""
    for name in ("11-cart.json", "17-cart.json"):
        body = shape(name)
        body.get("data", body)["affiliate"] = given
        assert expected is _facts(body).get("from_affiliate")


def test_object_that_is_not_json(sale):
    """An object from the host that JSON cannot spell is absent."""
    itself: dict[str, Any] = {}
    itself["itself"] = itself
    for odd in (itself, {"a": object()}):
        sale["data"]["purchase"]["origin"] = {"xcod": odd}
        assert "xcod" not in _facts(sale)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def test_camel_case_throughout(shape):
    """A body whose keys are all in camelCase gives the same events."""

    def renamed(node: Any) -> Any:
        if isinstance(node, list):
            return [renamed(each) for each in node]
        if not isinstance(node, dict):
            return node
        return {_camel(key): renamed(value) for key, value in node.items()}

    for name in ("01-every-field.json", "02-approved-first.json", "12-cancellation.json"):
        body = shape(name)
        assert parse(body) == parse(json.dumps(renamed(body)))


def test_an_empty_key(sale):
    """A key without a name is nobody's spelling."""
    sale["data"] = {"": sale["data"]}
    assert parse(sale).events == ()


@pytest.mark.parametrize("product", [{"ucode": "u-1"}, {"id": None, "ucode": "u-1"}], ids=repr)
def test_ucode_in_place_of_a_product_id(sale, product):
    """Without a product id, the ucode identifies the product."""
    sale["data"]["product"] = product
    assert {"u-1"} == {event.product_id for event in parse(sale).events}
    sale["data"]["product"] = {**product, "id": 7}
    assert {"7"} == {event.product_id for event in parse(sale).events}


def test_digest_of_products_without_an_id(sale):
    """Without any id, two products do not share the digest of a webhook."""
    del sale["id"]
    bodies = [{**sale, "data": {**sale["data"], "product": {"ucode": code}}} for code in "ab"]
    first, second = (parse(body).events[0].id for body in bodies)
    assert first != second
