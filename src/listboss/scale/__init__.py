"""Plan whole batches of events: Arrow columns in, Arrow columns out.

For logs of events in Parquet, a warehouse or a data frame. `plan_batch` gives the same plans as
`Engine.plan`, ids included, and a row that is not a valid event becomes a row with its error, so
that one bad row never fails a batch. `accept_plans` puts them into a journal, which delivers
them. Needs the extra `listboss[arrow]`; `listboss.scale.spark` also needs `listboss[spark]`.
"""

from listboss.scale._events import events_to_batch
from listboss.scale._kernel import plan_batch
from listboss.scale._plans import PlanJournal, accept_plans, batch_to_plans
from listboss.scale._schema import event_schema, plan_schema
from listboss.scale._webhooks import webhooks_to_batch

__all__ = [
    "PlanJournal",
    "accept_plans",
    "batch_to_plans",
    "event_schema",
    "events_to_batch",
    "plan_batch",
    "plan_schema",
    "webhooks_to_batch",
]
