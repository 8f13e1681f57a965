"""The columns of events and plans."""

import subprocess
import sys
from collections.abc import Callable

import pyarrow as pa
import pytest

from listboss import Product, RuleSet, Segmentation, where
from listboss.errors import ArgumentTypeError, ConfigurationError
from listboss.rules import HOTMART, FactKind, FactType
from listboss.scale import event_schema, plan_schema
from tests.scale.worlds import large_orders, world

CODE = pa.dictionary(pa.int32(), pa.string())


def columns_of(rules: RuleSet) -> list[str]:
    """The columns of facts."""
    return [name for name in event_schema(rules).names if name.startswith("fact__")]


def test_events_have_these_columns():
    """The fields of an event and of its contact, then the facts."""
    schema = event_schema(large_orders())

    assert {
        "event_id": pa.string(),
        "name": CODE,
        "product_id": CODE,
        "email": pa.string(),
        "full_name": pa.string(),
        "first_name": pa.string(),
        "last_name": pa.string(),
        "phone": pa.string(),
        "occurred_at": pa.timestamp("us", tz="UTC"),
        "plan_id": CODE,
        "plan_name": CODE,
        "transaction": pa.string(),
        "subscriber_code": pa.string(),
        "is_test": pa.bool_(),
        "fact__price": pa.decimal128(38, 9),
    } == dict(zip(schema.names, schema.types, strict=True))


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        (where.country == "BR", CODE),
        (where.offer == "aB3", CODE),
        (where.payment_method == "PIX", CODE),
        (where.installments > 1, pa.int64()),
        (where.is_order_bump.is_set(), pa.bool_()),
        (where.approved_at.is_set(), pa.timestamp("us", tz="UTC")),
    ],
)
def test_a_fact_has_the_type_of_its_kind(condition, kind):
    """Strings of every kind are codes; the others have a type of their own."""
    schema = event_schema(large_orders(condition))

    assert [kind] == schema.types[-1:]


def test_facts_that_are_sent_have_columns():
    """A rule needs what it sends, whether it compares it or not."""
    (rule,) = large_orders().segmentations
    sent = Segmentation(
        "Sent",
        product_id="42",
        provider="mail",
        event="purchase.approved",
        actions=rule.actions,
        send=("email", "phone", "country", "plan_name"),
    )

    assert ["fact__country", "fact__price"] == columns_of(large_orders().add(sent))


def test_facts_that_the_catalogue_lacks_have_none():
    """A rule on them does not run."""
    assert [] == columns_of(large_orders(where.unknown == 1))


def test_capture_needs_the_number_of_the_charge():
    """The first charge of a subscription takes an automatic tag off."""
    rules = RuleSet([Product("42", "Course")], capture_provider="mail")

    assert ["fact__recurrence_number"] == columns_of(rules)


def own_facts(*names: str) -> RuleSet:
    """Rules that compare facts of a host's own."""
    catalogue = HOTMART.extended(facts=[FactType(name, FactKind.INTEGER) for name in names])
    rules = [
        Segmentation(
            name,
            product_id="42",
            provider="mail",
            event="purchase.approved",
            condition=getattr(where, name) > 1,
            actions=(),
        )
        for name in names
    ]
    return RuleSet([Product("42", "Course")], rules, catalogue=catalogue)


def test_names_have_no_dots():
    """Spark takes a dot for a field of a struct."""
    assert ["fact__own__score"] == columns_of(own_facts("own.score"))


def test_two_facts_with_one_column_are_refused():
    """Both names are in the message."""
    with pytest.raises(ConfigurationError) as caught:
        event_schema(own_facts("own.score", "own__score"))

    assert "the facts `own.score` and `own__score` have the same column" == caught.value.message


def test_no_name_has_a_dot(amount: Callable[..., int]):
    """Neither of generated worlds nor of plans."""
    names = {
        name
        for seed in range(amount(ci=50, soak=500))
        for name in event_schema(world(seed, 0)[0]).names
    }

    assert [] == [name for name in {*names, *plan_schema().names} if "." in name]


def test_something_else_than_rules_is_refused():
    """A rule set is expected."""
    with pytest.raises(ArgumentTypeError, match="expected a rule set"):
        event_schema("rules.toml")  # type: ignore[arg-type] # on purpose


def test_listboss_does_not_load_pyarrow():
    """A program that plans events one by one does not pay for it."""
    code = "import sys, listboss, listboss.delivery; print('pyarrow' in sys.modules)"

    assert "False" == subprocess.check_output([sys.executable, "-c", code], text=True).strip()


def test_without_pyarrow_the_error_names_the_extra():
    """The message has the command to install it."""
    code = "import sys; sys.modules['pyarrow'] = None; import listboss.scale"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (
        "ImportError: listboss.scale needs pyarrow: `python -m pip install 'listboss[arrow]'`"
        == done.stderr.splitlines()[-1]
    )
