"""The answering side of the protocol, for contestants in Python."""

import json
import os
import sys
import time


def refuse(reason):
    """Tells the benchmark that this contestant cannot run here, and ends."""
    print(json.dumps({"error": reason}), flush=True)
    raise SystemExit(0)


def measure(repetition, budget, wait):
    """Median milliseconds of a repetition within a budget, after a warm-up of a quarter of it.

    Short repetitions are timed many at a time, so that the clock does not count. `wait` returns
    when what was begun is done.
    """
    began = time.perf_counter()
    warm = 0
    while True:
        repetition()
        warm += 1
        if time.perf_counter() - began >= budget / 4000:
            break
    wait()
    each = (time.perf_counter() - began) / warm
    together = max(1, int(min(0.05, budget / 8000) / each))
    times = []
    end = time.perf_counter() + budget / 1000
    while True:
        start = time.perf_counter()
        for _ in range(together):
            repetition()
        wait()
        times.append((time.perf_counter() - start) / together)
        if len(times) >= 2 and time.perf_counter() >= end:
            break
    return sorted(times)[len(times) // 2] * 1000


def images(case):
    """Images (float32, standardized) and labels: CIFAR-10's files, or random ones without them."""
    import numpy as np

    samples = case["samples"]
    if case["data"] is None:
        rng = np.random.default_rng(1)
        x = rng.integers(0, 256, (samples, 3072)).astype("float32")
        y = rng.integers(0, 10, samples)
    else:
        names = [f"data_batch_{i}.bin" for i in range(1, 6)]
        files = [np.fromfile(os.path.join(case["data"], name), np.uint8) for name in names]
        records = np.concatenate(files).reshape(-1, 3073)[5000 : 5000 + samples]
        x, y = records[:, 1:].astype("float32"), records[:, 0].astype("int64")
    return (x - x.mean(0)) / x.std(0), y


def answer(version, prepare, wait=lambda: None):
    """`prepare(request)` gives a repetition, or the value itself as a float."""
    out = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is not an answer

    def say(value):
        out.write(json.dumps(value) + "\n")
        out.flush()

    say({"version": version})
    for line in sys.stdin:
        try:
            request = json.loads(line)
            prepared = prepare(request)
            value = prepared if isinstance(prepared, float) else measure(prepared, request["budget"], wait)
            say({"value": value})
        except Exception as error:  # the benchmark shows it and goes on
            say({"error": f"{type(error).__name__}: {error}"})
