"""Keras on TensorFlow: fit compiled by XLA with many steps per execution; TensorFlow's products."""

import os
import time

from answer import answer, images, refuse

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import keras
    import numpy as np
    import tensorflow as tf
except ImportError:
    refuse("Keras with TensorFlow is not installed for this python")

threads = os.cpu_count() or 1
keras.utils.set_random_seed(1)
prepared = {}


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


def fit(key, make, batch):
    """Milliseconds of a step of fit; the model is made and compiled in the first round."""
    if key not in prepared:
        model, x, y = make()
        few = min(len(x), 100 * batch)
        model.fit(x[:few], y[:few], batch_size=batch, verbose=0)
        prepared[key] = model, x, y
    model, x, y = prepared[key]
    began = time.perf_counter()
    model.fit(x, y, batch_size=batch, verbose=0)
    return (time.perf_counter() - began) * 1000 / (len(x) // batch)


def step(case):
    batch = case["batch"]
    steps = 200 if batch <= 64 else 50 if batch <= 256 else 20

    def make():
        x = np.random.randn(batch * steps, 3072).astype("float32")
        y = np.random.randint(0, 10, batch * steps)
        return net(case["depth"], case["width"], case["batchNorm"], min(50, steps)), x, y

    return fit(repr(case), make, batch)


def epoch(case):
    batch = case["batch"]

    def make():
        x, y = images(case)
        whole = len(x) - len(x) % batch  # another size would be compiled anew
        return net(20, 100, case.get("batchNorm", False), 50), x[:whole], y[:whole]

    return fit(repr(case), make, batch)


def matmul(case):
    m, n, k = case["m"], case["n"], case["k"]
    a = tf.random.normal([k, m] if case["transA"] else [m, k])
    b = tf.random.normal([n, k] if case["transB"] else [k, n])
    return lambda: tf.linalg.matmul(a, b, case["transA"], case["transB"])


def prepare(request):
    if request["threads"] != threads:
        raise ValueError("TensorFlow's threads are set when it starts")
    return {"step": step, "epoch": epoch, "matmul": matmul}[request["case"]["kind"]](request["case"])


answer(f"Keras {keras.__version__} on TensorFlow {tf.__version__}", prepare)
