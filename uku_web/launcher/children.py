"""One child process: started with its log, started again when it dies, ended with all it has begun."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
LONGEST_PAUSE = 30.0
WELL_AFTER = 60.0  # having run for so long, the next death is a new story
LOG_LIMIT = 5_000_000  # bytes at which a log is put aside at the next start


@dataclass
class Child:
    name: str
    command: list[str]
    log: Path
    environ: Callable[[], Mapping[str, str]]  # asked at each start: a moved clock has run on meanwhile
    folder: Path
    last_signal: signal.Signals = signal.SIGKILL  # when the launcher itself is killed
    process: subprocess.Popen | None = field(default=None, repr=False)
    deaths: int = 0
    started: float = 0.0
    next_start: float = 0.0

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environ()),
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C is for the launcher, which ends its children in their order
                preexec_fn=_die_with(os.getpid(), self.last_signal) if sys.platform == "linux" else None,
            )
        self.started = time.monotonic()

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def look_after(self, say: Callable[[str], None]) -> None:
        """Start it again when it has died, after a pause that grows while it keeps dying."""
        if self.running:
            return
        moment = time.monotonic()
        if self.process is not None:
            self.deaths = 1 if moment - self.started > WELL_AFTER else self.deaths + 1
            pause = min(0.5 * 2 ** (self.deaths - 1), LONGEST_PAUSE)
            say(f"{self.name} ended ({self.ending()}) and starts again in {pause:g} s; its log: {self.log}")
            self.process, self.next_start = None, moment + pause
        if moment >= self.next_start:
            self.start()

    def ending(self) -> str:
        code = self.process.returncode
        return f"signal {-code}" if code < 0 else f"exit {code}"

    def ask_to_end(self) -> None:
        if self.running:
            self.process.terminate()

    def kill(self) -> None:
        """With everything in its session that is still there."""
        if self.running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _die_with(parent: int, number: signal.Signals) -> Callable[[], None]:
    """Linux: the kernel ends the child when the launcher is gone, however it went."""
    prctl = ctypes.CDLL(None).prctl

    def prepare() -> None:
        prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
