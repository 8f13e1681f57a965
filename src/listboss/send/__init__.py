"""The embedded provider: contacts, tags, the lead limit and automations, on SQLite.

`Send` is a provider like any other, for hosts without an account elsewhere, for tests and
for trying rules out. It stores contacts and schedules messages; it never sends e-mail.
"""

from __future__ import annotations

from listboss.send._lead import Lead, Origin
from listboss.send.automation import Automation, Message, Step
from listboss.send.send import Send

__all__ = ["Automation", "Lead", "Message", "Origin", "Send", "Step"]
