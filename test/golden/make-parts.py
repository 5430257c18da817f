"""Writes activations.json, schedules.json and penalties.json: figures of Keras 3 in float64.

python test/golden/make-parts.py     (needs keras 3.15, torch 2.13, numpy)
"""

from figures import keras, np, plain, rounded, torch, write

random = np.random.default_rng(8)

# ---- activations -------------------------------------------------------------------------------

points = np.concatenate(
    [
        np.array([-100, -30, -6, -3, -1, -0.5, -1e-3, 1e-3, 0.5, 1, 2.9, 3.1, 5.9, 6.1, 30, 100]),
        rounded(random.normal(size=16) * 2),
    ]
)
A = keras.activations
activation_cases = [
    ("linear", {}, A.linear),
    ("relu", {}, A.relu),
    (
        "relu",
        {"negativeSlope": 0.1, "maxValue": 4, "threshold": 0.7},
        lambda x: A.relu(x, negative_slope=0.1, max_value=4.0, threshold=0.7),
    ),
    ("relu", {"maxValue": 6}, lambda x: A.relu(x, max_value=6.0)),
    ("relu", {"negativeSlope": 0.3}, lambda x: A.relu(x, negative_slope=0.3)),
    ("relu6", {}, A.relu6),
    ("leakyRelu", {}, A.leaky_relu),
    ("leakyRelu", {"negativeSlope": 0.05}, lambda x: A.leaky_relu(x, 0.05)),
    ("elu", {}, A.elu),
    ("elu", {"alpha": 0.5}, lambda x: A.elu(x, 0.5)),
    ("selu", {}, A.selu),
    ("celu", {}, A.celu),
    ("celu", {"alpha": 2}, lambda x: A.celu(x, 2.0)),
    ("gelu", {}, A.gelu),
    ("geluTanh", {}, lambda x: A.gelu(x, approximate=True)),
    ("silu", {}, A.silu),
    ("mish", {}, A.mish),
    ("softplus", {}, A.softplus),
    ("softsign", {}, A.softsign),
    ("sigmoid", {}, A.sigmoid),
    ("logSigmoid", {}, A.log_sigmoid),
    ("hardSigmoid", {}, A.hard_sigmoid),
    ("hardSilu", {}, A.hard_silu),
    ("tanh", {}, A.tanh),
    ("exponential", {}, A.exponential),
    ("softmax", {}, A.softmax),
    ("logSoftmax", {}, A.log_softmax),
    ("softmax", {"axis": 0}, lambda x: A.softmax(x, axis=0)),
]
cases = []
for name, params, function in activation_cases:
    x = torch.tensor(points.reshape(4, 8), requires_grad=True)
    y = function(x)
    # Weighted, or the gradients of softmax would all be zero.
    (y * torch.tensor(np.arange(32.0).reshape(4, 8))).sum().backward()
    cases.append({"name": name, "params": params, "y": plain(y), "gradient": plain(x.grad)})
write("activations.json", plain(points.reshape(4, 8)), cases)

# ---- schedules ---------------------------------------------------------------------------------

steps = [0, 1, 2, 5, 9, 10, 11, 15, 19, 20, 21, 39, 40, 41, 75, 99, 100, 101, 150, 300]
S = keras.optimizers.schedules


def one_cycle(step, iterations=100, top=0.05):
    """The 1cycle callback of Geron's notebook (handson-ml3, chapter 11) as a function."""
    start, last = top / 10, iterations // 10 + 1
    end, half = start / 1000, (iterations - last) // 2
    if step < half:
        return start + (top - start) * step / half
    if step < 2 * half:
        return top + (start - top) * (step - half) / half
    return max(start + (end - start) * (step - 2 * half) / (iterations - 2 * half), end)


