"""The side of the protocol that answers, for contestants in Python."""

import json
import sys
import time


def measure(repetition, budget):
    """Median milliseconds of a repetition within a budget, after a warm-up of a fifth of it."""
    end = time.perf_counter() + budget / 5000
    while True:
        repetition()
        if time.perf_counter() >= end:
            break
    times = []
    end = time.perf_counter() + budget / 1000
    while True:
        start = time.perf_counter()
        repetition()
        times.append(time.perf_counter() - start)
        if time.perf_counter() >= end:
            break
    return sorted(times)[len(times) // 2] * 1000


def answer(version, prepare):
    """`prepare(case)` gives a repetition, or milliseconds per repetition itself."""
    out = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is not an answer

    def say(value):
        out.write(json.dumps(value) + "\n")
        out.flush()

    say({"version": version})
    for line in sys.stdin:
        try:
            request = json.loads(line)
            prepared = prepare(request["case"])
            ms = prepared if isinstance(prepared, float) else measure(prepared, request["budget"])
            say({"ms": ms})
        except Exception as error:  # the benchmark shows it and goes on
            say({"error": f"{type(error).__name__}: {error}"})
