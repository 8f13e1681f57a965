"""Whether a target should be on: the definition, and what delivery uses."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listboss.delivery import MemoryJournal, PostgresJournal, SqliteJournal, _sql_marks
from listboss.standing import (
    ANY_PLACE,
    Ending,
    Grant,
    Links,
    Mark,
    Reach,
    Stamp,
    Verdict,
    fold,
    judge,
)

DAY = datetime(2026, 5, 4, tzinfo=UTC)
TARGET, OTHER = "place:list/buyers", "place:list/leavers"
PURCHASES = [Grant(product, transaction=f"P{n}") for product in ("c1", "club") for n in (1, 2, 3)]
SUBSCRIPTIONS = [Grant("club", subscriber_code=f"S{n}") for n in (1, 2)]
PRODUCTS = [Grant("c1"), Grant("club")]


def at(day: int) -> Stamp:
    """Return the stamp of an event that happened on that day."""
    return Stamp(DAY + timedelta(days=day), 0, f"e{day}")


def on(day: int, grant: Grant | None = None) -> Mark:
    """Make an assertion."""
    return Mark("mail", TARGET, grant, None, at(day), f"on {day}")


def off(day: int, grant: Grant | None = None, reach: Reach = Reach.GRANT) -> Mark:
    """Make a clear."""
    return Mark("mail", TARGET, grant, reach, at(day), f"off {day}")


@attrs.frozen
class PlainIndex:
    """All marks of a target and all endings; each question is answered by looking at all."""

    marks: Sequence[Mark]
    ended: Sequence[Ending]
    links: Links

    def assertions(self) -> Iterator[Mark]:
        """Return the assertions of the target, the newest first."""
        found = [mark for mark in self.marks if mark.asserts]
        return iter(sorted(found, key=lambda mark: mark.stamp, reverse=True))

    def last_clear(self, reach: Reach, grant: Grant | None = None) -> Mark | None:
        """Return the newest clear of this reach, of this grant if one is given."""
        return self._newest(
            mark for mark in self.marks if mark.reach is reach and grant in (None, mark.grant)
        )

    def link(self, purchase: Grant) -> Grant | None:
        """Return the subscription of a purchase."""
        return self.links.get(purchase)

    def last_clear_of_subscriptions(self, product_id: str) -> Mark | None:
        """Return the newest clear for the grant of any subscription of the product."""
        return self._newest(
            mark
            for mark in self.marks
            if mark.reach is Reach.GRANT
            and mark.grant is not None
            and mark.grant.subscriber_code
            and mark.grant.product_id == product_id
        )

    def endings(self, holder: Grant, link: Grant | None) -> Iterable[Stamp]:
        """Return when the holder, its subscription, or any of its product was ended."""
        for ending in self.ended:
            grant = ending.grant
            any_of = holder.is_purchase and link is None and grant.subscriber_code
            if grant in (holder, link, Grant(holder.product_id)) or (
                any_of and grant.product_id == holder.product_id
            ):
                yield ending.stamp

    @staticmethod
    def _newest(marks: Iterable[Mark]) -> Mark | None:
        return max(marks, key=lambda mark: mark.stamp, default=None)


# Generated marks, endings and links

LINKS = st.dictionaries(st.sampled_from(PURCHASES[3:]), st.sampled_from(SUBSCRIPTIONS))
GRANTS = st.sampled_from([*PURCHASES, *SUBSCRIPTIONS])


@st.composite
def said(draw: st.DrawFn) -> tuple[list[Mark], list[Ending], Links]:
    """Make what some events say of a place: each has a stamp of its own."""
    marks: list[Mark] = []
    endings: list[Ending] = []
    for day in range(draw(st.integers(1, 8))):
        stamp = at(day)
        match draw(st.sampled_from(["on", "on", "off", "product", "all", "end", "both"])):
            case "on":
                marks.append(on(day, draw(st.none() | GRANTS)))
            case "off":
                marks.append(_maybe_any(draw, off(day, draw(GRANTS))))
            case "product":
                grant = draw(st.sampled_from(PRODUCTS))
                marks.append(_maybe_any(draw, off(day, grant, Reach.PRODUCT)))
            case "all":
                marks.append(_maybe_any(draw, off(day, draw(GRANTS), Reach.ALL)))
            case "end":
                endings.append(Ending(draw(GRANTS | st.sampled_from(PRODUCTS)), stamp))
            case _:
                grant = draw(GRANTS)
                endings.append(Ending(grant, stamp))
                marks.append(draw(st.sampled_from([on, off]))(day, grant))
    return marks, endings, draw(LINKS)


def _maybe_any(draw: st.DrawFn, mark: Mark) -> Mark:
    """Make a clear one of every place but another, sometimes."""
    return draw(st.sampled_from([mark, attrs.evolve(mark, target=ANY_PLACE, keep=OTHER)]))


class TestJudge:
    """`judge` gives the verdict of `fold`."""

    @given(said())
    def test_equals_fold(self, everything):
        """From any index that answers as it should."""
        marks, endings, links = everything
        verdict = judge(PlainIndex(marks, endings, links))
        assert fold(marks, endings, links) is verdict.on

    @given(said())
    def test_names_the_mark_that_decided(self, everything):
        """An assertion decides that it is on, a clear that it is off; else nothing was said."""
        marks, endings, links = everything
        mark = judge(PlainIndex(marks, endings, links)).mark
        if mark is None:
            assert not marks
        else:
            assert fold(marks, endings, links) is mark.asserts

    @given(said(), st.randoms(use_true_random=False))
    def test_order_does_not_matter(self, everything, dice):
        """Both give one verdict for all orders."""
        marks, endings, links = everything
        first = judge(PlainIndex(marks, endings, links))
        marks, endings = (dice.sample(marks, len(marks)), dice.sample(endings, len(endings)))
        assert first == judge(PlainIndex(marks, endings, links))
        assert first.on is fold(marks, endings, links)


STORES = ["memory", "sqlite", "sqlite, as if they were many", "postgres"]


@pytest.fixture(scope="module", params=STORES)
def store(request, tmp_path_factory):
    """The store of a journal, in a transaction that lasts for all examples.

    Many marks of a target are not read at once: the database answers each question.
    """
    if request.param == "memory":
        with MemoryJournal()._transaction() as store:
            yield store
        return
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        with (
            PostgresJournal(server.dsn, schema=server.new_schema()) as shared,
            shared._transaction() as store,
        ):
            yield store
        return
    path = tmp_path_factory.mktemp("journal") / "journal.db"
    with pytest.MonkeyPatch.context() as patch:
        if request.param != "sqlite":
            patch.setattr(_sql_marks, "MAX_READ_AT_ONCE", 0)
        with SqliteJournal(path) as journal, journal._transaction() as store:
            yield store


class TestIndexes:
    """The journals' indexes answer as they should, also when marks were covered."""

    NUMBERS = count()

    @given(everything=said(), dice=st.randoms(use_true_random=False))
    @settings(max_examples=100)
    def test_verdict(self, store, everything, dice):
        """Marks and endings come in any order; each contact tries one."""
        marks, endings, links = everything
        contact = f"{next(self.NUMBERS)}@example.com"
        lane = store.lane("mail", contact)
        for purchase, subscription in links.items():
            store.add_link(contact, purchase, subscription, at(0))
        for each in dice.sample([*marks, *endings], len(marks) + len(endings)):
            if isinstance(each, Ending):
                store.add_ending(contact, each)
            else:
                store.add_mark(lane.id, each)
                if each.reach is Reach.ALL:
                    store.cover(lane.id, each)
        expected = judge(PlainIndex(marks, endings, links))
        assert expected == judge(store.index(lane, TARGET))


