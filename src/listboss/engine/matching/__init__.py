"""Find the rules that hold for an event.

In the order in which an event meets them: `router` finds its `bucket` of rules; `encoder`
turns its facts into cells of a `partition`; `index` and `bitmap` find the rules that hold.
`normal_form` and `predicate` compile conditions for them.
"""

__all__: list[str] = []
