"""Show a rule set to people: as Mermaid text, and as one HTML page that needs no network.

`page` makes a page with all rules by product, from the event over the condition to the actions,
with findings beside the rules that they are about. `mermaid` makes the same as a flowchart, for
a README or a merge request. Both are pure functions of a rule set and its findings.

INVARIANT: nothing that a user wrote can become markup or code (tests/diagram/test_page.py).
"""

from listboss.diagram._mermaid import mermaid
from listboss.diagram._page import page

__all__ = ["mermaid", "page"]
