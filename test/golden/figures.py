"""What the scripts beside it share: Keras in float64, and how figures are written."""

import json
import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
import torch

keras.config.set_floatx("float64")
here = pathlib.Path(__file__).parent


def plain(x):
    """As nested lists, with 17 digits."""
    if isinstance(x, torch.Tensor):
        x = x.detach().numpy()
    return np.asarray(x, dtype=np.float64).tolist()


def rounded(x):
    """To five digits, which keeps the files short."""
    return np.array([float(f"{v:.5g}") for v in np.ravel(x)]).reshape(np.shape(x))


def write(name, inputs, cases):
    """One case a line."""
    rows = ",\n".join("    " + json.dumps(each) for each in cases)
    (here / name).write_text(
        f'{{\n  "by": "Keras {keras.__version__}",\n  "inputs": {json.dumps(inputs)},\n'
        f'  "cases": [\n{rows}\n  ]\n}}\n'
    )
