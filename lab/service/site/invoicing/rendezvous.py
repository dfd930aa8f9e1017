"""Makes two requests interleave the same way each time: header X-Pair is "<name>:first" or "<name>:second"."""

import threading

TIMEOUT = 20  # seconds


class Rendezvous:
    """The first request writes, then the second writes, and only then does either go on."""

    def __init__(self):
        self._lock = threading.Lock()
        self._events = {}

    def _event(self, pair, step):
        with self._lock:
            return self._events.setdefault((pair, step), threading.Event())

    def _wait(self, pair, step):
        if not self._event(pair, step).wait(TIMEOUT):
            raise TimeoutError(f"the {step} request of pair {pair} never came")

    def before_write(self, request):
        pair, step = request.headers["X-Pair"].split(":")
        if step == "second":
            self._wait(pair, "first")

    def after_write(self, request):
        pair, step = request.headers["X-Pair"].split(":")
        self._event(pair, step).set()
        if step == "first":
            self._wait(pair, "second")
