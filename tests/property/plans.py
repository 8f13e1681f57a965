"""A program, not a test: print one digest of the canonical bytes of many plans.

`python plans.py WORLDS` prints the same line with any Python, any hash seed, and any level of
optimisation. It needs attrs and cattrs, but no test tools: importing `listboss.testing` would
import Hypothesis, so `_worlds` is loaded by its path.
"""

import importlib.util
import sys
from hashlib import blake2b
from pathlib import Path
from random import Random

import listboss
from listboss import Engine
from listboss.codec import dump_plan

spec = importlib.util.spec_from_file_location(
    "_worlds", Path(str(listboss.__file__)).parent / "testing" / "_worlds.py"
)
if spec is None or spec.loader is None:
    raise SystemExit("cannot find listboss.testing._worlds")
_worlds = importlib.util.module_from_spec(spec)
spec.loader.exec_module(_worlds)

digest = blake2b(digest_size=16)
for seed in range(int(sys.argv[1])):
    dice = Random(seed)
    rules = _worlds.random_rules(dice)
    engine = Engine(rules)
    for n in range(20):
        text = dump_plan(engine.plan(_worlds.random_event(dice, rules, id=f"e-{seed}-{n}")))
        digest.update(text.encode() + b"\n")
sys.stdout.write(digest.hexdigest() + "\n")
