"""The exit code of a process is the one that was told, whatever its threads still do and whatever signal comes."""

from __future__ import annotations

import subprocess
import sys

from sohistio.system.parallel import side_by_side

_ENDS = 16

_AT_WORK = """
import ssl, sys, threading, time
from sohistio.system.process_end import ends_with, watch_the_end

def look():
    while True:
        ssl.create_default_context()

watch_the_end()
for _ in range(5):
    threading.Thread(target=look, daemon=True).start()
time.sleep(0.1)
print("last words", flush=True)
ends_with(130)
sys.exit(130)
"""


def test_threads_that_nobody_waits_for_do_not_crash_the_end() -> None:
    def end(_: int) -> tuple[int, str, str]:
        done = subprocess.run([sys.executable, "-c", _AT_WORK], capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout, done.stderr

    assert set(side_by_side(end, range(_ENDS), at_once=2)) == {(130, "last words\n", "")}


_SIGNAL_AT_THE_END = """
import atexit, os, signal, sys
from sohistio.system.interruption import end_on_signals
from sohistio.system.process_end import ends_with, watch_the_end

watch_the_end()
end_on_signals()
atexit.register(os.kill, os.getpid(), signal.SIGTERM)
atexit.register(print, "cleaned up", flush=True)
ends_with(4)
sys.exit(4)
"""


def test_a_signal_when_all_is_told_leaves_the_exit_code_and_the_clean_up() -> None:
    program = [sys.executable, "-c", _SIGNAL_AT_THE_END]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (4, "cleaned up\n", "")
