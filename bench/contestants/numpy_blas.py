"""numpy with the BLAS it was built with (usually OpenBLAS): matrix products only."""

import os

threads = os.environ.get("GRADLOOM_THREADS")
if threads:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = threads
try:
    import numpy as np
except ImportError as error:
    print('{"error": "numpy is not installed for this python"}', flush=True)
    raise SystemExit(0) from error

from answer import answer


def prepare(case):
    if case["kind"] != "matmul":
        raise ValueError("not measured with numpy")
    m, n, k = case["m"], case["n"], case["k"]
    rng = np.random.default_rng(1)
    random = lambda *shape: rng.standard_normal(shape, dtype=np.float32)
    a = random(k, m).T if case["transA"] else random(m, k)
    b = random(n, k).T if case["transB"] else random(k, n)
    out = np.empty((m, n), np.float32)
    return lambda: np.matmul(a, b, out=out)


answer(f"numpy {np.__version__}", prepare)
