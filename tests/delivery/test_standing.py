"""What is sent follows from all events of a contact, in whatever order they arrive."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from listboss import (
    AddLead,
    AddTag,
    Contact,
    MoveLead,
    ProviderAction,
    RemoveLead,
    RemoveTag,
)
from listboss.delivery import Status
from listboss.provider import Refused, Throttled, Unknown
from listboss.rules.capabilities import Verb
from listboss.standing import Grant, Stamp

ANA = "ana@example.com"
PLAIN = Contact(ANA)
"""A contact without other data, so that no call carries a name."""
REFUND, CART = "purchase.refunded", "purchase.cart_abandoned"
SECOND = timedelta(seconds=1)


@pytest.fixture
def journal(any_journal):
    """A journal of each kind."""
    return any_journal


@pytest.fixture
def make(make_event):
    """Make an event of a contact without data."""

    def make(id, day, **more):
        return make_event(id, day=day, **{"contact": PLAIN, **more})

    return make


@pytest.fixture
def bought(make):
    """Make an approval of a purchase."""
    return lambda id, day, transaction, **more: make(id, day, transaction=transaction, **more)


@pytest.fixture
def refunded(make):
    """Make the refund of a purchase."""
    return lambda id, day, transaction: make(id, day, name=REFUND, transaction=transaction)


def statuses(receipt):
    """The status of each action, in the order of the plan."""
    return [state.status for state in receipt.states]


class TestSuperseded:
    """What a newer event says otherwise is not sent."""

    def test_not_sent(self, owners, bought, refunded, mail):
        """An approval that arrives after its refund adds no tag."""
        owners.handle(refunded("e-2", 1, "P1"))
        owners.handle(bought("e-1", 0, "P1"))
        assert [RemoveTag("owner")] == mail.actions

    def test_decided_by(self, owners, bought, refunded):
        """The receipt names the event that decided."""
        owners.handle(refunded("e-2", 1, "P1"))
        (state,) = owners.handle(bought("e-1", 0, "P1")).states
        assert (Status.SUPERSEDED, "e-2") == (state.status, state.decided_by)

    def test_record(self, owners, journal, bought, refunded):
        """The history names the event that decided."""
        owners.handle(refunded("e-2", 1, "P1"))
        owners.handle(bought("e-1", 0, "P1"))
        (record,) = journal.history(event_id="e-1")
        assert (Status.SUPERSEDED, "decided by event e-2") == (record.status, record.detail)

    def test_waiting(self, owners, bought, refunded, mail, clock):
        """A throttled addition does not overtake the removal that came later."""
        mail.answers = [Throttled(30 * SECOND)]
        owners.handle(bought("e-1", 0, "P1"))
        owners.handle(refunded("e-2", 1, "P1"))
        clock.turn(seconds=30)
        owners.run_due()
        assert [AddTag("owner"), RemoveTag("owner")] == mail.actions

    def test_newer_already_sent(self, owners, bought, mail):
        """An older action that asks for what a newer one has sent already is not sent."""
        owners.handle(bought("e-2", 1, "P2"))
        owners.handle(bought("e-1", 0, "P1"))
        assert [AddTag("owner")] == mail.actions

    def test_same_again(self, owners, bought, mail):
        """A newer event that asks for the same is sent, as the provider may have drifted."""
        owners.handle(bought("e-1", 0, "P1"))
        owners.handle(bought("e-2", 1, "P2"))
        assert [AddTag("owner")] * 2 == mail.actions


class TestAnyOrder:
    """In whatever order events arrive, tags end in the same state."""

    @pytest.mark.parametrize(
        ("refunds", "ends_with"),
        [(["P2"], AddTag("owner")), (["P2", "P1"], RemoveTag("owner"))],
        ids=["one of two refunded", "both refunded"],
    )
    def test_state(self, owners, make_event, mail, refunds, ends_with):
        """The last call is the same for every order: one contact tries one order."""
        events = [("purchase.approved", "P1", 0), ("purchase.approved", "P2", 1)]
        events += [(REFUND, transaction, 5 + n) for n, transaction in enumerate(refunds)]
        last = set()
        for number, order in enumerate(permutations(events)):
            contact = Contact(f"{number}@example.com")
            for name, transaction, day in order:
                owners.handle(
                    make_event(
                        f"{name}-{transaction}-{number}",
                        name=name,
                        day=day,
                        transaction=transaction,
                        contact=contact,
                    )
                )
            last.add(mail.actions[-1])
        assert {ends_with} == last

    def test_absolute_endings(self, make_executor, make_segmentation, bought, refunded, mail):
        """With absolute endings one refund takes the tag away, whatever else was bought."""
        executor = make_executor(*owner_rules(make_segmentation), endings="absolute")
        executor.handle(bought("e-1", 0, "P1"))
        executor.handle(bought("e-2", 1, "P2"))
        executor.handle(refunded("e-3", 2, "P2"))
        assert RemoveTag("owner") == mail.actions[-1]


def owner_rules(make_segmentation):
    """Tag buyers, and take the tag away after a refund."""
    return (
        make_segmentation("buy", AddTag("owner")),
        make_segmentation("back", RemoveTag("owner"), event=REFUND),
    )


class TestManyPurchases:
    """A contact with more purchases than are read at once."""

    def test_refunded(self, owners, bought, refunded, mail):
        """The tag stays while one is left, although all of the newest were refunded."""
        owners.handle_many([bought(f"e-{n}", n / 100, f"T{n}") for n in range(34)])
        owners.handle_many([refunded(f"r-{n}", 1, f"T{n}") for n in range(29, 34)])
        assert {"add tag `owner`"} == {*mail.sent}


class TestStandUp:
    """An event that changes what others say brings a tag back into the right state."""

    def test_superseded_action(self, owners, journal, make, bought, *, refunded, mail):
        """What was superseded is sent after all, under its own key, once it is asked for."""
        owners.handle(bought("e-1", 0, "P1"))
        owners.handle(bought("e-2", 1, "P2"))
        owners.handle(refunded("e-4", 3, "P2"))
        owners.handle(make("e-3", 2, name="purchase.chargeback", transaction="P1"))
        owners.run_due()
        (state,) = journal.receipt("e-4").states
        assert (Status.APPLIED, 1, state.planned.id, RemoveTag("owner")) == (
            state.status,
            state.generation,
            mail.calls[-1][1].key,
            mail.actions[-1],
        )

    @pytest.fixture
    def replanned(self, owners, make_engine, make_segmentation, bought, refunded):
        """A refund that took a tag away, planned again with a rule that does not."""
        owners.handle(bought("e-1", 0, "P1"))
        owners.handle(refunded("e-2", 1, "P1"))
        owners.use_engine(make_engine(make_segmentation("buy", AddTag("owner"))))
        owners.replan("e-2")
        owners.run_due()
        return owners

    def test_generation(self, replanned, journal):
        """What was sent before is sent as a further generation of the deciding action."""
        states = journal.receipt("e-1").states
        assert [(1, AddTag("owner")), (2, AddTag("owner"))] == [
            (state.generation, state.planned.action) for state in states
        ]

    def test_key(self, replanned, mail):
        """The key of a further generation is that of its action with a number."""
        (first, _), _, (again, call) = mail.calls
        assert (f"{first.id}#2", f"{first.id}#2", 1) == (again.id, call.key, call.attempt)

    def test_retry_keeps_the_key(
        self, owners, make_engine, make_segmentation, bought, *, refunded, mail
    ):
        """Sending a further generation again does not change its key."""
        owners.handle(bought("e-1", 0, "P1"))
        owners.handle(refunded("e-2", 1, "P1"))
        mail.answers = [Refused("no", "contact")]
        owners.use_engine(make_engine(make_segmentation("buy", AddTag("owner"))))
        owners.replan("e-2")
        owners.run_due()
        owners.retry()
        owners.run_due()
        keys = [call.key[-2:] for _, call in mail.calls[2:]]
        assert ["#2", "#2"] == keys

    def test_superseded_after_it_was_sent(
        self, owners, make_engine, make_segmentation, bought, *, refunded, mail, clock
    ):
        """The account may know its key, so it is asked for under another one."""
        mail.answers = [Unknown("timeout")]
        owners.handle(bought("e-1", 0, "P1"))
        owners.handle(refunded("e-2", 1, "P1"))
        clock.turn(minutes=20)
        owners.run_due()
        owners.use_engine(make_engine(make_segmentation("buy", AddTag("owner"))))
        owners.replan("e-2")
        owners.run_due()
        assert [AddTag("owner"), RemoveTag("owner"), AddTag("owner")] == mail.actions
        assert 3 == len({call.key for _, call in mail.calls})

    def test_not_beside_an_action_that_waits(self, owners, make, bought, mail):
        """What an accepted action will do needs no call of its own."""
        owners.accept(bought("e-1", 0, "P1"))
        owners.accept(make("e-2", 1, name="purchase.chargeback", transaction="P2"))
        owners.run_due()
        assert [AddTag("owner")] == mail.actions

    def test_only_once(self, replanned, mail):
        """Nothing more is sent when the state is right."""
        replanned.replan("e-2")
        replanned.run_due()
        assert 3 == len(mail.calls)


class TestData:
    """Data of events that arrive late."""

    @pytest.fixture
    def executor(self, make_executor, make_segmentation):
        """An executor of two rules that send the name."""
        return make_executor(
            make_segmentation("buy", AddTag("owner")),
            make_segmentation("cart", AddTag("cart"), event=CART),
            make_segmentation("back", RemoveTag("owner"), event=REFUND, send=["email"]),
        )

    def test_older_is_not_sent(self, executor, make_event, mail):
        """A value that is older than one that was sent is left out."""
        executor.handle(make_event("e-2", day=1, contact=Contact(ANA, name="New")))
        executor.handle(make_event("e-1", name=CART, contact=Contact(ANA, name="Old")))
        assert [{"email": ANA, "name": "New"}, {"email": ANA}] == [
            dict(planned.data) for planned, _ in mail.calls
        ]

    def test_only_what_is_older(self, make_executor, make_segmentation, make_event, mail):
        """The other values of the same event are sent."""
        send = ["email", "name", "phone"]
        executor = make_executor(
            make_segmentation("buy", AddTag("owner"), send=send),
            make_segmentation("cart", AddTag("cart"), event=CART, send=send),
        )
        old = Contact(ANA, name="Old", phone="+5511999990000")
        executor.handle(make_event("e-2", day=1, contact=Contact(ANA, name="New")))
        executor.handle(make_event("e-1", name=CART, contact=old))
        assert {"email": ANA, "phone": old.phone} == dict(mail.calls[-1][0].data)

    def test_newer_is_sent(self, executor, make_event, mail):
        """A newer value is sent."""
        executor.handle(make_event("e-1", name=CART, contact=Contact(ANA, name="Old")))
        executor.handle(make_event("e-2", day=1, contact=Contact(ANA, name="New")))
        assert "New" == mail.calls[-1][0].data["name"]

    def test_carried(self, executor, make_event, mail):
        """A bare AddLead carries the newest data of an action that is superseded."""
        executor.handle(make_event("e-2", day=1, name=REFUND, transaction="P1"))
        executor.handle(make_event("e-1", transaction="P1"))
        assert [RemoveTag("owner"), AddLead()] == mail.actions
        assert {"email": ANA, "name": "Ana"} == dict(mail.calls[-1][0].data)

    def test_not_carried_to_an_account_without_leads(
        self, make_executor, make_segmentation, make_event, account, *, without, journal
    ):
        """No AddLead is planned for an account that cannot do it: it would be refused."""
        tags = account(capabilities=without(add_lead="none"))
        executor = make_executor(
            make_segmentation("buy", AddTag("owner")),
            make_segmentation("back", RemoveTag("owner"), event=REFUND, send=["email"]),
            providers={"mail": tags},
        )
        executor.handle(make_event("e-2", day=1, name=REFUND, transaction="P1"))
        executor.handle(make_event("e-1", transaction="P1"))
        assert ([RemoveTag("owner")], ()) == (tags.actions, journal.stuck())

    def test_not_carried_twice(self, executor, make_event, mail):
        """Data that the provider has already is not carried."""
        executor.handle(make_event("e-0", name=CART))
        executor.handle(make_event("e-2", day=1, name=REFUND, transaction="P1"))
        executor.handle(make_event("e-1", transaction="P1"))
        assert [AddTag("cart"), RemoveTag("owner")] == mail.actions

    def test_carried_after_a_refusal(self, executor, make_event, mail):
        """Data that was sent in vain is carried, too, once its action is superseded."""
        mail.answers = [Refused("no", "contact")]
        executor.handle(make_event("e-1", transaction="P1"))
        executor.handle(make_event("e-2", day=1, name=REFUND, transaction="P1"))
        executor.retry()
        executor.run_due()
        assert [AddTag("owner"), RemoveTag("owner"), AddLead()] == mail.actions
        assert "Ana" == mail.calls[-1][0].data["name"]

    def test_carried_by_another_action(self, make_executor, make_segmentation, make_event, mail):
        """Nor is it carried if the next action of the same event does that."""
        executor = make_executor(
            make_segmentation("buy", [AddTag("owner"), AddTag("welcome")]),
            make_segmentation("back", RemoveTag("owner"), event=REFUND, send=["email"]),
        )
        executor.handle(make_event("e-2", day=1, name=REFUND, transaction="P1"))
        executor.handle(make_event("e-1", transaction="P1"))
        assert [RemoveTag("owner"), AddTag("welcome")] == mail.actions

    def test_account_without_leads(
        self, make_executor, make_segmentation, make_event, account, without
    ):
        """An account that cannot add leads gets no bare AddLead."""
        mail = account(capabilities=without(add_lead="none"))
        executor = make_executor(*owner_rules(make_segmentation), providers={"mail": mail})
        executor.handle(make_event("e-2", day=1, name=REFUND, transaction="P1", contact=PLAIN))
        executor.handle(make_event("e-1", transaction="P1"))
        assert [RemoveTag("owner")] == mail.actions


class TestInSync:
    """Leaving out what the provider has confirmed already."""

    @pytest.mark.parametrize(("in_sync", "calls"), [(True, 1), (False, 2)])
    def test_confirmed(self, make_executor, make_segmentation, bought, mail, *, in_sync, calls):
        """With `assume_in_sync` a confirmed tag is not added again."""
        rules = owner_rules(make_segmentation)
        executor = make_executor(*rules, assume_in_sync=in_sync)
        executor.handle(bought("e-1", 0, "P1"))
        executor.handle(bought("e-2", 1, "P2"))
        assert calls == len(mail.calls)

    def test_recorded(self, make_executor, make_segmentation, bought):
        """The receipt says that there was nothing to do."""
        executor = make_executor(*owner_rules(make_segmentation), assume_in_sync=True)
        executor.handle(bought("e-1", 0, "P1"))
        (state,) = executor.handle(bought("e-2", 1, "P2")).states
        assert (Status.UNCHANGED, "confirmed already", 0) == (
            state.status,
            state.detail,
            state.attempts,
        )

    @pytest.mark.parametrize("outcome", [Refused("no", "contact"), Unknown("timeout")], ids=repr)
    def test_not_confirmed(self, make_executor, make_segmentation, bought, *, mail, clock, outcome):
        """What the provider did not confirm is sent again."""
        executor = make_executor(*owner_rules(make_segmentation), assume_in_sync=True)
        mail.answers = [outcome]
        executor.handle(bought("e-1", 0, "P1"))
        executor.handle(bought("e-2", 1, "P2"))
        clock.turn(minutes=1)
        executor.run_due()
        assert 2 == len(mail.calls)

    def test_new_data(self, make_executor, make_segmentation, make_event, mail):
        """An action with new data is sent."""
        executor = make_executor(*owner_rules(make_segmentation), assume_in_sync=True)
        executor.handle(make_event("e-1", contact=Contact(ANA, name="Old")))
        executor.handle(make_event("e-2", day=1, contact=Contact(ANA, name="New")))
        assert 2 == len(mail.calls)


def verb_account(account, without, verb):
    """An account that has one verb of its own."""
    return account(capabilities=without(verbs=(verb,)))


class TestVerbs:
    """A provider's own actions."""

    @pytest.mark.parametrize(("always", "sent"), [(False, 0), (True, 1)])
    def test_ended_purchase(
        self, make_executor, make_segmentation, bought, *, refunded, account, without, always, sent
    ):
        """A verb is not sent once its purchase was ended, unless it is always sent."""
        mail = verb_account(account, without, Verb("acme.greet", always=always))
        rule = make_segmentation("greet", ProviderAction("acme.greet"))
        executor = make_executor(rule, providers={"mail": mail})
        executor.handle(refunded("e-2", 1, "P1"))
        executor.handle(bought("e-1", 0, "P1"))
        assert sent == len(mail.calls)

    def test_other_purchase_ended(
        self, make_executor, make_segmentation, bought, *, refunded, account, without
    ):
        """A verb is sent if another purchase was ended."""
        mail = verb_account(account, without, Verb("acme.greet"))
        rule = make_segmentation("greet", ProviderAction("acme.greet"))
        executor = make_executor(rule, providers={"mail": mail})
        executor.handle(refunded("e-2", 1, "P2"))
        executor.handle(bought("e-1", 0, "P1"))
        assert [ProviderAction("acme.greet")] == mail.actions

    @pytest.mark.parametrize(
        ("idempotent", "status"), [(False, Status.UNKNOWN), (True, Status.WAITING)]
    )
    def test_without_an_answer(
        self, make_executor, make_segmentation, bought, *, account, without, idempotent, status
    ):
        """Only an idempotent verb is sent again after an attempt without an answer."""
        mail = verb_account(account, without, Verb("acme.greet", idempotent=idempotent))
        mail.answers = [Unknown("timeout")]
        rule = make_segmentation("greet", ProviderAction("acme.greet"))
        executor = make_executor(rule, providers={"mail": mail})
        assert [status] == statuses(executor.handle(bought("e-1", 0, "P1")))

    def test_idempotent_account(
        self, make_executor, make_segmentation, bought, *, account, without
    ):
        """An idempotent account gets every verb again."""
        verb = Verb("acme.greet")
        mail = account(capabilities=without(verbs=(verb,), idempotent=True))
        mail.answers = [Unknown("timeout")]
        rule = make_segmentation("greet", ProviderAction("acme.greet"))
        executor = make_executor(rule, providers={"mail": mail})
        assert [Status.WAITING] == statuses(executor.handle(bought("e-1", 0, "P1")))

    def test_interrupted(
        self, make_executor, make_segmentation, journal, bought, *, account, without, clock
    ):
        """A verb that must not be repeated is unknown after its worker died."""
        mail = verb_account(account, without, Verb("acme.greet"))
        rule = make_segmentation("greet", ProviderAction("acme.greet"))
        executor = make_executor(rule, providers={"mail": mail})
        executor.accept(bought("e-1", 0, "P1"))
        journal.turn("w-1", (), clock.now)
        clock.turn(minutes=1)
        executor.run_due()
        assert [Status.UNKNOWN] == statuses(journal.receipt("e-1"))

    @pytest.fixture
    def courses(self, make_executor, make_segmentation, account, without):
        """A provider with a verb that enrols in a course and one that ends this; an executor."""
        kinds = {"course": "text"}
        verbs = (
            Verb("acme.enrol", kinds, asserts="course"),
            Verb("acme.leave", kinds, clears="course"),
        )
        mail = account(capabilities=without(verbs=verbs))
        executor = make_executor(
            make_segmentation("buy", ProviderAction("acme.enrol", {"course": "Go"})),
            make_segmentation("back", ProviderAction("acme.leave", {"course": "go"}), event=REFUND),
            providers={"mail": mail},
        )
        return executor, mail

    def test_declared_target(self, courses, bought, refunded):
        """A verb that declares what it asserts is superseded like a tag."""
        executor, mail = courses
        executor.handle(refunded("e-2", 1, "P1"))
        executor.handle(bought("e-1", 0, "P1"))
        assert ["acme.leave"] == [action.verb for action in mail.actions]

    def test_declared_target_of_two_purchases(self, courses, bought, refunded):
        """A verb that clears something is not sent while another purchase asks for it."""
        executor, mail = courses
        executor.handle(bought("e-1", 0, "P1"))
        executor.handle(bought("e-2", 1, "P2"))
        executor.handle(refunded("e-3", 2, "P1"))
        assert ["acme.enrol"] * 2 == [action.verb for action in mail.actions]


