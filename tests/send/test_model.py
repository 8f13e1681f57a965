"""The store compared with a model of plain dictionaries, for random sequences of calls."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from listboss import AddLead, AddTag, MoveLead, Place, PlannedAction, RemoveLead, RemoveTag
from listboss.provider import Applied, Call, NoChange, Refused
from listboss.rules._mapping import FrozenMap
from listboss.send import Automation, Send, Step

LIMIT = 2
EMAILS = st.sampled_from(["ana@example.com", "ANA@example.com", "b@example.com", "c@example.com"])
TAGS = st.sampled_from(["buyer", " Buyer", "vip", "auto:x", "Auto:X"])
LISTS = st.sampled_from(["one", "ONE", "two", "three"])
DATA = st.dictionaries(st.sampled_from(["name", "email", "n"]), st.sampled_from(["x", 1, True]))
ACTIONS = st.one_of(
    st.builds(AddTag, TAGS),
    st.builds(RemoveTag, TAGS),
    st.builds(AddLead, st.none() | LISTS),
    st.builds(RemoveLead, LISTS),
    st.builds(
        MoveLead, LISTS, source=st.none() | LISTS, if_absent=st.sampled_from(["add", "skip"])
    ),
)
AUTOMATION = Automation(
    "A",
    ["buyer", "vip"],
    match="all",
    steps=[Step("now"), Step("later", delay=timedelta(hours=5))],
    while_tagged=True,
    published=True,
)


@dataclass
class Marks:
    """What one kind of call wrote about a contact: real actions, or integration tests."""

    tags: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    data: dict = field(default_factory=dict)

    def state(self):
        """Everything that an action can change."""
        typed = {name: (type(value), value) for name, value in self.data.items()}
        return set(self.tags), set(self.lists), typed


@dataclass
class Person:
    """A contact in the model."""

    email: str
    automatic: bool
    is_test: bool
    real: Marks = field(default_factory=Marks)
    test: Marks = field(default_factory=Marks)
    due: dict[str, datetime] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    @property
    def tags(self):
        """All tags."""
        return self.real.tags | self.test.tags

    @property
    def lists(self):
        """All lists."""
        return self.real.lists | self.test.lists

    def state(self):
        """Everything that an action can change."""
        return self.real.state(), self.test.state()

    def add(self, kind, name, *, is_test):
        """Add a tag or a list; a real one is not a test's any more."""
        real, test = getattr(self.real, kind), getattr(self.test, kind)
        if not is_test:
            real.add(name)
            test.discard(name)
        elif name not in real:
            test.add(name)

    def remove(self, kind, name, *, is_test):
        """Remove a tag or a list; a test keeps a real one."""
        getattr(self.test, kind).discard(name)
        if not is_test:
            getattr(self.real, kind).discard(name)

    def drop_overtaken(self, now):
        """Cancel open messages that a later one has overtaken."""
        overdue = {name: due for name, due in self.due.items() if due <= now}
        for name, due in overdue.items():
            if name not in self.done and max(overdue.values()) > due:
                del self.due[name]


def folded(text):
    """The form in which tags and lists are compared."""
    return text.strip().casefold()


def name_of(place):
    """The folded name of the list, or None."""
    return None if place is None else folded(place.parts["list"])


def is_absent(action, person):
    """Whether a lead to move or remove is not at its source."""
    match action:
        case MoveLead(_, None):
            return person is None
        case MoveLead(_, place) | RemoveLead(place):
            return person is None or name_of(place) not in person.lists
    return False


def is_reserved(action, automatic):
    """Whether a custom rule changes an automatic tag."""
    is_tag = isinstance(action, AddTag | RemoveTag) and folded(action.tag) == "auto:x"
    return is_tag and not automatic


def creates(action):
    """Whether the action creates an unknown contact."""
    return isinstance(action, AddTag | AddLead) or (
        isinstance(action, MoveLead) and action.if_absent == "add"
    )


def is_idle(action, person):
    """Whether the action has no contact to change and creates none."""
    match action:
        case AddTag() | AddLead():
            return False
        case MoveLead():
            return is_absent(action, person) and action.if_absent == "skip"
        case RemoveTag(tag):
            return person is None or folded(tag) not in person.tags
    return is_absent(action, person)


