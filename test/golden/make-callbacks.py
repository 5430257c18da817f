"""Writes callbacks.json: what Keras's callbacks do over given series of logged numbers.

KERAS_BACKEND=torch python test/golden/make-callbacks.py     (needs keras 3, torch)
"""

import json
import os
import pathlib
import random
import warnings

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras

warnings.simplefilter("ignore")
here = pathlib.Path(__file__).parent


class Optimizer:
    learning_rate = 1.0


class Model:
    """What the callbacks touch of a model; its weights are the number of the epoch."""

    metrics = []
    epoch = -1

    def __init__(self):
        self.optimizer = Optimizer()
        self.stop_training = False
        self.restored = None
        self.saved = []

    def get_weights(self):
        return self.epoch

    def set_weights(self, weights):
        self.restored = weights

    def save(self, path, overwrite=True):
        self.saved.append(path)


def run(callback, name, series, keep_going=False):
    """Feeds a series to a callback as fit would; what it does after each epoch."""
    model = Model()
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(series):
        model.epoch = epoch
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {name: value, "loss": value})
        rates.append(model.optimizer.learning_rate)
        if model.stop_training and not keep_going:
            break
    callback.on_train_end()
    return model, rates


def series_of(seed):
    """Values with ties, plateaus and falls, on a grid that float32 holds exactly."""
    draw = random.Random(seed)
    value, values = 4.0, []
    for _ in range(24):
        value += draw.choice([-0.5, -0.25, -0.0625, 0.0, 0.0, 0.0625, 0.25])
        values.append(value)
    return values


def mode_of(draw):
    return draw.choice(["min", "max"])


def early_stopping(seed):
    draw = random.Random(1000 + seed)
    options = {
        "monitor": "val_loss",
        "mode": mode_of(draw),
        "min_delta": draw.choice([0, 0, 0.1, 0.25]),
        "patience": draw.choice([0, 1, 2, 3, 5]),
        "baseline": draw.choice([None, None, 3.0, 3.5]),
        "restore_best_weights": draw.choice([False, True]),
        "start_from_epoch": draw.choice([0, 0, 3]),
    }
    callback = keras.callbacks.EarlyStopping(**options)
    series = series_of(seed)
    model, rates = run(callback, "val_loss", series)
    return {
        "options": options,
        "series": series,
        "epochs": len(rates),
        "stopped": model.stop_training,
        "restored": model.restored,
        "best": callback.best,
    }


def plateau(seed):
    draw = random.Random(2000 + seed)
    options = {
        "monitor": "val_loss",
        "mode": mode_of(draw),
        "factor": draw.choice([0.5, 0.25]),
        "min_delta": draw.choice([0.0001, 0, 0.1, 0.25]),
        "patience": draw.choice([0, 1, 2, 3]),
        "cooldown": draw.choice([0, 1, 2, 4]),
        "min_lr": draw.choice([0, 0.0625, 0.1]),
    }
    callback = keras.callbacks.ReduceLROnPlateau(**options)
    series = series_of(seed)
    _, rates = run(callback, "val_loss", series)
    return {"options": options, "series": series, "rates": rates}


def checkpoint(seed):
    draw = random.Random(3000 + seed)
    options = {
        "filepath": "model-{epoch:03d}-{val_loss:.4f}.keras",
        "monitor": "val_loss",
        "mode": mode_of(draw),
        "save_best_only": draw.choice([False, True, True]),
        "initial_value_threshold": draw.choice([None, None, 3.0]),
    }
    callback = keras.callbacks.ModelCheckpoint(**options)
    series = series_of(seed)
    model, _ = run(callback, "val_loss", series)
    return {"options": options, "series": series, "saved": model.saved}


def main():
    found = {
        "keras": keras.__version__,
        "earlyStopping": [early_stopping(seed) for seed in range(60)],
        "reduceLROnPlateau": [plateau(seed) for seed in range(60)],
        "modelCheckpoint": [checkpoint(seed) for seed in range(20)],
        "formats": {
            text: text.format(epoch=7, val_loss=0.12345, loss=-1.5, accuracy=0.987)
            for text in [
                "{epoch}",
                "{epoch:02d}",
                "{epoch:5d}|",
                "{val_loss:.2f}",
                "{val_loss:08.3f}",
                "{loss:08.2f}",
                "{loss:8.2f}|",
                "{val_loss:.3e}",
                "{accuracy:.1%}",
                "{val_loss:.2g}",
                "{epoch:03d}-{val_loss:f}",
            ]
        },
    }
    (here / "callbacks.json").write_text(json.dumps(found, indent=None) + "\n")


if __name__ == "__main__":
    main()
