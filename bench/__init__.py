"""Benchmarks of listboss and other rules engines; `python -m bench` runs them all.

The installed library does not include this package. `workload` describes rules and events
in neutral terms, `peers` and `listboss_adapter` translate them for each engine, `cell`
measures one engine at one size in a separate process, `run` prints the tables and `curves`
draws them.
"""

__all__: list[str] = []