class TestFold:
    """The definition, sentence by sentence."""

    P1, P2, OTHERS = PURCHASES[3], PURCHASES[4], PURCHASES[0]
    S1, S2 = SUBSCRIPTIONS

    @pytest.mark.parametrize(
        ("marks", "endings", "links", "expected"),
        [
            pytest.param([], [], {}, False, id="nothing was said"),
            pytest.param([on(1)], [], {}, True, id="asserted"),
            pytest.param([on(1), off(2, P1)], [], {}, False, id="without grant, cleared"),
            pytest.param([off(1, P1), on(2)], [], {}, True, id="asserted after the clear"),
            pytest.param([off(1), on(1)], [], {}, True, id="cleared and asserted by one event"),
            pytest.param(
                [off(1, P1, Reach.ALL), on(1)], [], {}, True, id="cleared for all, and asserted"
            ),
            pytest.param([on(1, P1), off(2, P2)], [], {}, True, id="held by another purchase"),
            pytest.param([on(1, P1), off(2, P1)], [], {}, False, id="its purchase is cleared"),
            pytest.param(
                [on(1, P1), off(2, PRODUCTS[1], Reach.PRODUCT)], [], {}, False, id="its product is"
            ),
            pytest.param(
                [on(1, OTHERS), off(2, PRODUCTS[1], Reach.PRODUCT)], [], {}, True, id="another is"
            ),
            pytest.param([on(1, P1), off(2, P2, Reach.ALL)], [], {}, False, id="all are"),
            pytest.param([on(1, P1), off(2, S1)], [], {P1: S1}, False, id="its subscription is"),
            pytest.param([on(1, P1), off(2, S1)], [], {P1: S2}, True, id="another subscription is"),
            pytest.param([on(1, P1), off(2, S1)], [], {}, False, id="any subscription may be its"),
            pytest.param([on(1, OTHERS), off(2, S1)], [], {}, True, id="not of another product"),
            pytest.param([on(1, S1), off(2, P1)], [], {P1: S1}, True, id="one of its payments is"),
            pytest.param(
                [on(1, P1), off(3, P2)], [Ending(P1, at(2))], {}, False, id="ended, then cleared"
            ),
            pytest.param(
                [on(1, P1), off(2, P2)],
                [Ending(P1, at(2))],
                {},
                False,
                id="ended as it was cleared",
            ),
            pytest.param([on(1, P1)], [Ending(P1, at(2))], {}, True, id="ended, never cleared"),
            pytest.param(
                [on(1), off(3, P2)], [Ending(P1, at(2))], {}, False, id="no grant has no ending"
            ),
            pytest.param(
                [on(1, P1), on(3, P1), off(4, P2)],
                [Ending(P1, at(2))],
                {},
                True,
                id="asserted again after its end",
            ),
            pytest.param(
                [on(1, P1), off(3, P2)],
                [Ending(S1, at(2))],
                {P1: S1},
                False,
                id="its subscription ended",
            ),
        ],
    )
    def test_sentence(self, marks, endings, links, expected):
        """The same for `fold` and `judge`."""
        assert expected is fold(marks, endings, links)
        assert expected is judge(PlainIndex(marks, endings, links)).on

    def test_what_ends_a_purchase_does_not_end_what_it_asserts(self):
        """That a purchase was refunded stays recorded when another one is cleared."""
        refunded = [on(1, self.P1), off(2, self.P2)]
        assert fold(refunded, [Ending(self.P1, at(1))], {})


def test_the_newest_clear_decides():
    """Of several holders, each with a clear of its own, the one that was cleared last."""
    first, second = PURCHASES[:2]
    marks = [on(1, first), on(2, second), off(3, first), off(4, second)]
    assert judge(PlainIndex(marks, [], {})) == Verdict(on=False, mark=marks[-1])


def test_nothing_was_said():
    """Then nothing decided."""
    assert Verdict(on=False, mark=None) == judge(PlainIndex([], [], {}))
