"""`plan_batch`: the plans of `Engine.plan`, whatever the columns look like."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from listboss import Contact, Engine, where
from listboss.errors import ArgumentTypeError, ConfigurationError
from listboss.rules.event import OWN_FACTS
from listboss.scale import batch_to_plans, event_schema, events_to_batch, plan_batch, plan_schema
from listboss.testing import events, rule_sets
from tests.scale.worlds import NOON, changed, fitting, large_orders, order, planned, world

RULES = large_orders()
ENGINE = Engine(RULES)
ORDERS = [order(n) for n in range(4)]
BATCH = events_to_batch(ORDERS, RULES)
PLANS = planned(ENGINE, ORDERS)
INVALID_UTF8 = pa.Array.from_buffers(
    pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
)


def errors_of(batch: pa.RecordBatch) -> dict[int, str]:
    """The errors of the result, by row of the batch."""
    out = plan_batch(ENGINE, batch)
    found = zip(out.column("row").to_pylist(), out.column("error").to_pylist(), strict=True)
    return {row: error for row, error in found if error is not None}


class TestSamePlans:
    """The plans are those of `Engine.plan`."""

    def test_of_generated_worlds(self, amount: Callable[..., int]):
        """On 5,000 pairs of rules and an event, plans are equal, ids included."""
        for seed in range(amount(ci=200, soak=8_000)):
            rules, given_events = world(seed, 25)
            engine = Engine(rules)

            plans = batch_to_plans(plan_batch(engine, events_to_batch(given_events, rules)))

            assert planned(engine, given_events) == list(plans)

    @given(st.data())
    def test_of_arbitrary_rules_and_events(self, data: DataObject):
        """Also with flagged rules, odd strings, own facts and subscription plans."""
        rules = data.draw(rule_sets())
        drawn = data.draw(st.lists(events(rules), max_size=5))
        given_events = [fitting(event, rules) for event in drawn]
        engine = Engine(rules)

        plans = batch_to_plans(plan_batch(engine, events_to_batch(given_events, rules)))

        assert planned(engine, given_events) == list(plans)

    def test_of_tests(self):
        """Test events are planned if the caller asks for it."""
        test = order(is_test=True)
        batch = events_to_batch([test], RULES)

        assert ["test"] == plan_batch(ENGINE, batch).column("idle").to_pylist()
        out = plan_batch(ENGINE, batch, include_tests=True)
        assert [ENGINE.plan(test, include_tests=True)] == list(batch_to_plans(out))

    def test_of_an_event_without_a_contact(self):
        """It is idle, as for the engine."""
        batch = events_to_batch([order(contact=None)], RULES)

        assert ["unaddressed"] == plan_batch(ENGINE, batch).column("idle").to_pylist()

    def test_of_an_unknown_product(self):
        """It is idle and not an error: other rules may know the product."""
        batch = events_to_batch([order(product_id="43")], RULES)

        assert ["unknown_product"] == plan_batch(ENGINE, batch).column("idle").to_pylist()

    def test_of_an_event_that_the_catalogue_lacks(self):
        """It is idle and is about nothing."""
        out = plan_batch(ENGINE, events_to_batch([order(name="own.event")], RULES)).to_pylist()

        assert [("unknown_event", None, False, 0)] == [
            (row["idle"], row["about"], row["ends"], row["rank"]) for row in out
        ]


class TestResult:
    """The rows of the result."""

    def test_has_the_columns_of_the_schema(self):
        """In its order and with its types."""
        assert plan_schema() == plan_batch(ENGINE, BATCH).schema

    def test_has_a_row_for_each_action(self):
        """An action is as the plan has it, with what a person wants to read of it."""
        (planned_action,) = PLANS[0].actions

        row = plan_batch(ENGINE, BATCH.slice(0, 1)).to_pylist()[0]

        assert {
            "event_id": "e-0",
            "event_name": "purchase.approved",
            "product_id": "42",
            "occurred_at": NOON,
            "is_test": False,
            "subscription_plan": None,
            "transaction": "HP0",
            "subscriber_code": None,
            "about": None,
            "ends": False,
            "n": 0,
            "actions": 1,
            "action_id": planned_action.id,
            "provider": "mail",
            "email": "ana@example.com",
            "kind": "add_tag",
            "target": "large-order",
            "parameters": '{"add_tag":"large-order","version":1}',
            "data": '{"email":"ana@example.com","name":"Ana"}',
            "because": ["large"],
            "automatic": False,
            "idle": None,
            "row": 0,
            "error": None,
        } == {name: value for name, value in row.items() if name not in ("account", "rank")}

    @pytest.mark.parametrize(
        ("plan_id", "plan_name", "expected"),
        [("p-1", "Gold", "p-1"), (None, "Gold", "Gold"), ("p-1", None, "p-1")],
    )
    def test_names_the_subscription_plan(self, plan_id, plan_name, expected):
        """By its id, or else by its name."""
        batch = events_to_batch([order(plan_id=plan_id, plan_name=plan_name)], RULES)

        assert [expected] == plan_batch(ENGINE, batch).column("subscription_plan").to_pylist()

    def test_of_an_empty_batch_is_empty(self):
        """It has the columns and no rows."""
        out = plan_batch(ENGINE, BATCH.slice(0, 0))

        assert (0, plan_schema()) == (out.num_rows, out.schema)

    def test_of_slices_is_that_of_the_whole(self):
        """A slice of a batch is planned like a batch of its own."""
        slices = [BATCH.slice(0, 1), BATCH.slice(1, 2), BATCH.slice(3)]

        assert PLANS == [
            plan for each in slices for plan in batch_to_plans(plan_batch(ENGINE, each))
        ]


def text_forms() -> dict[str, pa.DataType]:
    """The types that a column of strings may have."""
    return {
        "string": pa.string(),
        "large_string": pa.large_string(),
        "string_view": pa.string_view(),
        "dictionary": pa.dictionary(pa.int8(), pa.string()),
        "large dictionary": pa.dictionary(pa.int64(), pa.large_string()),
    }


class TestColumns:
    """Columns of other encodings and widths mean the same."""

    @pytest.mark.parametrize("form", text_forms())
    @pytest.mark.parametrize(
        "column", ["event_id", "name", "product_id", "email", "full_name", "transaction"]
    )
    def test_strings(self, column, form):
        """A string is a string, in a dictionary or not."""
        kind = text_forms()[form]
        strings = pa.array(BATCH.column(column).to_pylist(), pa.string())
        is_dictionary = pa.types.is_dictionary(kind)
        values = strings.dictionary_encode().cast(kind) if is_dictionary else strings.cast(kind)

        assert PLANS == list(batch_to_plans(plan_batch(ENGINE, changed(BATCH, column, values))))

    @pytest.mark.parametrize(
        "kind",
        [pa.decimal128(10, 2), pa.decimal128(38, 20), pa.decimal256(76, 73), pa.int16()],
        ids=str,
    )
    def test_numbers(self, kind):
        """A decimal fact takes any decimal, and integers."""
        values = pa.array([250, 249, 251, None], kind)

        out = plan_batch(ENGINE, changed(BATCH, "fact__price", values))

        assert [None, "no_rule", None, "no_rule"] == out.column("idle").to_pylist()

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    @pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo"])
    def test_times(self, unit, zone):
        """A time is read to the microsecond, whatever its unit and zone."""
        at = NOON.replace(year=1969)
        values = pa.array([at] * 4, pa.timestamp(unit, tz=zone))

        out = plan_batch(ENGINE, changed(BATCH, "occurred_at", values))

        assert [at] * 4 == out.column("occurred_at").to_pylist()
        assert [at] * 4 == [plan.occurred_at for plan in batch_to_plans(out)]

    def test_columns_of_nulls(self):
        """A column of the null type is one of absent values."""
        batch = changed(BATCH, "fact__price", pa.nulls(4))
        batch = changed(changed(batch, "transaction", pa.nulls(4)), "plan_id", pa.nulls(4))

        assert ["no_rule"] * 4 == plan_batch(ENGINE, batch).column("idle").to_pylist()

    def test_nulls_in_a_dictionary(self):
        """A null is absent, as an index and as a value."""
        values = pa.DictionaryArray.from_arrays(
            pa.array([0, 1, None, 0], pa.int32()), pa.array([None, "HP1"], pa.string())
        )

        out = plan_batch(ENGINE, changed(BATCH, "transaction", values))

        assert [None, "HP1", None, None] == out.column("transaction").to_pylist()

    def test_what_a_dictionary_has_and_no_row_uses(self):
        """An invalid value that no row has is not an error."""
        values = pa.DictionaryArray.from_arrays(
            pa.array([1] * 4, pa.int32()), pa.array(["", "42"], pa.string())
        )

        assert {} == errors_of(changed(BATCH, "product_id", values))

    def test_columns_that_rules_do_not_use_are_ignored(self):
        """A batch may have more columns."""
        more = BATCH.append_column("fact__country", pa.array([1.5] * 4))

        assert PLANS == list(batch_to_plans(plan_batch(ENGINE, more)))

    def test_fields_of_contacts_are_trimmed(self):
        """As `Contact` trims them; a blank one is absent."""
        names = pa.array([" Ana ", " ", "Ana", None], pa.string())
        phones = pa.array([" 1", "1", "1 ", None], pa.string())
        batch = changed(changed(BATCH, "full_name", names), "phone", phones)

        out = plan_batch(ENGINE, batch)

        with_name = '{"email":"ana@example.com","name":"Ana","phone":"1"}'
        without_name = '{"email":"ana@example.com","phone":"1"}'
        address = '{"email":"ana@example.com"}'
        assert [with_name, without_name, with_name, address] == out.column("data").to_pylist()

    @pytest.mark.parametrize(
        ("condition", "column", "values"),
        [
            (where.installments > 2, "installments", [3, 2, 3, None]),
            (where.is_order_bump == True, "is_order_bump", [True, False, True, None]),  # noqa: E712
            (where.country == "BR", "country", ["br", "PT", " BR", None]),
            (where.approved_at >= NOON, "approved_at", [NOON, datetime(1, 1, 1, tzinfo=UTC)] * 2),
        ],
        ids=["integers", "booleans", "codes", "times"],
    )
    def test_facts_of_each_kind(self, condition, column, values):
        """The rule holds for the first and the third row."""
        rules = large_orders(condition)
        arrays = changed(
            events_to_batch(ORDERS, rules),
            f"fact__{column}",
            pa.array(values, event_schema(rules).field(f"fact__{column}").type)
            if not isinstance(values[0], str)
            else pa.array(values).dictionary_encode(),
        )

        out = plan_batch(Engine(rules), arrays)

        assert [None, "no_rule", None, "no_rule"] == out.column("idle").to_pylist()


def with_bad(column: str, bad: object, kind: pa.DataType) -> pa.RecordBatch:
    """The orders, with another value in the second row of a column."""
    values = BATCH.column(column).to_pylist()
    values[1] = bad
    return changed(BATCH, column, pa.array(values, kind))


class TestBadRows:
    """A row that is not an event becomes a row with its error, and the others are planned."""

    @pytest.mark.parametrize(
        ("column", "bad", "expected"),
        [
            *((name, None, "missing") for name in ("event_id", "name", "product_id")),
            *((name, " ", "invalid_event") for name in ("event_id", "name", "product_id")),
            *((name, "", "invalid_event") for name in OWN_FACTS),
            ("event_id", "e\0", "invalid_event"),
            ("email", "ana@", "invalid_event"),
            ("email", "", "invalid_event"),
            ("email", "a\0@example.com", "invalid_event"),
            ("full_name", "Ana\0", "invalid_event"),
        ],
    )
    def test_of_strings(self, column, bad, expected):
        """The error has a code and the column."""
        batch = with_bad(column, bad, pa.string())

        out = plan_batch(ENGINE, batch)

        assert {1: f"{expected} @ $.{column}"} == errors_of(batch)
        assert [PLANS[0], *PLANS[2:]] == list(batch_to_plans(out))

    def test_of_a_string_fact(self):
        """A fact that cannot be stored is not valid, whether a rule would match it or not."""
        rules = large_orders(where.country == "BR")
        batch = events_to_batch([order(facts={"country": "BR"})] * 2, rules)
        values = pa.array(["BR", "B\0"]).dictionary_encode()

        out = plan_batch(Engine(rules), changed(batch, "fact__country", values))

        assert [None, "invalid_event @ $.fact__country"] == out.column("error").to_pylist()

    def test_without_a_time(self):
        """A missing time is an error of its row."""
        batch = with_bad("occurred_at", None, pa.timestamp("us", tz="UTC"))

        assert {1: "missing @ $.occurred_at"} == errors_of(batch)

    @pytest.mark.parametrize("unit", ["s", "us"])
    def test_with_a_time_after_the_year_9999(self, unit):
        """A time that Python cannot hold is an error of its row."""
        values = pa.array([0, 2**62, 0, 0], pa.int64()).cast(pa.timestamp(unit, tz="UTC"))

        assert {1: "invalid_event @ $.occurred_at"} == errors_of(
            changed(BATCH, "occurred_at", values)
        )

    @pytest.mark.parametrize("column", ["event_id", "email", "transaction", "phone"])
    @pytest.mark.parametrize("is_dictionary", [False, True])
    def test_with_bytes_that_are_not_text(self, column, is_dictionary):
        """Arrow does not check UTF-8; a row that breaks it does not break the batch."""
        values = pa.concat_arrays([pa.array(["a@b"]), INVALID_UTF8, pa.array(["c@d", "e@f"])])
        values = values.dictionary_encode() if is_dictionary else values

        assert {1: f"invalid_event @ $.{column}"} == errors_of(changed(BATCH, column, values))

    def test_has_no_other_value(self):
        """Only the number of the row and the error, so that nothing invalid is passed on."""
        out = plan_batch(ENGINE, with_bad("email", "not an address", pa.string())).to_pylist()

        assert {"row": 1, "error": "invalid_event @ $.email"} == {
            name: value for name, value in out[1].items() if value is not None
        }

    def test_names_the_first_column(self):
        """Of two errors, the error has the column that comes first."""
        batch = changed(with_bad("product_id", "", pa.string()), "phone", pa.array(["\0"] * 4))

        assert {
            0: "invalid_event @ $.phone",
            1: "invalid_event @ $.product_id",
            2: "invalid_event @ $.phone",
            3: "invalid_event @ $.phone",
        } == errors_of(batch)

    def test_all_bad(self):
        """A batch without a single event is planned, too."""
        out = plan_batch(ENGINE, changed(BATCH, "event_id", pa.nulls(4)))

        assert (4, ()) == (out.num_rows, batch_to_plans(out))


class TestWrongBatches:
    """A batch with a missing or wrongly typed column is one error, which names the column."""

    def test_without_a_column(self):
        """The schema says which columns there must be."""
        with pytest.raises(ConfigurationError) as caught:
            plan_batch(ENGINE, BATCH.drop_columns(["fact__price"]))

        assert "$.fact__price" == caught.value.path

    def test_with_a_column_twice(self):
        """It is not clear which one to read."""
        with pytest.raises(ConfigurationError) as caught:
            plan_batch(ENGINE, BATCH.append_column("email", BATCH.column("email")))

        assert ("$.email", "the column `email` is there twice") == (
            caught.value.path,
            caught.value.message,
        )

    @pytest.mark.parametrize(
        ("column", "values", "expected"),
        [
            ("event_id", pa.array([1] * 4), "expected strings, got `int64`"),
            ("name", pa.array([b"x"] * 4), "expected strings, got `binary`"),
            ("fact__price", pa.array([1.5] * 4), "expected decimals or integers, got `double`"),
            (
                "fact__price",
                pa.nulls(4, pa.decimal128(9, -2)),
                "expected decimals or integers, got `decimal128(9, -2)`",
            ),
            ("is_test", pa.array([0] * 4), "expected booleans, got `int64`"),
            (
                "occurred_at",
                pa.array([datetime(2026, 1, 1)] * 4, pa.timestamp("us")),  # noqa: DTZ001
                "expected times with a time zone, got `timestamp[us]`",
            ),
        ],
    )
    def test_with_a_column_of_the_wrong_type(self, column, values, expected):
        """The message has the type that Arrow gives it."""
        with pytest.raises(ArgumentTypeError) as caught:
            plan_batch(ENGINE, changed(BATCH, column, values))

        assert (f"$.{column}", f"the column `{column}`: {expected}") == (
            caught.value.path,
            caught.value.message,
        )

    def test_that_are_tables(self):
        """A table is not a batch; the hint says how to make some."""
        with pytest.raises(ArgumentTypeError) as caught:
            plan_batch(ENGINE, pa.table({"event_id": ["e-1"]}))

        assert "make batches of a table with `table.to_batches()`" == caught.value.hint

    def test_with_rules_instead_of_an_engine(self):
        """An engine is expected."""
        with pytest.raises(ArgumentTypeError, match="expected an engine"):
            plan_batch(RULES, BATCH)  # type: ignore[arg-type] # on purpose


def test_a_dictionary_of_more_values_than_rows_is_read_by_its_rows():
    """A small slice of a long column does not check every value of the column."""
    many = [order(n, product_id=f"p-{n}") for n in range(200)]
    batch = events_to_batch(many, RULES).slice(150, 3)

    out = plan_batch(ENGINE, batch)

    assert ["p-150", "p-151", "p-152"] == out.column("product_id").to_pylist()


def test_two_addresses_of_one_contact_have_the_ids_of_the_engine():
    """The identity of a contact is that of `Contact`."""
    pair = [order(contact=Contact(email)) for email in ("Ana@Example.com", "ana@example.COM")]

    out = plan_batch(ENGINE, events_to_batch(pair, RULES))

    first, second = out.column("action_id").to_pylist()
    assert PLANS[0].actions[0].id == first == second


def test_an_event_far_from_now_is_planned():
    """Times go from the year 1 to the year 9999."""
    times = [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC) + timedelta(hours=23),
    ]
    batch = events_to_batch([order(occurred_at=at) for at in times], RULES)

    assert times == [plan.occurred_at for plan in batch_to_plans(plan_batch(ENGINE, batch))]
