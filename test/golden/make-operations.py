"""Writes operations.json: values and gradients that PyTorch gives in float64 for operations.

python test/golden/make-operations.py     (needs torch 2.13)

Inputs are multiples of 1/64, so that float32 holds them exactly and one figure serves both dtypes.
Each record: our operation, the arguments after the tensors, the tensors, the results, a gradient of
the first result, and the gradients of the tensors that follow from it (null: none).
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)
records = []


def draw(*shape, low=-3.0, high=3.0):
    return torch.round((low + (high - low) * torch.rand(shape)) * 64) / 64


def numbers(x):
    def show(value):
        if math.isnan(value):
            return "nan"
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        return int(value) if value == int(value) and abs(value) < 1e15 else value

    return [show(value) for value in x.detach().double().flatten().tolist()]


def tensor(x):
    kind = {} if x.is_floating_point() else {"dtype": "int32"}
    return {"shape": list(x.shape), "values": numbers(x), **kind}


def record(op, f, *inputs, args=()):
    """Runs f, and back from weights that differ from element to element."""
    leaves = [x.clone().requires_grad_() if x.is_floating_point() else x for x in inputs]
    results = f(*leaves)
    results = results if isinstance(results, tuple) else (results,)
    result = results[0]
    row = {"op": op, "args": list(args), "inputs": [tensor(x) for x in inputs]}
    row["results"] = [tensor(each) for each in results]
    if result.is_floating_point() and result.requires_grad:
        upstream = draw(*result.shape, low=0.5, high=1.5)
        result.backward(upstream)
        row["upstream"] = numbers(upstream)
        row["gradients"] = [None if x.grad is None else tensor(x.grad) for x in leaves]
    records.append(row)


# ---- elementwise: a grid that hits the kinks -------------------------------------------------------

grid = torch.arange(-8, 8.5, 0.5)
positive = torch.tensor([0.015625, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 7.5, 20.0])
inside = torch.tensor([-0.984375, -0.5, -0.015625, 0.0, 0.25, 0.75, 0.984375])

for op, f in {
    "exp": torch.exp,
    "expm1": torch.expm1,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "atan": torch.atan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "erf": torch.erf,
    "abs": torch.abs,
    "sigmoid": torch.sigmoid,
    "logSigmoid": F.logsigmoid,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "relu": F.relu,
    "relu6": F.relu6,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "mish": F.mish,
    # F.hardsigmoid's gradient has the digits of float32 only.
    "hardSigmoid": lambda x: F.relu6(x + 3) / 6,
    "hardSilu": F.hardswish,
}.items():
    record(op, f, grid)

# Steps: PyTorch's gradient is zero everywhere, ours is none.
for op, f in {
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    "sign": torch.sign,
}.items():
    record(op, lambda x: f(x.detach()), grid)

for op, f in {
    "log": torch.log,
    "log1p": torch.log1p,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "reciprocal": torch.reciprocal,
}.items():
    record(op, f, positive)

for op, f in {"asin": torch.asin, "acos": torch.acos}.items():
    record(op, f, inside)

record("leakyRelu", lambda x: F.leaky_relu(x, 0.01), grid, args=[0.01])
record("elu", lambda x: F.elu(x, 0.7), grid, args=[0.7])
record("celu", lambda x: F.celu(x, 1.5), grid, args=[1.5])
record("gelu", lambda x: F.gelu(x, approximate="tanh"), grid, args=[True])
record("clip", lambda x: torch.clamp(x, -2.5, 4), grid, args=[-2.5, 4])
record("prelu", F.prelu, draw(5, 3), torch.tensor([0.25, 0.5, -1.0]))
record("pow", torch.pow, positive, draw(9))
record("pow", torch.pow, grid, torch.tensor(3.0))
record("atan2", torch.atan2, draw(4, 5), draw(5))
record("mod", torch.remainder, grid, torch.tensor(2.75))
record("mod", torch.remainder, grid, torch.tensor(-2.75))
record("floorDiv", lambda x, y: torch.floor_divide(x.detach(), y.detach()), grid, torch.tensor(-2.75))
record("minimum", torch.minimum, grid, grid.flip(0))
record("maximum", torch.maximum, torch.round(draw(4, 6)), torch.round(draw(6)))

# ---- softmax and cross-entropy ---------------------------------------------------------------------

logits = draw(5, 4, low=-6, high=6)
labels = torch.tensor([0, 3, 1, 3, 2])
weights = torch.round(torch.softmax(draw(5, 4), 1) * 64) / 64

record("softmax", lambda x: F.softmax(x, -1), logits)
record("softmax", lambda x: F.softmax(x, 0), draw(3, 2, 2), args=[0])
record("logSoftmax", lambda x: F.log_softmax(x, -1), logits)
record("logSoftmax", lambda x: F.log_softmax(x, 1), draw(3, 4, 2), args=[1])
record("softmaxCrossEntropy", lambda x, y: F.cross_entropy(x, y, reduction="none"), logits, labels)
record(
    "softmaxCrossEntropy",
    lambda x, y: F.cross_entropy(x, y.detach(), reduction="none"),
    logits,
    weights,
)

# ---- normalization ---------------------------------------------------------------------------------


def batch_norm(x, gamma, beta):
    flat = x.reshape(-1, x.shape[-1])
    normal = F.batch_norm(flat, None, None, gamma, beta, training=True, eps=1e-3).reshape(x.shape)
    return normal, flat.mean(0), flat.var(0, correction=0)


record("batchNorm", batch_norm, draw(7, 3), draw(3), draw(3))
record("batchNorm", batch_norm, draw(2, 3, 4, 2), draw(2), draw(2))
record("layerNorm", lambda x, g, b: F.layer_norm(x, [4], g, b, 1e-3), draw(3, 4), draw(4), draw(4))

# ---- reductions ------------------------------------------------------------------------------------

block = draw(3, 4, 2)
tied = torch.tensor([[1.0, 3, 3, -2], [5, 5, 5, 5], [0, -1, -1, 4]])
zeros = torch.tensor([[1.5, 2, -3], [2, 0, 3], [0, 0, 3]])

record("sum", lambda x: x.sum((0, 2)), block, args=[[0, 2]])
record("mean", lambda x: x.mean(1), block, args=[1])
record("prod", lambda x: x.prod(1), zeros, args=[1])
record("prod", lambda x: x.prod(), draw(2, 3))
record("max", lambda x: x.amax(1), tied, args=[1])
record("min", lambda x: x.amin(1), tied, args=[1])
record("logSumExp", lambda x: x.logsumexp(1), block, args=[1])
record("variance", lambda x: x.var(1, correction=0), block, args=[1])
record("variance", lambda x: x.var(correction=1), block, args=[None, {"correction": 1}])
record("std", lambda x: x.std(0, correction=1), block, args=[0, {"correction": 1}])
record("std", lambda x: x.std(1, correction=0), tied, args=[1])
record("cumsum", lambda x: x.cumsum(1), block, args=[1])
for order in [1, 2, 3, 1.5]:
    record("norm", lambda x: torch.linalg.vector_norm(x, order, 1), block, args=[1, {"order": order}])
record("norm", lambda x: torch.linalg.vector_norm(x, 2, 1), torch.zeros(2, 3), args=[1])

# ---- orders: NaN last ------------------------------------------------------------------------------

mixed = torch.tensor([[2.0, float("nan"), -1, 2, float("inf")], [0, -0.5, float("nan"), -3, 1]])
record("sort", lambda x: x.sort(dim=1, stable=True).values, mixed)
record("sort", lambda x: x.sort(dim=0, stable=True).values, block, args=[0])
record("argsort", lambda x: x.argsort(dim=1, stable=True), mixed)
record("argMax", lambda x: x.argmax(1), block, args=[1])
record("argMax", lambda x: x.argmax(1), mixed, args=[1])
record("argMin", lambda x: x.argmin(1), mixed, args=[1])

# ---- products --------------------------------------------------------------------------------------

record("matmul", torch.matmul, draw(2, 3), draw(3, 4))
record("matmul", torch.matmul, draw(2, 1, 3, 2), draw(4, 2, 3))
record("matmul", torch.matmul, draw(3), draw(2, 3, 2))
record("dense", lambda x, w, b: F.gelu(x @ w + b), draw(4, 3), draw(3, 2), draw(2))
records[-1]["args"] = [{"name": "gelu"}]
record("dense", lambda x, w, b: F.mish(x @ w + b), draw(4, 3), draw(3, 2), draw(2))
records[-1]["args"] = [{"name": "mish"}]

rows = ",\n".join("    " + json.dumps(each) for each in records)
text = f'{{\n  "by": "PyTorch {torch.__version__}",\n  "records": [\n{rows}\n  ]\n}}\n'
(pathlib.Path(__file__).parent / "operations.json").write_text(text)
