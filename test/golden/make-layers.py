"""Writes layers.json and moving.json: figures of Keras 3's layers in float64, with given weights.

python test/golden/make-layers.py     (needs keras 3.15, torch 2.13, numpy)
"""

import re

from figures import keras, np, plain, rounded, torch, write
from keras.src.backend.common import dtypes

random = np.random.default_rng(11)
L = keras.layers
keras.config.set_dtype_policy("float64")
# On torch Keras promotes float64 with float64 to float32 otherwise.
dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"


def snake(name):
    return re.sub("([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def batch(*shape):
    return rounded(random.normal(size=shape) * 2)


inputs = {
    "features": batch(4, 3),
    "others": batch(4, 3),
    "third": batch(4, 3),
    "sequence": batch(2, 3, 4),
    "rows": batch(2, 1, 4),
    "column": batch(2, 4),
    "images": batch(2, 3, 2, 2),
    "tokens": np.array([[0, 3, 1], [3, 3, 2], [4, 0, 0]]),
}

# Class, arguments, options (by our names), inputs, training.
layer_cases = [
    ("Dense", [2], {}, ["features"], False),
    ("Dense", [2], {"useBias": False, "activation": "tanh"}, ["features"], False),
    ("Dense", [5], {"activation": "elu"}, ["sequence"], False),
    ("Dense", [3], {"activation": "softmax"}, ["features"], False),
    ("Dense", [3], {"activation": "silu"}, ["features"], False),
    ("BatchNormalization", [], {}, ["features"], True),
    ("BatchNormalization", [], {}, ["features"], False),
    ("BatchNormalization", [], {"scale": False}, ["images"], True),
    ("BatchNormalization", [], {"center": False, "epsilon": 0.1}, ["sequence"], True),
    ("BatchNormalization", [], {"axis": 1, "momentum": 0.6}, ["images"], True),
    ("BatchNormalization", [], {"axis": 1}, ["images"], False),
    ("BatchNormalization", [], {"trainable": False}, ["features"], True),
    ("LayerNormalization", [], {}, ["features"], True),
    ("LayerNormalization", [], {"axis": [1, 2], "epsilon": 0.01}, ["sequence"], False),
    ("LayerNormalization", [], {"axis": -1, "center": False}, ["images"], False),
    ("LayerNormalization", [], {"axis": [1, 2, 3], "scale": False}, ["images"], False),
    ("ReLU", [], {}, ["features"], False),
    ("ReLU", [], {"maxValue": 2.5, "negativeSlope": 0.2, "threshold": 0.4}, ["features"], False),
    ("LeakyReLU", [], {}, ["features"], False),
    ("LeakyReLU", [], {"negativeSlope": 0.05}, ["features"], False),
    ("ELU", [], {}, ["features"], False),
    ("ELU", [], {"alpha": 0.5}, ["features"], False),
    ("PReLU", [], {}, ["sequence"], False),
    ("PReLU", [], {"sharedAxes": [1]}, ["sequence"], False),
    ("PReLU", [], {"sharedAxes": [1, 2]}, ["images"], False),
    ("Softmax", [], {}, ["sequence"], False),
    ("Softmax", [], {"axis": 1}, ["sequence"], False),
    ("Activation", ["gelu"], {}, ["features"], False),
    ("Activation", ["leakyRelu"], {}, ["features"], False),
    ("Flatten", [], {}, ["images"], False),
    ("Reshape", [[4, -1]], {}, ["images"], False),
    ("Permute", [[3, 1, 2]], {}, ["images"], False),
    ("Rescaling", [0.25], {"offset": -1}, ["features"], False),
    ("Embedding", [5, 3], {}, ["tokens"], False),
    ("Concatenate", [], {}, ["features", "others", "third"], False),
    ("Concatenate", [], {"axis": 1}, ["sequence", "rows"], False),
    ("Add", [], {}, ["features", "others", "third"], False),
    ("Add", [], {}, ["sequence", "column"], False),
    ("Subtract", [], {}, ["features", "others"], False),
    ("Multiply", [], {}, ["features", "others", "third"], False),
    ("Multiply", [], {}, ["sequence", "rows"], False),
    ("Average", [], {}, ["features", "others", "third"], False),
    ("Maximum", [], {}, ["features", "others"], False),
    ("Minimum", [], {}, ["features", "others"], False),
    ("Dot", [1], {}, ["features", "others"], False),
    ("Dot", [-1], {"normalize": True}, ["features", "others"], False),
    ("Dot", [2], {}, ["sequence", "rows"], False),
    ("Dot", [[1, 2]], {"normalize": True}, ["column", "sequence"], False),
    ("Dot", [[3, 2]], {}, ["images", "images"], False),
    ("UnitNormalization", [], {}, ["features"], False),
    ("UnitNormalization", [], {"axis": [1, 2]}, ["sequence"], False),
    ("RepeatVector", [3], {}, ["features"], False),
    ("Identity", [], {}, ["features"], False),
    ("ActivityRegularization", [], {"l1": 0.1, "l2": 0.01}, ["features"], True),
    ("CELU", [], {}, ["features"], False),
    ("Exponential", [], {}, ["features"], False),
    ("GELU", [], {}, ["features"], False),
    ("GELU", [], {"approximate": True}, ["features"], False),
    ("HardSigmoid", [], {}, ["features"], False),
    ("LogSoftmax", [], {}, ["features"], False),
    ("LogSoftmax", [], {"axis": 1}, ["sequence"], False),
    ("Mish", [], {}, ["features"], False),
    ("ReLU6", [], {}, ["features"], False),
    ("SELU", [], {}, ["features"], False),
    ("Sigmoid", [], {}, ["features"], False),
    ("SiLU", [], {}, ["features"], False),
    ("Softplus", [], {}, ["features"], False),
    ("Softsign", [], {}, ["features"], False),
    ("Tanh", [], {}, ["features"], False),
]

# Layers of ours for which Keras has a function; their options are its arguments.
functions = {
    "CELU": "celu",
    "Exponential": "exponential",
    "GELU": "gelu",
    "HardSigmoid": "hard_sigmoid",
    "LogSoftmax": "log_softmax",
    "Mish": "mish",
    "ReLU6": "relu6",
    "SELU": "selu",
    "Sigmoid": "sigmoid",
    "SiLU": "silu",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Tanh": "tanh",
}


def upstream(y):
    """Gradients of the outputs, so that none of the inputs' is zero or alike."""
    count = y.numel()
    return torch.sin(torch.arange(1, count + 1, dtype=torch.float64)).reshape(y.shape)


def made(name, args, options):
    given = [snake(each) if isinstance(each, str) else each for each in args]
    options = {snake(key): value for key, value in options.items()}
    if isinstance(options.get("activation"), str):
        options["activation"] = snake(options["activation"])
    if name in functions:
        function = getattr(keras.activations, functions[name])
        return L.Activation(lambda x: function(x, **options))
    return getattr(L, name)(*given, **options)


def figures(name, args, options, names, training):
    layer = made(name, args, options)
    whole = name == "Embedding"
    xs = [
        torch.tensor(inputs[each], dtype=torch.int64 if whole else torch.float64) for each in names
    ]
    for x in xs:
        x.requires_grad = not whole
    given = xs if len(xs) > 1 else xs[0]
    layer.build([tuple(x.shape) for x in xs] if len(xs) > 1 else tuple(xs[0].shape))
    # Variances must be positive.
    weights = [
        rounded(random.uniform(0.5, 2, w.shape))
        if "variance" in w.name
        else rounded(random.normal(size=w.shape))
        for w in layer.weights
    ]
    layer.set_weights(weights)
    # Called first: gradients are recorded for variables that are trainable.
    y = layer(given, training=training)
    penalty = sum(layer.losses)
    ((y * upstream(y)).sum() + penalty).backward()
    return {
        "class": name,
        "args": args,
        "options": options,
        "inputs": names,
        "training": training,
        "weights": [plain(w) for w in weights],
        "y": plain(y),
        "penalty": plain(penalty),
        "inputGradients": [] if whole else [plain(x.grad) for x in xs],
        "weightGradients": [
            None if v.value.grad is None else plain(v.value.grad) for v in layer.weights
        ],
        "weightsAfter": [plain(v.value) for v in layer.weights],
    }


cases = [figures(*each) for each in layer_cases]
normalization = L.Normalization()
normalization.adapt(inputs["features"])
wide = L.Normalization(axis=None)
wide.adapt(inputs["images"])
channels = L.Normalization(axis=1)
channels.adapt(inputs["images"])
for options, layer, name in [
    ({}, normalization, "features"),
    ({"axis": None}, wide, "images"),
    ({"axis": 1}, channels, "images"),
]:
    y = layer(torch.tensor(inputs[name]))
    cases.append({"class": "Normalization", "options": options, "adapt": name, "y": plain(y)})
write("layers.json", {name: plain(x) for name, x in inputs.items()}, cases)

# ---- moving statistics over 10 steps ------------------------------------------------------------

layer = L.BatchNormalization(momentum=0.9)
batches = [rounded(random.normal(loc=k, scale=1 + k / 4, size=(6, 3))) for k in range(10)]
steps = []
for x in batches:
    layer(torch.tensor(x), training=True)
    steps.append({"mean": plain(layer.moving_mean), "variance": plain(layer.moving_variance)})
after = layer(torch.tensor(batches[0]), training=False)
write("moving.json", {"batches": [plain(x) for x in batches], "after": plain(after)}, steps)
