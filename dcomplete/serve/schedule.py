"""Who computes next: several requests share one thread, a denoise step at a time.

People who wait go first and take turns; what is computed ahead of time fills the pauses. A newer
order takes the place of an older one for the same document.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from dcomplete.errors import Cancelled, DcompleteError, Reason, Refusal
from dcomplete.serve.faults import as_answer, broken, full, is_out_of_memory, newer, place_of
from dcomplete.serve.jobs import Counts, Job, Record, record_of, request_of
from dcomplete.serve.limits import Limits
from dcomplete.serve.orders import LoadedModel, Order
from dcomplete.serve.pool import Loaded, ModelPool, release_memory
from dcomplete.types import Infill, Watcher

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Load:
    """The scheduler at one moment. `state` is one of `orders.STATES`."""

    state: str
    ending: bool
    active: int
    waiting: int
    waiting_background: int
    models: tuple[LoadedModel, ...]
    counts: dict[str, int]
    tokens_computed: int


class Scheduler:
    """Takes orders from any thread; `turn` computes, and is called by one thread alone."""

    def __init__(
        self,
        pool: ModelPool,
        limits: Limits | None = None,
        record: Callable[[Record], None] = lambda record: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool, self._limits = pool, limits or Limits()
        self._record, self._clock = record, clock
        self._waiting: dict[bool, deque[Job]] = {False: deque(), True: deque()}  # by background
        self._active: dict[bool, deque[Job]] = {False: deque(), True: deque()}
        self._change, self._loading, self._closed = threading.Condition(), False, False
        self._facts: tuple[LoadedModel, ...] = ()
        self._last, self._counts = clock(), Counts()

    def submit(self, order: Order, watch: Watcher | None = None) -> Job:
        """Queue an order. Raises Refusal: busy where too many wait, no engine after `close`."""
        job = Job(order, watch, self._clock())
        with self._change:
            if self._closed:
                raise Refusal("The engine is ending.", Reason.NO_ENGINE)
            self._counts.requests += 1
            self._last = job.submitted
            ended = [(old, newer()) for old in self._older(order) if self._stop(old, newer())]
            ahead = self._waiting[True]
            many = sum(map(len, self._waiting.values())) >= self._limits.waiting
            refused = many and (order.background or not ahead)
            if many and not refused:
                ended.append((ahead.popleft(), full()))
            if not refused:
                self._waiting[order.background].append(job)
            self._change.notify_all()
        for old, why in [*ended, (job, full())] if refused else ended:
            self._end(old, why)
        if refused:
            raise full()
        return job

    def _older(self, order: Order) -> list[Job]:
        """What `order` supersedes: a background order never takes the place of someone who waits."""
        if not order.key:
            return []
        rivals = (True,) if order.background else (False, True)
        jobs = [j for b in rivals for j in (*self._waiting[b], *self._active[b])]
        return [job for job in jobs if job.order.key == order.key]

    def _stop(self, job: Job, why: DcompleteError) -> bool:
        """With the lock: take a waiting job out (True), or have a running one end at its turn."""
        if job in self._waiting[job.order.background]:
            self._waiting[job.order.background].remove(job)
            return True
        job.stopped = job.stopped or why
        job.cancel.cancel()
        return False

    def drop(self, job: Job) -> None:
        """Nobody waits for the job any more; it ends as Cancelled between two steps."""
        why = Cancelled("The request was cancelled.")
        with self._change:
            if job.future.done():
                return
            waited = self._stop(job, why)
            self._change.notify_all()
        if waited:
            self._end(job, why)

    def close(self, finish: bool = False) -> None:
        """Take no more orders; those under way are cancelled, or with `finish` answered first."""
        why = Cancelled("The engine was stopped.")
        with self._change:
            self._closed = True
            jobs = [] if finish else list(self._jobs())
            ended = [job for job in jobs if self._stop(job, why)]
            self._change.notify_all()
        for job in ended:
            self._end(job, why)

    def _jobs(self) -> Iterator[Job]:
        for queue in (*self._waiting.values(), *self._active.values()):
            yield from queue

    def idle_for(self) -> float:
        """Seconds since the last order ended; 0 while there is one."""
        with self._change:
            return 0.0 if any(self._jobs()) else self._clock() - self._last

    def now(self) -> Load:
        """The scheduler at this moment."""
        with self._change:
            active = sum(map(len, self._active.values()))
            state = "loading" if self._loading else "busy" if active else ""
            return Load(
                state=state or ("ready" if self._facts else "idle"),
                ending=self._closed,
                active=active,
                waiting=len(self._waiting[False]),
                waiting_background=len(self._waiting[True]),
                models=self._facts,
                counts=self._counts.by_name(),
                tokens_computed=self._counts.tokens_computed,
            )

    def run(self) -> None:
        """Compute until `close`, or until something escapes: then nobody is left waiting."""
        try:
            self._run()
        except BaseException as error:
            _log.critical("ended by %s at %s", type(error).__name__, place_of(error))
            with self._change:
                self._closed, left = True, list(self._jobs())
                self._waiting = {False: deque(), True: deque()}
            for job in left:
                with suppress(Exception):
                    self._end(job, broken())

    def _run(self) -> None:
        while True:
            if self.turn():
                continue
            with self._change:
                if any(self._jobs()):
                    continue
                if self._closed:
                    break
                self._change.wait(min(self._patience() or float("inf"), threading.TIMEOUT_MAX))
            self.tend()
        self._pool.clear()

    def _patience(self) -> float | None:
        until = self._limits.patience(self._pool.rested)
        return max(0.0, self._last + until - self._clock()) + 0.01 if self._facts else None

    def tend(self) -> None:
        """In a pause give memory back, and in a long one drop the weights."""
        idle = self.idle_for() if self._facts else -1.0
        if idle >= self._limits.unload_after:
            self._pool.clear()
            with self._change:
                self._facts = ()
        elif idle >= self._limits.rest_after:
            self._pool.rest()

    def turn(self) -> bool:
        """Admit what may run, then one step of one request; False where there is nothing to do."""
        self._sweep()
        while (job := self._candidate()) is not None:
            if not self._admit(job):
                break
        with self._change:
            queue = self._active[False] or self._active[True]
            if not queue:
                return False
            job = queue[0]
            queue.rotate(-1)
        self._step(job)
        return True

    def _sweep(self) -> None:
        """End the running jobs that must not go on."""
        with self._change:
            stopped = [j for queue in self._active.values() for j in queue if j.stopped]
        for job in stopped:
            self._retire(job, job.stopped)

    def _candidate(self) -> Job | None:
        """The waiting job that is next, if there is a place for it. Who waits longest goes first."""
        with self._change:
            here, ahead = self._active[False], self._active[True]
            if len(here) + len(ahead) >= self._limits.active:
                return None
            if self._waiting[False]:
                return self._waiting[False][0]
            return self._waiting[True][0] if self._waiting[True] and not (here or ahead) else None

    def _admit(self, job: Job) -> bool:
        """Let `job` take turns; False if its model must wait for another's requests to end."""
        answer: DcompleteError | None = None
        try:
            loaded = self._weights(job)
            if loaded is None:
                return False
            if job.order.request is not None:
                request = request_of(job, job.order.request, self._clock())
                job.steps = loaded.stepper.steps(request, job.cancel, job.watch)
        except Exception as error:
            answer = self._failure(job, error)
        waiting = self._waiting[job.order.background]
        with self._change:
            if job not in waiting:  # given up while its model was loaded
                return True
            waiting.remove(job)
            job.begun = self._clock()
            if job.steps is not None:
                self._active[job.order.background].append(job)
        if job.steps is None:
            self._end(job, answer)
        return True

    def _weights(self, job: Job) -> Loaded | None:
        """The job's model, loaded if need be; None if there is no place for it yet."""
        start = self._clock()
        self._loading = not self._facts  # the first time, even the libraries are loaded
        try:
            job.choice = job.choice or self._pool.resolve(job.order.choice)
            loaded = self._pool.find(job.choice)
            held = {j.choice for q in self._active.values() for j in q if j.choice}
            if loaded is None and self._pool.make_room(held):
                self._loading = True
                loaded = self._pool.load(job.choice)
        finally:
            with self._change:
                for other in self._waiting[False] if self._loading else ():
                    other.load_s += self._clock() - max(start, other.submitted)
                self._loading, self._facts = False, self._pool.facts
        return loaded

    def _step(self, job: Job) -> None:
        assert job.steps is not None
        try:
            next(job.steps)
        except StopIteration as done:
            self._retire(job, done.value)
        except Exception as error:
            self._retire(job, job.stopped or self._failure(job, error))

    def _failure(self, job: Job, error: Exception) -> DcompleteError:
        if not isinstance(error, DcompleteError):
            _log.error("id=%s %s at %s", job.order.id, type(error).__name__, place_of(error))
        if is_out_of_memory(error):
            with suppress(Exception):  # a device that is out of order: the caller hears of `error`
                release_memory()
        return as_answer(error)

    def _retire(self, job: Job, result: Infill | DcompleteError | None) -> None:
        """Take a job off its turns."""
        try:
            if job.steps is not None:
                job.steps.close()
        except Exception as error:
            self._failure(job, error)
        job.steps = None
        self._end(job, result)

    def _end(self, job: Job, result: Infill | DcompleteError | None) -> None:
        now = self._clock()
        record = record_of(job, result, now)
        with self._change:
            if job in self._active[job.order.background]:
                self._active[job.order.background].remove(job)
            self._counts.add(record)
            self._last = now
        try:
            self._record(record)
        finally:  # whatever became of the log, somebody waits
            if isinstance(result, DcompleteError):
                job.future.set_exception(result)
            else:
                job.future.set_result(result)
