"""Writes initializers.json and noise.json: what Keras 3 draws, as statistics of large samples in
float64; values where nothing is drawn. RReLU is PyTorch's, which Keras does not have.

python test/golden/make-random.py     (needs keras 3.15, torch 2.13, numpy)
"""

from figures import keras, np, plain, torch, write
from keras.src.initializers.random_initializers import compute_fans

I, L = keras.initializers, keras.layers
# On torch Keras's truncated normal lets about 6 values in a million past the cut; with this seed none.
keras.utils.set_random_seed(3)


def statistics(x):
    x = np.asarray(x, dtype=np.float64).ravel()
    centred = x - x.mean()
    variance = (centred**2).mean()
    return {
        "count": x.size,
        "mean": x.mean(),
        "variance": variance,
        "kurtosis": (centred**4).mean() / variance**2 if variance > 0 else 0,
        "smallest": x.min(),
        "largest": x.max(),
    }


# ---- initializers ------------------------------------------------------------------------------

dense, convolution = [300, 200], [3, 3, 64, 96]
# Class, options (by our names), the same in Keras.
drawn = [
    ("RandomNormal", {}, I.RandomNormal()),
    ("RandomNormal", {"mean": 2, "stddev": 0.5}, I.RandomNormal(2.0, 0.5)),
    ("RandomUniform", {}, I.RandomUniform()),
    ("RandomUniform", {"minval": 1, "maxval": 4}, I.RandomUniform(1.0, 4.0)),
    ("TruncatedNormal", {}, I.TruncatedNormal()),
    ("TruncatedNormal", {"mean": -1, "stddev": 2}, I.TruncatedNormal(-1.0, 2.0)),
    ("GlorotUniform", {}, I.GlorotUniform()),
    ("GlorotNormal", {}, I.GlorotNormal()),
    ("HeUniform", {}, I.HeUniform()),
    ("HeNormal", {}, I.HeNormal()),
    ("LecunUniform", {}, I.LecunUniform()),
    ("LecunNormal", {}, I.LecunNormal()),
    ("VarianceScaling", {}, I.VarianceScaling()),
    (
        "VarianceScaling",
        {"scale": 2, "mode": "fanOut", "distribution": "uniform"},
        I.VarianceScaling(2.0, "fan_out", "uniform"),
    ),
    (
        "VarianceScaling",
        {"scale": 0.5, "mode": "fanAvg", "distribution": "untruncatedNormal"},
        I.VarianceScaling(0.5, "fan_avg", "untruncated_normal"),
    ),
    ("Orthogonal", {}, I.Orthogonal()),
    ("Orthogonal", {"gain": 3}, I.Orthogonal(3.0)),
]
fixed = [
    ("Zeros", {}, I.Zeros()),
    ("Ones", {}, I.Ones()),
    ("Constant", {}, I.Constant()),
    ("Constant", {"value": -2.5}, I.Constant(-2.5)),
    ("Identity", {}, I.Identity()),
    ("Identity", {"gain": 0.5}, I.Identity(0.5)),
]
shapes = [[7], [3, 4], [5, 3, 4], [3, 3, 16, 32], [2, 3, 4, 5, 6], [1, 1]]
cases = [
    {"class": name, "options": options, "shape": shape, **statistics(plain(make(shape)))}
    for name, options, make in drawn
    for shape in (dense, convolution)
] + [
    {"class": name, "options": options, "shape": [3, 4], "values": plain(make([3, 4]))}
    for name, options, make in fixed
]
fans = [{"shape": shape, "fans": list(map(int, compute_fans(shape)))} for shape in shapes]
write("initializers.json", fans, cases)

# ---- layers that draw --------------------------------------------------------------------------


class MCDropout(L.Dropout):
    """Drops in inference too (Geron, chapter 11)."""

    def call(self, inputs, training=False):
        return super().call(inputs, training=True)


class MCAlphaDropout(L.AlphaDropout):
    def call(self, inputs, training=False):
        return super().call(inputs, training=True)


def keras_layer(layer):
    return lambda x, training: plain(layer(torch.tensor(x), training=training))


def rrelu(x, training, **options):
    return plain(torch.nn.RReLU(**options).train(training)(torch.tensor(x)))


# Axes: samples, places, channels. Spatial dropout takes channels whole.
flat, long, images, scans = [400, 5, 100], [2000, 5, 20], [400, 3, 4, 50], [500, 2, 3, 2, 40]
layer_cases = [
    ("Dropout", [0.3], {}, flat, keras_layer(L.Dropout(0.3))),
    ("MCDropout", [0.3], {}, flat, keras_layer(MCDropout(0.3))),
    ("AlphaDropout", [0.1], {}, flat, keras_layer(L.AlphaDropout(0.1))),
    ("MCAlphaDropout", [0.4], {}, flat, keras_layer(MCAlphaDropout(0.4))),
    ("SpatialDropout1D", [0.25], {}, long, keras_layer(L.SpatialDropout1D(0.25))),
    (
        "SpatialDropout2D",
        [0.25],
        {},
        images,
        keras_layer(L.SpatialDropout2D(0.25, data_format="channels_last")),
    ),
    (
        "SpatialDropout3D",
        [0.25],
        {},
        scans,
        keras_layer(L.SpatialDropout3D(0.25, data_format="channels_last")),
    ),
    ("GaussianDropout", [0.2], {}, flat, keras_layer(L.GaussianDropout(0.2))),
    ("GaussianNoise", [0.7], {}, flat, keras_layer(L.GaussianNoise(0.7))),
    ("RReLU", [], {}, flat, lambda x, training: rrelu(x, training)),
    (
        "RReLU",
        [],
        {"lower": 0.2, "upper": 0.6},
        flat,
        lambda x, training: rrelu(x, training, lower=0.2, upper=0.6),
    ),
]
fill = -1.5
cases = []
for name, args, options, shape, call in layer_cases:
    for training in (True, False):
        y = np.array(call(np.full(shape, fill), training))
        # How unlike each other the places of one channel of one sample are.
        within = y.reshape(shape[0], -1, shape[-1]).var(axis=1).mean()
        cases.append(
            {
                "by": "PyTorch" if name == "RReLU" else "Keras",
                "class": name,
                "args": args,
                "options": options,
                "shape": shape,
                "training": training,
                "within": within,
                **statistics(y),
            }
        )
write("noise.json", fill, cases)
