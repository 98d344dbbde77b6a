"""Long operations: recorded and cut into chunks in the business transaction, done by a worker, resumed after any kill.

``enqueue`` writes the job, its chunks and one pgqueuer row (which carries the job's id and scope, nothing else) in the
caller's transaction. A worker leases one chunk at a time; the chunk's own transaction checks the lease's fence, does the work
and marks the chunk done, so a chunk takes effect exactly once, whoever dies when.
"""

from app.jobs.queue import enqueue
from app.jobs.registry import ChunkView, JobHandler, JobView, handler_of, register_handler

__all__ = ["ChunkView", "JobHandler", "JobView", "enqueue", "handler_of", "register_handler"]
