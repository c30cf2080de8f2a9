"""All intervals of background work, in seconds."""

# The tick: how often it looks, and how often each of its steps is due.
TICK = 5.0
TICK_STEPS = {
    "lost runs": 5.0,
    "parents": 15.0,
    "due": 30.0,
    "ring": 5.0,
    "unverified": 300.0,
    "housekeeping": 3600.0,
}
TICK_SEEN = 60  # a tick not heard of for so long is away

# A worker: how often it says that it still holds its run (the lease lasts 30), and how it looks after its queue.
HEARTBEAT = 8.0
WORKER_LOOKS = 5
WORKER_TTL = 20  # the blocking wait for a job lasts 15 less; only between waits are lost jobs looked for
JOB_LOST_AFTER = 15  # without a sign of life the queue gives a job to another worker
FAILURES_KEPT = 600  # the queue's own note of a job whose worker was killed
PARTS_AT_MOST = 600  # so long one job goes on with further parts of its run
JOB_AT_MOST = 6 * 3600  # the lease is what guards; this ends what hangs for ever