class TestPlaces:
    """Leads at places."""

    @pytest.fixture
    def moves(self, make_executor, make_segmentation):
        """An executor that adds to a place, moves from it only if the lead is there, or removes."""
        move = MoveLead("Customers", source="Prospects", if_absent="skip")
        return make_executor(
            make_segmentation("cart", AddLead("Prospects"), event=CART),
            make_segmentation("move", move),
            make_segmentation("back", RemoveLead("Prospects"), event=REFUND),
        )

    def test_skip_with_unknown_source(self, moves, make, mail):
        """A move that may skip is sent if nothing is known of its source."""
        moves.handle(make("e-1", 0))
        assert ["Customers"] == [action.to.parts["list"] for action in mail.actions]

    def test_skip_with_source(self, moves, make, mail):
        """It is sent if the contact should be at its source."""
        moves.handle(make("e-1", 0, name=CART))
        moves.handle(make("e-2", 1))
        assert [AddLead, MoveLead] == list(map(type, mail.actions))

    def test_skip_without_source(self, moves, make, mail):
        """It is superseded if the contact should not be at its source."""
        moves.handle(make("e-1", 0, name=REFUND))
        receipt = moves.handle(make("e-2", 1))
        assert ([Status.SUPERSEDED], 1) == (statuses(receipt), len(mail.calls))

    def test_skip_from_everywhere(self, make_executor, make_segmentation, make, mail):
        """A move from any place that may skip is always sent: only the provider knows."""
        move = MoveLead("Customers", if_absent="skip")
        executor = make_executor(make_segmentation("move", move))
        executor.handle(make("e-1", 0))
        assert [move] == mail.actions

    def test_half_of_a_move(self, make_executor, make_segmentation, make, mail):
        """If only one effect of a move is still asked for, it is sent alone."""
        executor = make_executor(
            make_segmentation("move", MoveLead("Customers", source="Prospects")),
            make_segmentation("cart", AddLead("Prospects"), event=CART),
        )
        executor.handle(make("e-2", 1, name=CART))
        executor.handle(make("e-1", 0))
        assert [AddLead("Prospects"), AddLead("Customers")] == mail.actions

    @pytest.fixture
    def one_place(self, make_executor, make_segmentation, account, without):
        """An account where a contact is at one place at a time, and an executor."""
        mail = account(capabilities=without(one_place=True))
        executor = make_executor(
            make_segmentation("cart", AddLead("Prospects"), event=CART),
            make_segmentation("buy", AddLead("Customers")),
            providers={"mail": mail},
        )
        return executor, mail

    def test_one_place(self, one_place, make, journal):
        """Adding to one place takes the contact from every other."""
        executor, _ = one_place
        executor.handle(make("e-1", 0, name=CART))
        executor.handle(make("e-2", 1))
        assert {"Prospects": False, "Customers": True} == {
            entry.target.place.parts["list"]: entry.on for entry in journal.standing(ANA)
        }

    def test_one_place_late(self, one_place, make):
        """An older event does not take the contact back to its place."""
        executor, mail = one_place
        executor.handle(make("e-2", 1))
        executor.handle(make("e-1", 0, name=CART))
        assert [AddLead("Customers")] == mail.actions


