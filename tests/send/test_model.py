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
class Person:
    """A contact in the model."""

    email: str
    automatic: bool
    tags: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    data: dict = field(default_factory=dict)
    open: dict = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def state(self):
        """Everything that an action can change."""
        typed = {name: (type(value), value) for name, value in self.data.items()}
        return set(self.tags), set(self.lists), typed


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


def act_on(action, person):
    """Apply the action to the person."""
    match action:
        case AddTag(tag):
            person.tags.add(folded(tag))
        case RemoveTag(tag):
            person.tags.discard(folded(tag))
        case AddLead(place):
            person.lists |= {name_of(place)} - {None}
        case RemoveLead(place):
            person.lists.discard(name_of(place))
        case MoveLead(to, source):
            person.lists -= person.lists if source is None else {name_of(source)}
            person.lists.add(name_of(to))


def automate(person, now):
    """Run the automation after the tags of a person changed."""
    if {"buyer", "vip"} <= person.tags:
        for step in AUTOMATION.steps:
            if step.message not in person.taken:
                person.open.setdefault(step.message, now + step.delay)
    else:
        person.open.clear()


def apply(people, planned, is_test, now):
    """Apply one action to the model; return the type of the outcome."""
    action, key = planned.action, planned.email.casefold()
    person = people.get(key)
    if is_reserved(action, planned.automatic) or (is_test and is_absent(action, person)):
        return Refused
    if is_idle(action, person):
        return NoChange
    before = None if person is None else person.state()
    person = people.setdefault(key, Person(planned.email, planned.automatic))
    tags = set(person.tags)
    person.data.update({name: value for name, value in planned.data.items() if name != "email"})
    act_on(action, person)
    if tags != person.tags:
        automate(person, now)
    return NoChange if before == person.state() else Applied


class SendAgainstModel(RuleBasedStateMachine):
    """After any sequence of calls the store equals the model."""

    def __init__(self):
        super().__init__()
        self.now = datetime(2026, 5, 4, tzinfo=UTC)
        self.send = Send(":memory:", lead_limit=LIMIT, clock=lambda: self.now)
        self.send.save(AUTOMATION)
        self.people: dict[str, Person] = {}
        self.ids = count()
        self.last = None

    def teardown(self):
        """Close the store."""
        self.send.close()

    @rule(action=ACTIONS, email=EMAILS, automatic=st.booleans(), is_test=st.booleans(), data=DATA)
    def act(self, action, email, automatic, is_test, data):
        """Apply one action with a new id."""
        planned = PlannedAction(
            "mail", email, action, FrozenMap(data), (), automatic, f"id-{next(self.ids)}"
        )
        outcome = self.send.apply(planned, Call(is_test=is_test))
        kind = apply(self.people, planned, is_test, self.now)
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
        """Erase a contact."""
        assert (self.people.pop(email.casefold(), None) is not None) == self.send.erase(email)

    @rule(hours=st.integers(1, 4))
    def pass_time(self, hours):
        """Let time pass."""
        self.now += timedelta(hours=hours)

    @rule()
    def mail(self):
        """Send the messages that are due."""
        for message in self.send.due(self.now):
            assert self.send.done(message.id)
            person = self.people[message.email.casefold()]
            del person.open[message.message]
            person.taken.add(message.message)

    @invariant()
    def contacts_agree(self):
        """The contacts are equal and in the same order."""
        people = list(self.people.values())
        assert [
            (p.email, "AUTO" if p.automatic else "", p.tags, p.lists, p.data, n < LIMIT)
            for n, p in enumerate(people)
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
    def tags_agree(self):
        """The counts of tags are equal."""
        tags = [tag for person in self.people.values() for tag in person.tags]
        assert {tag: tags.count(tag) for tag in tags} == {
            folded(tag): number for tag, number in self.send.tags().items()
        }

    @invariant()
    def outbox_agrees(self):
        """The due messages to contacts within the limit are equal."""
        sendable = list(self.people.values())[:LIMIT]
        expected = [
            (person.email, message)
            for person in sendable
            for message, due in person.open.items()
            if due <= self.now
        ]
        assert sorted(expected) == sorted((m.email, m.message) for m in self.send.due(self.now))

    @invariant()
    def places_agree(self):
        """The counts of places are equal."""
        lists = [name for person in self.people.values() for name in person.lists]
        counted = {Place(list=name): lists.count(name) for name in lists}
        assert counted == {
            Place(list=folded(place.parts["list"])): n for place, n in self.send.places().items()
        }


TestSend = SendAgainstModel.TestCase
TestSend.settings = settings(stateful_step_count=30)
