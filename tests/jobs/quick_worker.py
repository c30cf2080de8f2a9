"""A true worker process whose work is a stand-in: run `python -m tests.jobs.quick_worker FILE`.

Its first taking of a run writes "first" into FILE and never ends; a later one writes months and is done.
"""

import sys
import threading
from datetime import timedelta
from pathlib import Path

from jobs import intervals

intervals.WORKER_LOOKS, intervals.WORKER_TTL, intervals.JOB_LOST_AFTER, intervals.HEARTBEAT = 1, 16, 2, 0.5

from jobs import work, worker  # noqa: E402
from uku_web.db import db  # noqa: E402
from uku_web.models import RunState  # noqa: E402
from uku_web.services import runs  # noqa: E402

runs.LEASE = timedelta(seconds=2)


def service(hold: runs.Hold, _setup) -> list[int]:
    diary = Path(sys.argv[1])
    if not diary.exists():
        diary.write_text("first")
        while True:
            threading.Event().wait(0.2)
            runs.guard(hold)
            db.session.commit()
    runs.finish(hold, RunState.DONE, "Went on where it stood.")
    db.session.commit()
    return []


work.SERVICES["statistics"] = service
worker.main()
