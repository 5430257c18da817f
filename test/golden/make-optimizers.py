"""Writes optimizers.json: parameters after 1, 2, 10 and 100 steps of every optimizer of Keras 3,
and of those of PyTorch whose formulas coincide, in float64, from the same given gradients.

python test/golden/make-optimizers.py     (needs keras 3.15, torch 2.13, numpy)
"""

import json

from figures import here, keras, np, torch

steps = 100
kept = [1, 2, 10, 100]

# Two parameters, 6 and 3 elements. Gradients of very different sizes, so that it shows where each
# epsilon stands, some that vanish at times, one that always does.
random = np.random.default_rng(4)
starts = [random.normal(size=6), random.normal(size=3)]
sizes = [np.array([1.0, 0.1, 1e-3, 1e-6, 20.0, 0.0]), np.array([1.0, 0.01, 3.0])]
gradients = []
for step in range(steps):
    pair = [random.normal(size=s.size) * s + 0.3 * s for s in sizes]
    if step % 7 == 3:
        pair[1] = np.zeros(3)
    gradients.append([[float(f"{x:.4g}") for x in each] for each in pair])
starts = [[float(f"{x:.6g}") for x in each] for each in starts]


def run_keras(make):
    optimizer = make(keras.optimizers)
    names = ["kernel", "bias"]
    weights = [keras.Variable(np.array(each), name=name) for each, name in zip(starts, names)]
    figures = {}
    for step in range(steps):
        optimizer.apply(
            [torch.tensor(each, dtype=torch.float64) for each in gradients[step]], weights
        )
        if step + 1 in kept:
            figures[step + 1] = [w.numpy().tolist() for w in weights]
    return figures


def run_torch(make):
    weights = [torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in starts]
    optimizer = make(torch.optim, weights)
    figures = {}
    for step in range(steps):
        for w, gradient in zip(weights, gradients[step]):
            w.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        if step + 1 in kept:
            figures[step + 1] = [w.detach().numpy().tolist() for w in weights]
    return figures


def spared(optimizer, names):
    optimizer.exclude_from_weight_decay(var_names=names)
    return optimizer


