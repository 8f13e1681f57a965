"""`python -m bench`: see `bench.run`."""

from bench.run import main

__all__: list[str] = []

if __name__ == "__main__":
    raise SystemExit(main())
