"""Turn the actions of matching rules into a `Plan`.

`compiled` and `capture` prepare actions while the engine is built, `conflict` merges, drops
and sorts them, `binding` fills in the event; `trial` makes the event of an integration test.
"""

__all__: list[str] = []
