"""PyTorch. GRADLOOM_BENCH_VARIANT: eager (NAdam, foreach), adam (fused Adam), compiled (NAdam)."""

import os

try:
    import torch
except ImportError as error:
    print('{"error": "PyTorch is not installed for this python"}', flush=True)
    raise SystemExit(0) from error

from answer import answer

variant = os.environ.get("GRADLOOM_BENCH_VARIANT", "eager")
threads = int(os.environ.get("GRADLOOM_THREADS", torch.get_num_threads()))
torch.set_num_threads(threads)
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

    return torch.compile(step) if variant == "compiled" else step


def step(case):
    train = trainer(case["depth"], case["width"], case["batchNorm"])
    x = torch.randn(case["batch"], 3072)
    y = torch.randint(0, 10, (case["batch"],))
    return lambda: train(x, y).item()


prepared = {}


def epoch(case):
    import time

    samples, batch = case["samples"], case["batch"]
    if samples not in prepared:
        x = torch.randint(0, 256, (samples, 3072), dtype=torch.uint8)
        y = torch.randint(0, 10, (samples,))
        prepared[samples] = (trainer(20, 100, False), x, y)
    train, x, y = prepared[samples]
    began = time.perf_counter()
    order = torch.randperm(samples)
    for start in range(0, samples, batch):
        index = order[start : start + batch]
        train(x[index].float(), y[index]).item()
    return (time.perf_counter() - began) * 1000 / -(-samples // batch)


def matmul(case):
    m, n, k = case["m"], case["n"], case["k"]
    a = torch.randn(k, m).T if case["transA"] else torch.randn(m, k)
    b = torch.randn(n, k).T if case["transB"] else torch.randn(k, n)
    out = torch.empty(m, n)
    return lambda: torch.matmul(a, b, out=out)


def elementwise(case):
    n, op = case["n"], case["op"]
    x = torch.randn(n // 1000, 1000) if op == "softmax" else torch.randn(n)
    out = torch.empty_like(x)
    return {
        "elu": lambda: torch.nn.functional.elu(x),
        "exp": lambda: torch.exp(x, out=out),
        "tanh": lambda: torch.tanh(x, out=out),
        "addScaled": lambda: torch.add(torch.mul(x, 2), 1),
        "sum": lambda: x.sum(),
        "softmax": lambda: torch.softmax(x, 1),
        "copy": lambda: out.copy_(x),
    }[op]


def prepare(case):
    with torch.no_grad() if case["kind"] in ("matmul", "map") else torch.enable_grad():
        return {"step": step, "epoch": epoch, "matmul": matmul, "map": elementwise}[case["kind"]](
            case
        )


answer(f"PyTorch {torch.__version__} {variant}, {threads} threads", prepare)
