"""Prints a safetensors file as JSON: the package's reader where it is there, and one of our own."""

import json
import struct
import sys

import numpy as np

numpy_of = {"F64": "<f8", "F32": "<f4", "I32": "<i4", "U8": "u1", "BOOL": "?"}


def read(path):
    """Written from the format description alone."""
    content = open(path, "rb").read()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    data = content[8 + length :]
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[begin:end], numpy_of[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return metadata, tensors


def show(value):
    return repr(float(value)) if value != value or abs(value) == float("inf") else value


metadata, tensors = read(sys.argv[1])
try:
    from safetensors import safe_open
except ImportError:
    pass
else:
    with safe_open(sys.argv[1], "np") as file:
        assert dict(file.metadata() or {}) == metadata
        assert set(file.keys()) == set(tensors)
        for name, values in tensors.items():
            other = file.get_tensor(name)
            assert other.dtype == values.dtype and other.shape == values.shape, name
            assert other.tobytes() == values.tobytes(), name
found = {
    name: [values.dtype.name, list(values.shape), [show(each) for each in values.flatten().tolist()]]
    for name, values in tensors.items()
}
print(json.dumps({"metadata": metadata, "tensors": found}))
