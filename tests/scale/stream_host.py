"""A driver of Spark that plans a stream of files into a journal, until it is killed.

`python stream_host.py FOLDER DSN SCHEMA`: FOLDER has the `rules.json`, and the events in `events`.
"""

import sys
from pathlib import Path
from typing import Any

from listboss.codec import load_rules
from listboss.scale.spark import event_ddl, plans, write_outbox
from tests.spark import new_session


def run_stream(spark: Any, folder: Path, dsn: str, schema: str) -> None:
    """Run the stream until it has read every file."""
    rules = load_rules((folder / "rules.json").read_text())
    events = spark.readStream.schema(event_ddl(rules))
    events = events.option("maxFilesPerTrigger", 1).parquet(str(folder / "events"))
    stream = plans(events, rules).writeStream.foreachBatch(
        write_outbox(dsn, schema=schema, events_at_once=5)
    )
    stream = stream.option("checkpointLocation", str(folder / "checkpoint"))
    stream.trigger(availableNow=True).start().awaitTermination()


if __name__ == "__main__":
    run_stream(new_session(), Path(sys.argv[1]), *sys.argv[2:])
