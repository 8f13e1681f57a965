"""`python -m listboss`: the command line.

It does what the script `listboss` does; see `listboss.cli`.
"""

from listboss.cli import run

__all__: list[str] = []

if __name__ == "__main__":
    run()
