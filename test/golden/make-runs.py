"""Writes runs.json: losses of whole training runs of Keras 3 in float64, to be repeated.

The nets are those of the exercise in small: 20 hidden layers, trained for 200 steps by Nadam.
Initial weights and batches come from a formula that both sides have, scrambled(): no numbers need
to be exchanged but the losses. Dropout's masks come from gradloom's stream of random numbers, which
is made here again as it is specified (head of src/backends/random.ts).

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
SEED = 11
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


class Stream:
    """Uniform numbers of a seed below 2^32: Philox 4x32-10, one block for each four elements."""

    def __init__(self, seed):
        self.seed, self.counter = seed, 0

    def take(self, count):
        blocks = -(-count // 4)
        low = np.uint64(2**32 - 1)
        c0 = np.arange(self.counter, self.counter + blocks, dtype=np.uint64)
        c1, c2, c3 = (np.zeros(blocks, np.uint64) for _ in range(3))
        key0, key1 = self.seed, 0
        self.counter += blocks
        for _ in range(10):
            p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
            high0, high1 = p0 >> np.uint64(32), p1 >> np.uint64(32)
            c0, c1 = high1 ^ c1 ^ np.uint64(key0), p1 & low
            c2, c3 = high0 ^ c3 ^ np.uint64(key1), p0 & low
            key0, key1 = (key0 + 0x9E3779B9) % 2**32, (key1 + 0xBB67AE85) % 2**32
        words = np.stack([c0, c1, c2, c3], -1).ravel()[:count]
        return (words >> np.uint64(8)).astype(np.float64) / 2**24


class AlphaDropout(L.AlphaDropout):
    """The formula of Keras's layer, with masks of a Stream."""

    stream = None

    def call(self, inputs, training=False):
        if not training:
            return inputs
        u = self.stream.take(int(np.prod(inputs.shape))).reshape(tuple(inputs.shape))
        kept = torch.tensor((u >= self.rate) * 1.0)
        limit = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946
        a = ((1 - self.rate) * (1 + self.rate * limit**2)) ** -0.5
        return a * (inputs * kept + limit * (1 - kept)) - a * limit * self.rate


def dense(activation=None):
    return L.Dense(UNITS, activation=activation)


def body(kind):
    if kind == "elu":
        return [dense("elu") for _ in range(DEPTH)], 1.3
    if kind == "batchNormalization":
        hidden = [[L.BatchNormalization(), dense(), L.Activation("elu")] for _ in range(DEPTH)]
        return [layer for block in hidden for layer in block], 2
    if kind == "alphaDropout":
        hidden = [[dense("selu"), AlphaDropout(0.05)] for _ in range(DEPTH)]
        return [layer for block in hidden for layer in block], 1
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
    AlphaDropout.stream = stream = Stream(SEED)
    losses = []
    for step in range(STEPS):
        x = scrambled(1000 + step, BATCH * FEATURES).reshape(BATCH, FEATURES)
        y = np.argmax(x[:, :CLASSES], -1)
        model.reset_metrics()
        losses.append(float(model.train_on_batch(x, y)))
    drops = sum(isinstance(each, AlphaDropout) for each in model.layers)
    assert stream.counter == STEPS * drops * BATCH * UNITS // 4
    x = scrambled(5000, BATCH * FEATURES).reshape(BATCH, FEATURES)
    return {"kind": kind, "losses": losses, "predictions": plain(model.predict(x[:4], verbose=0))}


cases = [run(kind) for kind in ("elu", "batchNormalization", "selu", "alphaDropout")]
rows = ",\n".join("    " + json.dumps(each) for each in cases)
(here / "runs.json").write_text(
    f'{{\n  "by": "Keras {keras.__version__}",\n  "cases": [\n{rows}\n  ]\n}}\n'
)