decay = keras.optimizers.schedules.ExponentialDecay(0.02, 20, 0.5)
# Class of gradloom, its options, and the same in Keras.
keras_cases = [
    ("SGD", {}, lambda o: o.SGD()),
    ("SGD", {"momentum": 0.9}, lambda o: o.SGD(momentum=0.9)),
    ("SGD", {"momentum": 0.9, "nesterov": True}, lambda o: o.SGD(momentum=0.9, nesterov=True)),
    ("SGD", {"learningRate": 0.1, "clipValue": 0.5}, lambda o: o.SGD(0.1, clipvalue=0.5)),
    ("SGD", {"learningRate": 0.1, "clipNorm": 1}, lambda o: o.SGD(0.1, clipnorm=1)),
    ("SGD", {"learningRate": 0.1, "globalClipNorm": 2}, lambda o: o.SGD(0.1, global_clipnorm=2)),
    ("SGD", {"learningRate": 0.1, "weightDecay": 0.05}, lambda o: o.SGD(0.1, weight_decay=0.05)),
    ("Adagrad", {}, lambda o: o.Adagrad()),
    (
        "Adagrad",
        {"learningRate": 0.1, "initialAccumulatorValue": 0, "epsilon": 1e-5},
        lambda o: o.Adagrad(0.1, initial_accumulator_value=0.0, epsilon=1e-5),
    ),
    ("Adadelta", {}, lambda o: o.Adadelta()),
    ("Adadelta", {"learningRate": 1, "rho": 0.9}, lambda o: o.Adadelta(1.0, rho=0.9)),
    ("RMSprop", {}, lambda o: o.RMSprop()),
    ("RMSprop", {"momentum": 0.8, "rho": 0.95}, lambda o: o.RMSprop(momentum=0.8, rho=0.95)),
    ("RMSprop", {"centered": True}, lambda o: o.RMSprop(centered=True)),
    (
        "RMSprop",
        {"centered": True, "momentum": 0.5},
        lambda o: o.RMSprop(centered=True, momentum=0.5),
    ),
    ("Adam", {}, lambda o: o.Adam()),
    (
        "Adam",
        {"learningRate": 0.01, "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-4},
        lambda o: o.Adam(0.01, 0.8, 0.99, 1e-4),
    ),
    ("Adam", {"amsgrad": True}, lambda o: o.Adam(amsgrad=True)),
    (
        "Adam",
        {"clipNorm": 0.5, "weightDecay": 0.1},
        lambda o: o.Adam(clipnorm=0.5, weight_decay=0.1),
    ),
    ("AdamW", {}, lambda o: o.AdamW()),
    (
        "AdamW",
        {"weightDecay": 0.5, "excludeFromWeightDecay": ["gamma", "bias"]},
        lambda o: spared(o.AdamW(weight_decay=0.5), ["gamma", "bias"]),
    ),
    ("Adamax", {}, lambda o: o.Adamax()),
    ("Nadam", {}, lambda o: o.Nadam()),
    (
        "Nadam",
        {"learningRate": 0.02, "beta1": 0.95, "beta2": 0.99, "epsilon": 1e-3},
        lambda o: o.Nadam(0.02, 0.95, 0.99, 1e-3),
    ),
    (
        "Nadam",
        {
            "learningRate": {
                "className": "ExponentialDecay",
                "config": {"initialLearningRate": 0.02, "decaySteps": 20, "decayRate": 0.5},
            }
        },
        lambda o: o.Nadam(decay),
    ),
    (
        "Nadam",
        {"learningRate": 0.02, "useEma": True, "emaMomentum": 0.9, "emaOverwriteFrequency": 7},
        lambda o: o.Nadam(0.02, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=7),
    ),
    (
        "Adam",
        {"learningRate": 0.01, "gradientAccumulationSteps": 4},
        lambda o: o.Adam(0.01, gradient_accumulation_steps=4),
    ),
    (
        "Nadam",
        {
            "gradientAccumulationSteps": 3,
            "weightDecay": 0.1,
            "clipNorm": 1,
            "learningRate": {
                "className": "ExponentialDecay",
                "config": {"initialLearningRate": 0.02, "decaySteps": 20, "decayRate": 0.5},
            },
        },
        lambda o: o.Nadam(decay, gradient_accumulation_steps=3, weight_decay=0.1, clipnorm=1),
    ),
    ("Lion", {}, lambda o: o.Lion()),
    ("Lion", {"beta1": 0.8, "beta2": 0.95}, lambda o: o.Lion(beta_1=0.8, beta_2=0.95)),
]
# The same in PyTorch, with one epsilon. Where PyTorch adds it elsewhere the formulas coincide as
# far as it is negligible.
tiny = 1e-30
torch_cases = [
    (
        "SGD",
        {"momentum": 0.9, "nesterov": True},
        lambda o, w: o.SGD(w, lr=0.01, momentum=0.9, nesterov=True),
    ),
    ("SGD", {"momentum": 0.9, "weightDecay": 0}, lambda o, w: o.SGD(w, lr=0.01, momentum=0.9)),
    ("Adadelta", {"learningRate": 1, "rho": 0.9}, lambda o, w: o.Adadelta(w, eps=1e-7)),
    ("Nadam", {"momentumDecay": 0.004}, lambda o, w: o.NAdam(w, lr=1e-3, eps=1e-7)),
    ("Nadam", {"momentumDecay": 1}, lambda o, w: o.NAdam(w, lr=1e-3, eps=1e-7, momentum_decay=1)),
    ("Adam", {"epsilon": tiny}, lambda o, w: o.Adam(w, lr=1e-3, eps=tiny)),
    (
        "Adam",
        {"epsilon": tiny, "learningRate": 0.01, "beta1": 0.8, "beta2": 0.99},
        lambda o, w: o.Adam(w, lr=0.01, betas=(0.8, 0.99), eps=tiny),
    ),
    (
        "Adam",
        {"epsilon": tiny, "amsgrad": True},
        lambda o, w: o.Adam(w, lr=1e-3, eps=tiny, amsgrad=True),
    ),
    (
        "AdamW",
        {"epsilon": tiny, "weightDecay": 0.05},
        lambda o, w: o.AdamW(w, lr=1e-3, eps=tiny, weight_decay=0.05),
    ),
    ("Adamax", {"epsilon": tiny}, lambda o, w: o.Adamax(w, lr=1e-3, eps=tiny)),
    (
        "Adagrad",
        {"epsilon": tiny, "initialAccumulatorValue": 0},
        lambda o, w: o.Adagrad(w, lr=1e-3, eps=tiny),
    ),
    ("RMSprop", {"epsilon": tiny}, lambda o, w: o.RMSprop(w, lr=1e-3, alpha=0.9, eps=tiny)),
    (
        "RMSprop",
        {"epsilon": tiny, "momentum": 0.8, "rho": 0.95},
        lambda o, w: o.RMSprop(w, lr=1e-3, alpha=0.95, eps=tiny, momentum=0.8),
    ),
]

cases = [
    {
        "by": f"Keras {keras.__version__}",
        "class": name,
        "options": options,
        "after": run_keras(make),
    }
    for name, options, make in keras_cases
] + [
    {
        "by": f"PyTorch {torch.__version__.split('+')[0]}",
        "class": name,
        "options": options,
        "after": run_torch(make),
    }
    for name, options, make in torch_cases
]


def lines(values):
    return "[\n" + ",\n".join("    " + json.dumps(each) for each in values) + "\n  ]"


(here / "optimizers.json").write_text(
    "{\n"
    f'  "starts": {json.dumps(starts)},\n'
    f'  "gradients": {lines(gradients)},\n'
    f'  "cases": {lines(cases)}\n'
    "}\n"
)