class TestSubscriptions:
    """Members of a subscription product."""

    @pytest.fixture
    def members(self, make_executor, make_segmentation):
        """An executor that tags members, and takes the tag away when they cancel."""
        where = {"product_id": "club", "plan_ids": ("10",)}
        canceled = "subscription.canceled"
        return make_executor(
            make_segmentation("join", AddTag("member"), **where),
            make_segmentation("leave", RemoveTag("member"), event=canceled, **where),
        )

    @pytest.fixture
    def club(self, make):
        """Make an event of the subscription product, with its transaction and subscriber code."""

        def club(name, day, transaction=None, code=None):
            more = {"product_id": "club", "plan_id": "10", "subscriber_code": code}
            return make(f"e-{day}", day, name=name, transaction=transaction, **more)

        return club

    @pytest.mark.parametrize(
        ("approvals", "ends_with"),
        [
            ([("P1", "S1"), ("P2", "S1")], RemoveTag("member")),
            ([("P1", "S1"), ("P2", "S2")], AddTag("member")),
            ([("P1", None)], RemoveTag("member")),
        ],
        ids=["renewals", "two subscriptions", "no subscriber code"],
    )
    def test_canceled(self, members, club, mail, approvals, ends_with):
        """A cancellation ends the purchases of its subscription, and no other subscription."""
        for day, (transaction, code) in enumerate(approvals):
            members.handle(club("purchase.approved", day, transaction, code))
        members.handle(club("subscription.canceled", 9, None, "S1"))
        assert ends_with == mail.actions[-1]

    def test_subscription_named_late(self, members, club, mail):
        """An event that names a purchase's subscription late can bring its tag back."""
        members.handle(club("purchase.approved", 0, "P1"))
        members.handle(club("subscription.canceled", 1, None, "S1"))
        members.handle(club("purchase.completed", 2, "P1", "S2"))
        members.run_due()
        assert [AddTag("member"), RemoveTag("member"), AddTag("member")] == mail.actions