def act_on(action, person, *, is_test):
    """Apply the action to the person; return whether it removed anything."""
    match action:
        case AddTag(tag):
            person.add("tags", folded(tag), is_test=is_test)
        case RemoveTag(tag):
            person.remove("tags", folded(tag), is_test=is_test)
            return True
        case AddLead(place):
            if place is not None:
                person.add("lists", name_of(place), is_test=is_test)
        case RemoveLead(place):
            person.remove("lists", name_of(place), is_test=is_test)
            return True
        case MoveLead(to, source):
            sources = person.lists if source is None else {name_of(source)} & person.lists
            person.add("lists", name_of(to), is_test=is_test)
            for name in sources - {name_of(to)}:
                person.remove("lists", name, is_test=is_test)
            return bool(sources - {name_of(to)})
    return False


def merge(data, person, *, is_test):
    """Merge data into those of the person."""
    for name, value in data.items():
        if name == "email":
            continue
        if not is_test:
            person.real.data[name] = value
        elif name not in person.real.data:
            person.test.data.setdefault(name, value)


class SendAgainstModel(RuleBasedStateMachine):
    """After any sequence of calls the store equals the model."""

    def __init__(self):
        super().__init__()
        self.now = datetime(2026, 5, 4, tzinfo=UTC)
        self.send = Send(":memory:", lead_limit=LIMIT, clock=lambda: self.now, pepper=b"pepper")
        self.send.save(AUTOMATION)
        self.published = True
        self.people: dict[str, Person] = {}
        self.suppressed: set[str] = set()
        self.erased: set[str] = set()
        self.ids = count()
        self.last = None

    def teardown(self):
        """Close the store."""
        self.send.close()

    def apply(self, planned, is_test):
        """Apply one action to the model; return the type of the outcome."""
        action, key = planned.action, planned.email.casefold()
        person = self.people.get(key)
        if person is not None and person.is_test and not is_test:
            person = None  # for a real action the contact of a test is not there
        if key in self.erased and creates(action):
            return Refused
        if is_reserved(action, planned.automatic) or (is_test and is_absent(action, person)):
            return Refused
        if is_idle(action, person):
            return NoChange
        if person is None:
            self.people.pop(key, None)
            person = self.people[key] = Person(planned.email, planned.automatic, is_test)
            before = None
        else:
            before = person.state()
        tags = set(person.real.tags)
        removed = act_on(action, person, is_test=is_test)
        merge(planned.data, person, is_test=is_test)
        self.automate(person, person.real.tags - tags)
        return Applied if removed or before != person.state() else NoChange

    def automate(self, person, added):
        """Run the automation after the tags of a person changed."""
        if not person.real.tags >= {"buyer", "vip"}:
            person.due = {name: due for name, due in person.due.items() if name in person.done}
        elif added & {"buyer", "vip"} and self.published:
            for step in AUTOMATION.steps:
                person.due.setdefault(step.message, self.now + step.delay)

    @rule(action=ACTIONS, email=EMAILS, automatic=st.booleans(), is_test=st.booleans(), data=DATA)
    def act(self, action, email, automatic, is_test, data):
        """Apply one action with a new id."""
        planned = PlannedAction(
            "mail", email, action, FrozenMap(data), (), automatic, f"id-{next(self.ids)}"
        )
        outcome = self.send.apply(planned, Call(is_test=is_test))
        kind = self.apply(planned, is_test)
        assert kind is type(outcome)
        self.last = None if kind is Refused else (planned, outcome)

    @rule()
    def repeat(self):
        """Repeat the latest action with its id, which changes nothing."""
        if self.last is not None:
            planned, outcome = self.last
            assert outcome == self.send.apply(planned, Call(attempt=2))

    @rule(email=EMAILS)
    def erase(self, email):
        """Erase a contact, and keep its suppression without the address."""
        key = email.casefold()
        existed = self.people.pop(key, None) is not None or key in self.suppressed
        if key in self.suppressed:
            self.suppressed.remove(key)
            self.erased.add(key)
        assert existed == self.send.erase(email)

    @rule(email=EMAILS)
    def suppress(self, email):
        """Suppress a contact, known or not."""
        key = email.casefold()
        is_new = key not in self.suppressed | self.erased
        if is_new:
            self.suppressed.add(key)
        assert is_new == self.send.suppress(email, "unsubscribed")

    @rule(email=EMAILS)
    def unsuppress(self, email):
        """End a suppression; messages that were overtaken meanwhile are cancelled."""
        key = email.casefold()
        was_suppressed = key in self.suppressed | self.erased
        self.suppressed.discard(key)
        self.erased.discard(key)
        if was_suppressed and key in self.people:
            self.people[key].drop_overtaken(self.now)
        assert was_suppressed == self.send.unsuppress(email)

    @rule(published=st.booleans())
    def publish(self, published):
        """Publish or withdraw the automation."""
        (self.send.publish if published else self.send.withdraw)("A")
        if published and not self.published:
            for person in self.people.values():
                person.drop_overtaken(self.now)
        self.published = published

    @rule()
    def remove_tests(self):
        """Remove what tests wrote."""
        tests = [key for key, person in self.people.items() if person.is_test]
        for key in tests:
            del self.people[key]
        for person in self.people.values():
            person.test = Marks()
        assert len(tests) == self.send.remove_tests()

    @rule(hours=st.integers(1, 4))
    def pass_time(self, hours):
        """Let time pass."""
        self.now += timedelta(hours=hours)

    @rule()
    def mail(self):
        """Send the messages that are due."""
        for message in self.send.due(self.now):
            assert self.send.done(message.id)
            self.people[message.email.casefold()].done.add(message.message)

    def real_people(self):
        """The contacts that are not of tests, by key, in the order of arrival."""
        return [(key, person) for key, person in self.people.items() if not person.is_test]

    def is_sendable(self, position, key):
        """Whether the contact at this position may be sent to."""
        return position < LIMIT and key not in self.suppressed

    @invariant()
    def contacts_agree(self):
        """The contacts are equal and in the same order."""
        people = self.real_people()
        assert [
            (
                p.email,
                "AUTO" if p.automatic else "",
                p.real.tags,
                p.real.lists,
                p.real.data,
                self.is_sendable(n, key),
            )
            for n, (key, p) in enumerate(people)
        ] == [
            (
                lead.email,
                lead.label,
                {folded(tag) for tag in lead.tags},
                {folded(place.parts["list"]) for place in lead.places},
                lead.data,
                lead.sendable,
            )
            for lead in self.send.contacts()
        ]
        assert max(0, LIMIT - len(people)) == self.send.remaining

    @invariant()
    def each_contact_agrees(self):
        """A look at one contact shows what tests wrote as well."""
        for key, person in self.people.items():
            lead = self.send.contact(key)
            assert lead is not None
            assert (person.tags, person.lists, person.is_test) == (
                {folded(tag) for tag in lead.tags},
                {folded(place.parts["list"]) for place in lead.places},
                lead.is_test,
            )
            assert {**person.test.data, **person.real.data} == lead.data
            assert (key in self.suppressed) == (lead.suppressed is not None)

    @invariant()
    def tags_agree(self):
        """The counts of tags are equal."""
        tags = [tag for _, person in self.real_people() for tag in person.real.tags]
        assert {tag: tags.count(tag) for tag in tags} == {
            folded(tag): number for tag, number in self.send.tags().items()
        }

    @invariant()
    def outbox_agrees(self):
        """The due messages are equal."""
        expected = [
            (person.email, message)
            for n, (key, person) in enumerate(self.real_people())
            if self.published and self.is_sendable(n, key)
            for message, due in person.due.items()
            if due <= self.now and message not in person.done
        ]
        assert sorted(expected) == sorted((m.email, m.message) for m in self.send.due(self.now))

    @invariant()
    def places_agree(self):
        """The counts of places are equal."""
        lists = [name for _, person in self.real_people() for name in person.real.lists]
        counted = {Place(list=name): lists.count(name) for name in lists}
        assert counted == {
            Place(list=folded(place.parts["list"])): n for place, n in self.send.places().items()
        }


TestSend = SendAgainstModel.TestCase
TestSend.settings = settings(stateful_step_count=30)
