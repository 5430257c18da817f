"""Keras on TensorFlow, compiled by XLA, many steps per execution: the fastest Nadam among peers."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import keras
    import numpy as np
    import tensorflow as tf
except ImportError as error:
    print('{"error": "Keras with TensorFlow is not installed for this python"}', flush=True)
    raise SystemExit(0) from error

from answer import answer

threads = int(os.environ.get("GRADLOOM_THREADS", os.cpu_count() or 1))
tf.config.threading.set_intra_op_parallelism_threads(threads)
keras.utils.set_random_seed(1)


def net(depth, width, batch_norm, steps_per_execution):
    model = keras.Sequential([keras.Input((3072,))])
    for _ in range(depth):
        if batch_norm:
            model.add(keras.layers.BatchNormalization())
        model.add(keras.layers.Dense(width, activation="elu", kernel_initializer="he_normal"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(
        optimizer=keras.optimizers.Nadam(5e-5),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=True,
        steps_per_execution=steps_per_execution,
    )
    return model


prepared = {}


def fit(key, model, x, y, batch):
    import time

    if key not in prepared:
        model = model()
        model.fit(x, y, batch_size=batch, verbose=0)  # compiles
        prepared[key] = model
    began = time.perf_counter()
    prepared[key].fit(x, y, batch_size=batch, verbose=0)
    return (time.perf_counter() - began) * 1000 / -(-len(x) // batch)


def step(case):
    batch, steps = case["batch"], 200 if case["batch"] <= 64 else 50
    x = np.random.randn(batch * steps, 3072).astype("float32")
    y = np.random.randint(0, 10, batch * steps)
    key = repr(case)
    model = lambda: net(case["depth"], case["width"], case["batchNorm"], 50)
    return fit(key, model, x, y, batch)


def epoch(case):
    rng = np.random.default_rng(1)
    x = rng.integers(0, 256, (case["samples"], 3072)).astype("float32")
    y = rng.integers(0, 10, case["samples"])
    return fit(repr(case), lambda: net(20, 100, False, 50), x, y, case["batch"])


def prepare(case):
    if case["kind"] not in ("step", "epoch"):
        raise ValueError("not measured with Keras")
    return {"step": step, "epoch": epoch}[case["kind"]](case)


answer(f"Keras {keras.__version__} on TensorFlow {tf.__version__} (XLA), {threads} threads", prepare)
