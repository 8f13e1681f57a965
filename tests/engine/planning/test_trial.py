from datetime import UTC, datetime
from decimal import Decimal

import pytest

from listboss import HOTMART, AddTag, Contact, FactType, MoveLead, where
from listboss.errors import (
    ArgumentTypeError,
    AutomaticSegmentationError,
    FlaggedSegmentationError,
    UnknownIdError,
)

AT = datetime(2026, 5, 4, tzinfo=UTC)
CONTACT = Contact("ana@example.com")


def _test(engine, segmentation_id="r", contact=CONTACT):
    return engine.plan_test(segmentation_id, contact, id="t-1", occurred_at=AT)


def test_one_rule_alone(engine, rule):
    """The test plans the actions of its segmentation alone, without capture."""
    eng = engine(rule("r", AddTag("a")), rule("s", AddTag("b")), capture_provider="mail")
    assert [(AddTag("a"), ("r",), False)] == [
        (p.action, p.because, p.automatic) for p in _test(eng).actions
    ]


def test_the_plan_is_marked(engine, rule):
    """The plan is marked as a test, for providers and the history."""
    plan = _test(engine(rule("r", AddTag("a"))))
    assert ("t-1", "purchase.approved", "42", AT, True, None) == (
        plan.event_id,
        plan.event_name,
        plan.product_id,
        plan.occurred_at,
        plan.is_test,
        plan.idle,
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"enabled": False},
        {"condition": where.language == "en"},
        {"product_id": "77", "plan_ids": ("21",)},
    ],
    ids=["disabled", "condition", "plan"],
)
def test_enabled_condition_and_plan_are_ignored(engine, rule, changes):
    """A test ignores whether the rule is enabled, its condition and its plan."""
    assert [AddTag("a")] == [
        p.action for p in _test(engine(rule("r", AddTag("a"), **changes))).actions
    ]


def test_a_rule_that_contradicts_itself(engine, rule):
    """A rule of which one action never runs is flagged, and cannot be tested."""
    with pytest.raises(FlaggedSegmentationError):
        _test(engine(rule("r", MoveLead("B", source="A"), MoveLead("C", source="A"))))


def test_dummy_data_of_every_kind(engine, rule):
    """Each field to send has a dummy value: a known word of a choice, or a value of its kind."""
    kinds = HOTMART.extended(facts=[FactType("grade", "choice"), FactType("member", "boolean")])
    send = (
        "email", "name", "first_name", "last_name", "phone", "payment_method", "country",
        "currency", "language", "offer", "installments", "price", "approved_at", "grade", "member",
    )  # fmt: skip
    (planned,) = _test(engine(rule("r", AddTag("a"), send=send), catalogue=kinds)).actions
    assert {
        "email": "ana@example.com",
        "name": "Test Contact",
        "first_name": "Test",
        "last_name": "Contact",
        "phone": "0000",
        "payment_method": "BILLET",
        "country": "BR",
        "currency": "BRL",
        "language": "en",
        "offer": "test",
        "installments": 1,
        "price": Decimal("1.00"),
        "approved_at": AT,
        "grade": "TEST",
        "member": False,
    } == dict(planned.data)


def test_known_contact_fields_are_kept(engine, rule):
    """Dummy data fill only the fields that the contact lacks."""
    contact = Contact("ana@example.com", name="Ana")
    (planned,) = _test(engine(rule("r", AddTag("a"))), contact=contact).actions
    assert ("Ana", "0000") == (planned.data["name"], planned.data["phone"])


def test_the_test_id_decides_the_action_ids(engine, rule):
    """The same test id gives the same action ids; another gives others."""
    eng = engine(rule("r", AddTag("a")))
    ids = [
        eng.plan_test("r", CONTACT, id=id, occurred_at=AT).actions[0].id
        for id in ("t-1", "t-1", "t-2")
    ]
    assert (True, False) == (ids[0] == ids[1], ids[0] == ids[2])


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"provider": "gone"}, ["provider_missing"]),
        ({"event": "webinar.ended"}, ["event_incompatible"]),
    ],
)
def test_flagged(engine, rule, changes, codes):
    """A segmentation with errors is not tested; the error has the findings, no warnings."""
    eng = engine(rule("r", AddTag("a"), send=("email", "rating"), **changes))
    with pytest.raises(FlaggedSegmentationError) as caught:
        _test(eng)
    assert codes == [getattr(finding, "code", None) for finding in caught.value.findings]


@pytest.mark.parametrize(
    ("segmentation_id", "error"),
    [("other", UnknownIdError), ("auto.waitlist", AutomaticSegmentationError)],
)
def test_no_such_custom_segmentation(engine, segmentation_id, error):
    """An unknown id is an error, and so is an automatic segmentation."""
    with pytest.raises(error):
        _test(engine(), segmentation_id)


def test_not_a_contact(engine, rule):
    """An address is not a contact."""
    with pytest.raises(ArgumentTypeError, match="expected a contact, got a string"):
        _test(engine(rule("r", AddTag("a"))), contact="ana@example.com")


def test_the_plan_of_the_rule(engine, rule):
    """The plan that is sent is the first one of the rule, as it is with a real event."""
    send, plan_ids = ("email", "plan_id", "plan_name"), ("20", "21")
    eng = engine(rule("r", AddTag("a"), product_id="77", plan_ids=plan_ids, send=send))
    (planned,) = _test(eng).actions
    assert {"email": "ana@example.com", "plan_id": "20", "plan_name": "test"} == planned.data


def test_a_rule_for_no_plan(engine, rule):
    """A rule without plans that sends the plan sends dummy text."""
    eng = engine(rule("r", AddTag("a"), send=("plan_id",)))
    (planned,) = _test(eng).actions
    assert {"plan_id": "test"} == planned.data
