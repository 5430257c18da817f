"""Writes from-python.safetensors with the safetensors package: every element type that gradloom reads.

python test/golden/make-safetensors.py     (needs numpy, torch, safetensors)
"""

import pathlib

import numpy as np
import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
halves = [0.0, -0.0, 1.0, -2.5, 65504.0, 2.0**-24, 6.1e-5, float("inf"), float("-inf"), float("nan")]
brains = [0.0, 1.0, -3.0, 3.3895313892515355e38, 1e-40, float("inf")]
tensors = {
    "F64": torch.tensor([[0.1, -1e300], [2.0**-1074, 3.0]], dtype=torch.float64),
    "F32": torch.tensor([1.5, -2.25, 3.4028234663852886e38], dtype=torch.float32),
    "F16": torch.tensor(halves, dtype=torch.float16),
    "BF16": torch.tensor(brains, dtype=torch.bfloat16),
    "I64": torch.tensor([-2147483648, 2147483647], dtype=torch.int64),
    "I32": torch.tensor([-5, 7], dtype=torch.int32),
    "I16": torch.tensor([-32768, 32767], dtype=torch.int16),
    "I8": torch.tensor([-128, 127], dtype=torch.int8),
    "U64": torch.tensor([0, 2147483647], dtype=torch.uint64),
    "U32": torch.tensor([0, 2147483647], dtype=torch.uint32),
    "U16": torch.tensor([0, 65535], dtype=torch.uint16),
    "U8": torch.tensor([[0, 255]], dtype=torch.uint8),
    "BOOL": torch.tensor([True, False, True]),
    "scalar": torch.tensor(7.0),
    "empty": torch.zeros((0, 3)),
    "ünïcode \"name\"": torch.tensor([1.0]),
}
save_file(tensors, here / "from-python.safetensors", metadata={"format": "pt", "note": "a \"b\" ü"})