schedule_cases = [
    (
        "ExponentialDecay",
        {"initialLearningRate": 0.1, "decaySteps": 20, "decayRate": 0.1},
        S.ExponentialDecay(0.1, 20, 0.1),
    ),
    (
        "ExponentialDecay",
        {"initialLearningRate": 0.1, "decaySteps": 20, "decayRate": 0.1, "staircase": True},
        S.ExponentialDecay(0.1, 20, 0.1, staircase=True),
    ),
    (
        "InverseTimeDecay",
        {"initialLearningRate": 0.1, "decaySteps": 10, "decayRate": 0.5},
        S.InverseTimeDecay(0.1, 10, 0.5),
    ),
    (
        "InverseTimeDecay",
        {"initialLearningRate": 0.1, "decaySteps": 10, "decayRate": 0.5, "staircase": True},
        S.InverseTimeDecay(0.1, 10, 0.5, staircase=True),
    ),
    (
        "PowerDecay",
        {"initialLearningRate": 0.1, "decaySteps": 10},
        S.InverseTimeDecay(0.1, 10, 1.0),
    ),
    (
        "PiecewiseConstantDecay",
        {"boundaries": [5, 20, 40], "values": [0.1, 0.05, 0.01, 0.001]},
        S.PiecewiseConstantDecay([5, 20, 40], [0.1, 0.05, 0.01, 0.001]),
    ),
    ("PolynomialDecay", {"initialLearningRate": 0.1, "decaySteps": 40}, S.PolynomialDecay(0.1, 40)),
    (
        "PolynomialDecay",
        {
            "initialLearningRate": 0.1,
            "decaySteps": 40,
            "endLearningRate": 0.01,
            "power": 2,
            "cycle": True,
        },
        S.PolynomialDecay(0.1, 40, 0.01, 2.0, cycle=True),
    ),
    ("CosineDecay", {"initialLearningRate": 0.1, "decaySteps": 40}, S.CosineDecay(0.1, 40)),
    (
        "CosineDecay",
        {
            "initialLearningRate": 0.01,
            "decaySteps": 80,
            "alpha": 0.1,
            "warmupTarget": 0.1,
            "warmupSteps": 20,
        },
        S.CosineDecay(0.01, 80, 0.1, warmup_target=0.1, warmup_steps=20),
    ),
    (
        "CosineDecayRestarts",
        {"initialLearningRate": 0.1, "firstDecaySteps": 20},
        S.CosineDecayRestarts(0.1, 20),
    ),
    (
        "CosineDecayRestarts",
        {
            "initialLearningRate": 0.1,
            "firstDecaySteps": 10,
            "tMul": 1.0,
            "mMul": 0.9,
            "alpha": 0.05,
        },
        S.CosineDecayRestarts(0.1, 10, 1.0, 0.9, 0.05),
    ),
    ("OneCycle", {"maxLearningRate": 0.05, "totalSteps": 100}, one_cycle),
]
cases = [
    {"class": name, "options": options, "rates": [plain(schedule(step)) for step in steps]}
    for name, options, schedule in schedule_cases
]
write("schedules.json", steps, cases)

# ---- regularizers and constraints --------------------------------------------------------------

w = rounded(random.normal(size=(4, 3)))
R, C = keras.regularizers, keras.constraints
regularizer_cases = [
    ("L1", {}, R.L1()),
    ("L1", {"l1": 0.3}, R.L1(0.3)),
    ("L2", {}, R.L2()),
    ("L2", {"l2": 0.2}, R.L2(0.2)),
    ("L1L2", {"l1": 0.1, "l2": 0.2}, R.L1L2(0.1, 0.2)),
    ("Orthogonal", {"factor": 0.5}, R.OrthogonalRegularizer(0.5)),
    ("Orthogonal", {"mode": "columns"}, R.OrthogonalRegularizer(mode="columns")),
]
constraint_cases = [
    ("MaxNorm", {}, C.MaxNorm()),
    ("MaxNorm", {"maxValue": 0.8, "axis": 1}, C.MaxNorm(0.8, axis=1)),
    ("MaxNorm", {"maxValue": 1, "axis": [0, 1]}, C.MaxNorm(1.0, axis=[0, 1])),
    ("NonNeg", {}, C.NonNeg()),
    ("UnitNorm", {}, C.UnitNorm()),
    ("UnitNorm", {"axis": 1}, C.UnitNorm(axis=1)),
    ("MinMaxNorm", {}, C.MinMaxNorm()),
    (
        "MinMaxNorm",
        {"minValue": 1.5, "maxValue": 2, "rate": 0.4, "axis": 1},
        C.MinMaxNorm(1.5, 2.0, 0.4, 1),
    ),
]
cases = [
    {"regularizer": name, "options": options, "value": plain(r(torch.tensor(w)))}
    for name, options, r in regularizer_cases
]
cases += [
    {"constraint": name, "options": options, "value": plain(c(torch.tensor(w)))}
    for name, options, c in constraint_cases
]
write("penalties.json", plain(w), cases)
