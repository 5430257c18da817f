"""Writes prints.json: how numpy prints arrays of every dtype we have.

python test/golden/make-prints.py     (needs numpy 2.4)

Each record: dtype, shape, the bytes of the values in base64, and str(array).
"""

import base64
import json
import pathlib

import numpy as np

rng = np.random.default_rng(3)
records = []


def record(values, dtype="float32"):
    array = np.asarray(values, dtype=dtype)
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    records.append(
        {"dtype": array.dtype.name, "shape": array.shape, "data": data, "text": str(array)}
    )


def record_floats(values):
    with np.errstate(over="ignore", under="ignore"):
        record(values, "float32")
        record(values, "float64")


# Scalars and lists whose digits, widths and exponents are all different.
for value in [0, -0.0, 1, -1.5, 0.1, 1e-4, 9e-5, 999999, 1e6, 123456789, 1e16, 1e-40, np.nan, -np.inf]:
    record_floats(value)
    record_floats([value])
for values in [
    [1, 2, 3], [-1, 10, 100], [0.1, 0.25, 1 / 3], [1e-5, 1], [1e-3, 1, 999], [0.01, 10.01],
    [1e100, 1e-5], [123456.789, 0.5], [1, np.nan, np.inf], [np.nan, -np.inf], [0, -0.0],
    [1e-4, 0.05],
    [1e10, np.nan, -np.inf], [2**-9, 1], [1 + 2**-9, 3 * 2**-9], [1e4 + 2**-9, 2**-10, 5e-5],
    [1e8, 1], [99999999, 1], [1e5, 999.99], [2.44140625e-4, 1e-9],
]:  # fmt: skip
    record_floats(values)
record_floats(2.0 ** np.arange(-20, 21).reshape(1, 41))

# Nesting, wrapped lines, gaps.
for shape in [(2, 3), (2, 1, 3), (1, 1, 1, 1), (3, 0), (0,), (2, 2, 2, 2), (30,), (2, 12), (4, 1)]:
    record_floats(np.round(rng.normal(size=shape) * 10, 3))
    record_floats(rng.normal(size=shape))
for shape in [(1000,), (1001,), (500, 3), (3, 500), (7, 2, 100), (2, 3, 4, 50)]:
    record(np.arange(np.prod(shape)).reshape(shape) % 251, "uint8")
record(rng.normal(size=(6, 200)))

# Integers and truth values.
for values in [0, -7, [0], [-1, 10], [[100, -2147483648]], np.zeros((0, 2)), np.arange(40) * 1000]:
    record(values, "int32")
for values in [255, [0, 255], [[1, 2], [30, 4]]]:
    record(values, "uint8")
for values in [True, False, [True], [True, False], [[False], [False]], np.zeros((2, 40))]:
    record(values, "bool")

rows = ",\n".join(json.dumps(each) for each in records)
path = pathlib.Path(__file__).with_name("prints.json")
path.write_text(f'{{\n"by": "numpy {np.__version__}",\n"records": [\n{rows}\n]\n}}\n')
