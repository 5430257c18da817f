"""numpy with the BLAS it was built with (usually OpenBLAS)."""

import os

from answer import answer, refuse

try:
    import numpy as np
except ImportError:
    refuse("numpy is not installed for this python")


threads = os.cpu_count()


def matmul(case):
    m, n, k = case["m"], case["n"], case["k"]
    rng = np.random.default_rng(1)

    def random(*shape):
        return rng.standard_normal(shape, dtype=np.float32)

    a = random(k, m).T if case["transA"] else random(m, k)
    b = random(n, k).T if case["transB"] else random(k, n)
    out = np.empty((m, n), np.float32)
    return lambda: np.matmul(a, b, out=out)


def elementwise(case):
    n, op = case["n"], case["op"]
    x = np.random.default_rng(1).standard_normal(n, dtype=np.float32)
    if op == "log":
        x = np.exp(x)
    rows, out = x.reshape(-1, 1000), np.empty_like(x)
    return {
        "copy": lambda: np.copyto(out, x),
        "addScaled": lambda: np.add(np.multiply(x, x, out=out), x, out=out),
        "exp": lambda: np.exp(x, out=out),
        "tanh": lambda: np.tanh(x, out=out),
        "log": lambda: np.log(x, out=out),
        "sum": lambda: x.sum(),
        "sumRows": lambda: rows.sum(1),
        "sumColumns": lambda: rows.sum(0),
        "max": lambda: x.max(),
    }[op]


def prepare(request):
    case = request["case"]
    if case["kind"] == "map" and case["op"] in ("elu", "erf", "softmax"):
        raise ValueError(f"numpy has no {case['op']}")
    if request["threads"] != threads:
        raise ValueError("numpy's threads are set when it starts")
    return {"matmul": matmul, "map": elementwise}[case["kind"]](case)


answer(f"numpy {np.__version__}", prepare)
