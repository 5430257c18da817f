"""PyTorch. GRADLOOM_BENCH_VARIANT: eager (NAdam, foreach), adam (fused Adam), compiled (NAdam)."""

import os
import time

from answer import answer, images, refuse

try:
    import torch
except ImportError:
    refuse("PyTorch is not installed for this python")

variant = os.environ.get("GRADLOOM_BENCH_VARIANT", "eager")
torch.manual_seed(1)


def net(depth, width, batch_norm):
    layers, features = [], 3072
    for _ in range(depth):
        if batch_norm:
            layers.append(torch.nn.BatchNorm1d(features))
        layers += [torch.nn.Linear(features, width), torch.nn.ELU()]
        features = width
    model = torch.nn.Sequential(*layers, torch.nn.Linear(features, 10))
    for layer in model:
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.kaiming_normal_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    return model


def trainer(depth, width, batch_norm):
    model = net(depth, width, batch_norm)
    if variant == "adam":
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-5, fused=True)
    else:
        optimizer = torch.optim.NAdam(model.parameters(), lr=5e-5, foreach=True)
    loss_of = torch.nn.CrossEntropyLoss()

    def step(x, y):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return torch.compile(step, dynamic=False) if variant == "compiled" else step


trainers = {}


def trainer_for(*key):
    """Compiling takes half a minute: every round and the epoch use the same step."""
    if variant != "compiled":
        return trainer(*key[1:])
    if key not in trainers:
        trainers[key] = trainer(*key[1:])
    return trainers[key]


def step(case):
    batch = case["batch"]
    train = trainer_for(batch, case["depth"], case["width"], case["batchNorm"])
    x = torch.randn(batch, 3072)
    y = torch.randint(0, 10, (batch,))
    return lambda: train(x, y).item()


loaded = {}
epoch_trainers = {}


def epoch(case):
    """The fastest way of writing it: pixels are converted and standardized beforehand."""
    samples, batch = case["samples"], case["batch"]
    if samples not in loaded:
        loaded[samples] = [torch.from_numpy(each) for each in images(case)]
    x, y = loaded[samples]
    key = (batch, 20, 100, case["batchNorm"])
    if key not in epoch_trainers:
        epoch_trainers[key] = trainer_for(*key)
    train = epoch_trainers[key]
    whole = samples - samples % batch  # another size would be compiled anew
    for start in range(0, 20 * batch, batch):  # warm-up
        train(x[start : start + batch], y[start : start + batch]).item()
    began = time.perf_counter()
    order = torch.randperm(samples)
    for start in range(0, whole, batch):
        index = order[start : start + batch]
        train(x[index], y[index]).item()
    return (time.perf_counter() - began) * 1000 / (whole // batch)


def matmul(case):
    m, n, k = case["m"], case["n"], case["k"]
    a = torch.randn(k, m).T if case["transA"] else torch.randn(m, k)
    b = torch.randn(n, k).T if case["transB"] else torch.randn(k, n)
    out = torch.empty(m, n)
    return lambda: torch.matmul(a, b, out=out)


def elementwise(case):
    n, op = case["n"], case["op"]
    x = torch.randn(n).exp() if op == "log" else torch.randn(n)
    rows, out = x.view(-1, 1000), torch.empty(n)
    return {
        "copy": lambda: out.copy_(x),
        "addScaled": lambda: torch.addcmul(x, x, x, out=out),
        "elu": lambda: torch.nn.functional.elu(x),
        "exp": lambda: torch.exp(x, out=out),
        "tanh": lambda: torch.tanh(x, out=out),
        "log": lambda: torch.log(x, out=out),
        "erf": lambda: torch.erf(x, out=out),
        "sum": lambda: x.sum(),
        "sumRows": lambda: rows.sum(1),
        "sumColumns": lambda: rows.sum(0),
        "max": lambda: x.max(),
        "softmax": lambda: torch.softmax(rows, 1),
    }[op]


def tiny(case):
    a = torch.tensor([1.0, 2.0, 3.0, 4.0])
    square = a.view(2, 2)
    return {
        "add": lambda: torch.add(a, a),
        "exp": lambda: torch.exp(a),
        "sum": lambda: torch.sum(a),
        "matmul": lambda: torch.matmul(square, square),
    }[case["op"]]


kinds = {"step": step, "epoch": epoch, "matmul": matmul, "map": elementwise, "tiny": tiny}


def prepare(request):
    torch.set_num_threads(request["threads"])
    return kinds[request["case"]["kind"]](request["case"])


answer(f"PyTorch {torch.__version__} {variant}", prepare)
