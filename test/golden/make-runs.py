"""Writes runs.json: losses of whole training runs of Keras 3 in float64, to be repeated.

The nets are those of the exercise in small: 20 hidden layers, trained for 200 steps by Nadam.
Initial weights and batches come from a formula that both sides have, scrambled(): no numbers need
to be exchanged but the losses.

python test/golden/make-runs.py     (needs keras 3.15, torch 2.13, numpy)
"""

import json

from figures import here, keras, np, plain, torch
from keras.src.backend.common import dtypes

keras.config.set_dtype_policy("float64")
# On torch Keras promotes float64 with float64 to float32 otherwise.
dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"

# Matrices this small only lose by more threads.
torch.set_num_threads(1)

FEATURES, UNITS, CLASSES, BATCH, STEPS, DEPTH = 12, 16, 10, 32, 200, 20
L = keras.layers


def scrambled(stream, count):
    """Numbers from -1 to 1: bits of a counter, stirred by whole-number arithmetic."""
    x = (np.arange(count, dtype=np.uint64) + np.uint64(1000003 * stream + 1)) & np.uint64(2**32 - 1)
    for _ in range(2):
        x = ((x >> np.uint64(16)) ^ x) * np.uint64(0x45D9F3B) & np.uint64(2**32 - 1)
    x = (x >> np.uint64(16)) ^ x
    return x.astype(np.float64) / 2**31 - 1


def weights(shape, layer, gain):
    """Uniform with the variance gain / fan-in."""
    return scrambled(layer, shape[0] * shape[1]).reshape(shape) * np.sqrt(3 * gain / shape[0])


def dense(activation=None):
    return L.Dense(UNITS, activation=activation)


def body(kind):
    if kind == "elu":
        return [dense("elu") for _ in range(DEPTH)], 1.3
    if kind == "batchNormalization":
        hidden = [[L.BatchNormalization(), dense(), L.Activation("elu")] for _ in range(DEPTH)]
        return [layer for block in hidden for layer in block], 2
    return [dense("selu") for _ in range(DEPTH)], 1


def run(kind):
    layers, gain = body(kind)
    model = keras.Sequential([*layers, L.Dense(CLASSES, activation="softmax")])
    model.build((None, FEATURES))
    for i, layer in enumerate(each for each in model.layers if isinstance(each, L.Dense)):
        kernel, bias = layer.get_weights()
        layer.set_weights([weights(kernel.shape, i, gain), bias])
    # Batches of a net that learns: labels follow from the features.
    model.compile(
        optimizer=keras.optimizers.Nadam(3e-4),
        loss="sparse_categorical_crossentropy",
    )
    losses = []
    for step in range(STEPS):
        x = scrambled(1000 + step, BATCH * FEATURES).reshape(BATCH, FEATURES)
        y = np.argmax(x[:, :CLASSES], -1)
        model.reset_metrics()
        losses.append(float(model.train_on_batch(x, y)))
    x = scrambled(5000, BATCH * FEATURES).reshape(BATCH, FEATURES)
    return {"kind": kind, "losses": losses, "predictions": plain(model.predict(x[:4], verbose=0))}


cases = [run(kind) for kind in ("elu", "batchNormalization", "selu")]
rows = ",\n".join("    " + json.dumps(each) for each in cases)
(here / "runs.json").write_text(
    f'{{\n  "by": "Keras {keras.__version__}",\n  "cases": [\n{rows}\n  ]\n}}\n'
)
