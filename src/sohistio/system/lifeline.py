"""Ties a child process to this one: whatever ends sohistio, SIGKILL included, ends the tool it has started.

Only the kernel can do that: a process that is killed outright runs no code any more. On Linux a child may ask for a
signal at its parent's death (prctl(2), PR_SET_PDEATHSIG), which an exec keeps. `preexec_fn` is not safe beside threads,
so a small program asks and then becomes the tool. Elsewhere the command is left as it is: a tool may run to its end.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Sequence

# PR_SET_PDEATHSIG is 1, SIGKILL is 9. If the parent died before the call, the child has another one by now. Whoever
# started sohistio in the background ignores SIGINT (2), and a tool that inherits that cannot be asked to end.
_ASK_AND_BECOME = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.prctl(1, 9, 0, 0, 0)
libc.signal(2, None)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
try:
    os.execv(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(str(error))
"""


def tied_to_us(command: Sequence[str]) -> tuple[str, ...]:
    """The command in a form that ends with this process; it costs 10 ms.

    Start it from a thread that outlives it: for the kernel, the parent is the thread. Raises OSError where there is no
    such program.
    """
    if not sys.platform.startswith("linux"):
        return tuple(command)
    program = shutil.which(command[0])
    if program is None:
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), command[0])
    return (sys.executable, "-I", "-S", "-c", _ASK_AND_BECOME, str(os.getpid()), program, *command[1:])
