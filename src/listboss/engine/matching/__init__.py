"""Which rules hold for an event? From conditions to an index, and from an event to its rules.

In the order in which an event meets them: `router` leads to a `bucket` of rules; `encoder`
turns the event's facts into cells of a `partition`; `index` and `bitmap` find the rules that
hold. `normal_form` and `predicate` compile conditions for them.
"""

__all__: list[str] = []