def test_ids_with_an_address():
    """A stamp and a grant mask ids that contain an e-mail address, and show others."""
    stamp = Stamp(datetime(2026, 5, 4, tzinfo=UTC), 3, "quiz:ana@example.com")
    grant = Grant("42", "hp:ana@example.com")

    assert (False, False) == ("ana@" in repr(stamp), "ana@" in repr(grant))
    assert "rank=3, event_id='e-1'" in repr(stamp._replace(event_id="e-1"))
    assert "transaction='HP1'" in repr(Grant("42", "HP1"))


@pytest.mark.parametrize("action", [AddTag("x"), RemoveTag("x")], ids=str)
def test_the_rules_changed_while_it_was_sent(
    make_executor, make_engine, make_segmentation, make_event, *, mail, clock, action
):
    """What the rules do not ask for any more is not sent again after an answer to wait."""
    executor = make_executor(make_segmentation("rule", action), providers={"mail": mail})
    changed = make_engine(
        make_segmentation("rule", AddTag("y")), providers={"mail": mail.capabilities}
    )

    def answer():
        executor.use_engine(changed)
        executor.accept(make_event(), replan=True)
        return Throttled(SECOND, "contact")

    mail.answers = [answer]
    executor.handle(make_event())
    clock.turn(hours=1)
    executor.run_due()
    assert [action, AddTag("y")] == mail.actions
