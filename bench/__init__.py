"""Benchmarks of listboss beside other rules engines; `python -m bench` runs them all.

Nothing here is part of the installed library. `workload` describes rules and events in
neutral terms, `peers` and `listboss_adapter` put them into each engine's own form, `cell`
measures one engine at one size in a process of its own, `run` prints the tables and
`curves` draws them.
"""

__all__: list[str] = []
