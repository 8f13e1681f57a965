from listboss.hotmart._lookup import MAX_LISTED, paths, read_first
from listboss.hotmart._values import text
from listboss.hotmart.fields import FACTS, IDS
from listboss.rules.builtin import HOTMART

HOST_MADE = {"language", "percent", "previous_percent", "rating", "smart_payment_status"}


def test_every_fact_of_the_catalogue_has_a_row():
    """Each fact of the catalogue has paths, except those that no webhook carries.

    The id of the plan is one of the ids of a webhook.
    """
    assert {fact.name for fact in HOTMART.facts} - HOST_MADE == {*FACTS, "plan_id"}
    assert "plan_id" in IDS


def test_no_path_leads_to_what_is_never_read():
    """No path ends at a document number, an IP address, a street or the token."""
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
    """A blank or odd value at one path leads to the next path."""
    root = {"a": {"b": " "}, "c": [], "d": 7}
    assert read_first(root, paths("a.b c d a"), text) == "7"


def test_list_elements_are_tried_in_order():
    """A star means each element of a list, up to a limit."""
    listed: list[object] = ["odd", {"code": ""}, {"code": "x"}, {"code": "y"}]
    assert read_first({"all": listed}, paths("all.*.code"), text) == "x"
    assert read_first({"all": {"code": "x"}}, paths("all.*.code"), text) is None
    beyond: list[object] = [{}] * MAX_LISTED
    assert read_first({"all": [*beyond, {"code": "x"}]}, paths("all.*.code"), text) is None
    assert read_first({"all": [*beyond[1:], {"code": "x"}]}, paths("all.*.code"), text) == "x"
