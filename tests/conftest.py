"""What all tests stand on."""

from __future__ import annotations

import signal

# A shell gives what it runs in the background an ignored SIGINT, and children inherit that; tests press Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
