from listboss.hotmart._values import text
from listboss.hotmart.fields import FACTS, MAX_LISTED, first, paths
from listboss.rules.builtin import HOTMART

HOST_MADE = {"language", "percent", "previous_percent", "rating", "smart_payment_status"}


def test_every_fact_of_the_catalogue_has_a_row():
    """Each fact has its paths, but for those that no webhook carries."""
    assert {fact.name for fact in HOTMART.facts} - HOST_MADE == set(FACTS)


def test_no_path_leads_to_what_is_never_read():
    """No path ends at a document number, an IP, a street or the token."""
    never = {
        "document",
        "doc",
        "doc_type",
        "document_type",
        "buyer_ip",
        "hottok",
        "zipcode",
        "address",
    }
    ends = {path[-1] for field in FACTS.values() for path in field.v2 + field.v1 if path}
    assert set() == ends & never


def test_first_usable_path_counts():
    """A blank or odd value at one path leaves the next one its turn."""
    root = {"a": {"b": " "}, "c": [], "d": 7}
    assert first(root, paths("a.b c d a"), text) == "7"


def test_list_elements_are_tried_in_order():
    """A star stands for each element, up to a bound."""
    listed: list[object] = ["odd", {"code": ""}, {"code": "x"}, {"code": "y"}]
    assert first({"all": listed}, paths("all.*.code"), text) == "x"
    assert first({"all": {"code": "x"}}, paths("all.*.code"), text) is None
    beyond: list[object] = [{}] * MAX_LISTED
    assert first({"all": [*beyond, {"code": "x"}]}, paths("all.*.code"), text) is None
    assert first({"all": [*beyond[1:], {"code": "x"}]}, paths("all.*.code"), text) == "x"
