"""Writes losses.json and metrics.json: figures of Keras 3 in float64 for given inputs.

python test/golden/make-losses.py     (needs keras 3.15, torch 2.13, numpy)
"""

from figures import keras, np, plain, rounded, torch, write

random = np.random.default_rng(7)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


# ---- losses ------------------------------------------------------------------------------------

one_hot = np.eye(4)[[0, 3, 1, 2, 3]]
inputs = {
    "numbers": rounded(random.normal(size=(5, 4)) * 2),
    "others": rounded(random.normal(size=(5, 4)) * 2),
    "positive": rounded(random.gamma(2, size=(5, 4))),
    "counts": np.array([[0, 1, 2, 5], [3, 0, 0, 1], [2, 2, 1, 1], [0, 0, 0, 0], [9, 1, 4, 2]]),
    "logits": rounded(random.normal(size=(5, 4)) * 3),
    "probabilities": rounded(softmax(random.normal(size=(5, 4)) * 2)),
    "certain": np.array(
        [[0, 1, 0, 0], [0, 0, 0, 1], [0.5, 0.5, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0.0]]
    ),
    "independent": rounded(random.uniform(size=(5, 4))),
    "soft": rounded(softmax(random.normal(size=(5, 4)))),
    "oneHot": one_hot,
    "labels": one_hot.argmax(-1),
    "binary": (random.uniform(size=(5, 4)) > 0.5) * 1.0,
    "signs": (random.uniform(size=(5, 4)) > 0.5) * 2.0 - 1,
    "column": rounded(random.uniform(size=(5, 1))),
    "flags": np.array([1.0, 0, 0, 1, 1]),
    "sequence": rounded(random.normal(size=(2, 3, 4))),
    "sequenceLabels": np.array([[0, 3, 1], [2, 2, 0]]),
    "someLabels": np.array([0, -1, 1, 2, -1]),
    "someSequenceLabels": np.array([[0, 255, 1], [255, 255, 0]]),
}
weights = np.array([1, 0.5, 2, 0, 3.0])
K = keras.losses
focal, binary_focal = K.CategoricalFocalCrossentropy, K.BinaryFocalCrossentropy


def snake(name):
    return "".join("_" + c.lower() if c.isupper() else c for c in name)


# Class, options, keras loss, targets, predictions.
loss_cases = [
    ("MeanSquaredError", {}, K.MeanSquaredError(), "numbers", "others"),
    ("MeanSquaredError", {}, K.MeanSquaredError(), "flags", "column"),
    (
        "MeanSquaredError",
        {"reduction": "sum"},
        K.MeanSquaredError(reduction="sum"),
        "numbers",
        "others",
    ),
    (
        "MeanSquaredError",
        {"reduction": "meanWithSampleWeight"},
        K.MeanSquaredError(reduction="mean_with_sample_weight"),
        "numbers",
        "others",
    ),
    (
        "MeanSquaredError",
        {"reduction": "none"},
        K.MeanSquaredError(reduction="none"),
        "numbers",
        "others",
    ),
    ("MeanAbsoluteError", {}, K.MeanAbsoluteError(), "numbers", "others"),
    ("MeanAbsolutePercentageError", {}, K.MeanAbsolutePercentageError(), "numbers", "others"),
    ("MeanAbsolutePercentageError", {}, K.MeanAbsolutePercentageError(), "counts", "others"),
    ("MeanSquaredLogarithmicError", {}, K.MeanSquaredLogarithmicError(), "positive", "numbers"),
    ("Huber", {}, K.Huber(), "numbers", "others"),
    ("Huber", {"delta": 0.3}, K.Huber(delta=0.3), "numbers", "others"),
    ("LogCosh", {}, K.LogCosh(), "numbers", "others"),
    ("CosineSimilarity", {}, K.CosineSimilarity(), "numbers", "others"),
    ("Poisson", {}, K.Poisson(), "counts", "positive"),
    ("KLDivergence", {}, K.KLDivergence(), "soft", "probabilities"),
    ("KLDivergence", {}, K.KLDivergence(), "oneHot", "certain"),
    ("Hinge", {}, K.Hinge(), "signs", "numbers"),
    ("Hinge", {}, K.Hinge(), "binary", "numbers"),
    ("SquaredHinge", {}, K.SquaredHinge(), "binary", "numbers"),
    ("CategoricalHinge", {}, K.CategoricalHinge(), "oneHot", "numbers"),
    ("BinaryCrossentropy", {}, K.BinaryCrossentropy(), "binary", "independent"),
    ("BinaryCrossentropy", {}, K.BinaryCrossentropy(), "flags", "column"),
    ("BinaryCrossentropy", {}, K.BinaryCrossentropy(), "oneHot", "certain"),
    (
        "BinaryCrossentropy",
        {"fromLogits": True},
        K.BinaryCrossentropy(from_logits=True),
        "binary",
        "logits",
    ),
    (
        "BinaryCrossentropy",
        {"labelSmoothing": 0.2},
        K.BinaryCrossentropy(label_smoothing=0.2),
        "binary",
        "independent",
    ),
    ("CategoricalCrossentropy", {}, K.CategoricalCrossentropy(), "oneHot", "probabilities"),
    ("CategoricalCrossentropy", {}, K.CategoricalCrossentropy(), "soft", "independent"),
    ("CategoricalCrossentropy", {}, K.CategoricalCrossentropy(), "oneHot", "certain"),
    (
        "CategoricalCrossentropy",
        {"fromLogits": True},
        K.CategoricalCrossentropy(from_logits=True),
        "soft",
        "logits",
    ),
    (
        "CategoricalCrossentropy",
        {"fromLogits": True, "labelSmoothing": 0.1},
        K.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        "oneHot",
        "logits",
    ),
    (
        "SparseCategoricalCrossentropy",
        {},
        K.SparseCategoricalCrossentropy(),
        "labels",
        "probabilities",
    ),
    ("SparseCategoricalCrossentropy", {}, K.SparseCategoricalCrossentropy(), "labels", "certain"),
    (
        "SparseCategoricalCrossentropy",
        {"fromLogits": True},
        K.SparseCategoricalCrossentropy(from_logits=True),
        "labels",
        "logits",
    ),
    (
        "SparseCategoricalCrossentropy",
        {"fromLogits": True},
        K.SparseCategoricalCrossentropy(from_logits=True),
        "sequenceLabels",
        "sequence",
    ),
    *(
        (
            "SparseCategoricalCrossentropy",
            {"ignoreClass": -1, "reduction": reduction},
            K.SparseCategoricalCrossentropy(ignore_class=-1, reduction=in_keras),
            "someLabels",
            "probabilities",
        )
        for reduction, in_keras in [
            ("sumOverBatchSize", "sum_over_batch_size"),
            ("sum", "sum"),
            ("meanWithSampleWeight", "mean_with_sample_weight"),
            ("none", "none"),
        ]
    ),
    (
        "SparseCategoricalCrossentropy",
        {"ignoreClass": 255, "fromLogits": True},
        K.SparseCategoricalCrossentropy(ignore_class=255, from_logits=True),
        "someSequenceLabels",
        "sequence",
    ),
    (
        "SparseCategoricalCrossentropy",
        {"ignoreClass": 3, "fromLogits": True},
        K.SparseCategoricalCrossentropy(ignore_class=3, from_logits=True),
        "labels",
        "logits",
    ),
    *(
        (name, options, loss(**{snake(key): value for key, value in options.items()}), *of)
        for name, loss, options, *of in [
            ("CategoricalFocalCrossentropy", focal, {}, "oneHot", "probabilities"),
            ("CategoricalFocalCrossentropy", focal, {}, "soft", "independent"),
            ("CategoricalFocalCrossentropy", focal, {"fromLogits": True}, "oneHot", "logits"),
            (
                "CategoricalFocalCrossentropy",
                focal,
                {"alpha": 0.7, "gamma": 0.5, "labelSmoothing": 0.1},
                "oneHot",
                "probabilities",
            ),
            ("BinaryFocalCrossentropy", binary_focal, {}, "binary", "independent"),
            ("BinaryFocalCrossentropy", binary_focal, {}, "flags", "column"),
            ("BinaryFocalCrossentropy", binary_focal, {"fromLogits": True}, "binary", "logits"),
            (
                "BinaryFocalCrossentropy",
                binary_focal,
                {"applyClassBalancing": True, "alpha": 0.7, "gamma": 3, "labelSmoothing": 0.2},
                "binary",
                "independent",
            ),
            ("Dice", K.Dice, {}, "binary", "independent"),
            ("Dice", K.Dice, {"axis": [1]}, "binary", "independent"),
            ("Dice", K.Dice, {"axis": [1, 2]}, "sequence", "sequence"),
        ]
    ),
]
cases = []
for name, options, loss, truth, prediction in loss_cases:
    y = torch.tensor(inputs[truth], dtype=torch.float64)
    p = torch.tensor(inputs[prediction], dtype=torch.float64, requires_grad=True)
    value = loss(y, p)
    value.sum().backward()
    case = {
        "class": name,
        "options": options,
        "truth": truth,
        "prediction": prediction,
        "samples": plain(loss.call(y, p).squeeze(-1) if truth == "none" else loss.call(y, p)),
        "value": plain(value),
        "gradient": plain(p.grad),
    }
    # Weights of samples mean nothing in one figure of the whole batch.
    if len(inputs[prediction]) == 5 and (name != "Dice" or "axis" in options):
        case["weighted"] = plain(loss(y, p, sample_weight=torch.tensor(weights)))
    cases.append(case)
write(
    "losses.json", {key: plain(x) for key, x in inputs.items()} | {"weights": plain(weights)}, cases
)

# ---- metrics -----------------------------------------------------------------------------------

batches = []
for size in (6, 5):
    scores = rounded(softmax(random.normal(size=(size, 7)) * 1.5))
    labels = random.integers(0, 7, size=size)
    batches.append(
        {
            "scores": scores,
            "labels": labels,
            "oneHot": np.eye(7)[labels],
            "logits": rounded(np.log(scores) + 1),
            "yes": rounded(random.uniform(size=(size, 1))),
            "flags": (random.uniform(size=(size, 1)) > 0.4) * 1.0,
            "numbers": rounded(random.normal(size=(size, 3))),
            "others": rounded(random.normal(size=(size, 3))),
            "positive": rounded(random.gamma(2, size=(size, 3))),
            "weights": rounded(random.uniform(0.5, 2, size=size)),
        }
    )
batches[0]["yes"][0] = 0.0
batches[0]["yes"][1] = 1.0
for batch in batches:
    # Equal predictions in a row, and rows without any.
    batch["tied"] = np.round(batch["scores"] * 4) / 4
    batch["tied"][2] = 0
M = keras.metrics
metric_cases = [
    ("EqualAccuracy", {}, M.Accuracy(), "flags", "flags"),
    ("BinaryAccuracy", {}, M.BinaryAccuracy(), "flags", "yes"),
    ("BinaryAccuracy", {"threshold": 0.2}, M.BinaryAccuracy(threshold=0.2), "flags", "yes"),
    ("CategoricalAccuracy", {}, M.CategoricalAccuracy(), "oneHot", "scores"),
    ("SparseCategoricalAccuracy", {}, M.SparseCategoricalAccuracy(), "labels", "scores"),
    ("Accuracy", {}, M.SparseCategoricalAccuracy(), "labels", "scores"),
    ("Accuracy", {}, M.CategoricalAccuracy(), "oneHot", "scores"),
    ("Accuracy", {}, M.BinaryAccuracy(), "flags", "yes"),
    ("TopKCategoricalAccuracy", {"k": 3}, M.TopKCategoricalAccuracy(k=3), "oneHot", "scores"),
    (
        "SparseTopKCategoricalAccuracy",
        {"k": 2},
        M.SparseTopKCategoricalAccuracy(k=2),
        "labels",
        "scores",
    ),
    ("TruePositives", {}, M.TruePositives(), "flags", "yes"),
    ("FalsePositives", {}, M.FalsePositives(), "flags", "yes"),
    ("TrueNegatives", {}, M.TrueNegatives(), "flags", "yes"),
    ("FalseNegatives", {}, M.FalseNegatives(), "flags", "yes"),
    ("Precision", {}, M.Precision(), "flags", "yes"),
    ("Precision", {"thresholds": 0.3}, M.Precision(thresholds=0.3), "flags", "yes"),
    (
        "Precision",
        {"thresholds": [0, 0.2, 0.55, 1]},
        M.Precision(thresholds=[0, 0.2, 0.55, 1]),
        "flags",
        "yes",
    ),
    ("Precision", {"topK": 2}, M.Precision(top_k=2), "oneHot", "scores"),
    (
        "Precision",
        {"classId": 2, "thresholds": 0.1},
        M.Precision(class_id=2, thresholds=0.1),
        "oneHot",
        "scores",
    ),
    ("Recall", {}, M.Recall(), "flags", "yes"),
    ("Recall", {"topK": 3, "classId": 1}, M.Recall(top_k=3, class_id=1), "oneHot", "scores"),
    (
        "Recall",
        {"topK": 4, "thresholds": [0.05, 0.15]},
        M.Recall(top_k=4, thresholds=[0.05, 0.15]),
        "oneHot",
        "scores",
    ),
    *(
        (name, {"thresholds": [0.2, 0.7]}, metric(thresholds=[0.2, 0.7]), "flags", "yes")
        for name, metric in [
            ("TruePositives", M.TruePositives),
            ("FalsePositives", M.FalsePositives),
            ("TrueNegatives", M.TrueNegatives),
            ("FalseNegatives", M.FalseNegatives),
        ]
    ),
    ("F1Score", {}, M.F1Score(), "oneHot", "scores"),
    ("F1Score", {}, M.F1Score(), "oneHot", "tied"),
    ("F1Score", {"threshold": 0.25}, M.F1Score(threshold=0.25), "oneHot", "tied"),
    ("F1Score", {"average": "macro"}, M.F1Score(average="macro"), "oneHot", "scores"),
    ("F1Score", {"average": "micro"}, M.F1Score(average="micro"), "oneHot", "scores"),
    (
        "F1Score",
        {"average": "weighted", "threshold": 0.2},
        M.F1Score(average="weighted", threshold=0.2),
        "oneHot",
        "scores",
    ),
    ("FBetaScore", {"beta": 2}, M.FBetaScore(beta=2.0), "oneHot", "scores"),
    (
        "FBetaScore",
        {"average": "macro", "beta": 0.5},
        M.FBetaScore(average="macro", beta=0.5),
        "oneHot",
        "scores",
    ),
    ("AUC", {}, M.AUC(), "flags", "yes"),
    ("AUC", {"numThresholds": 11}, M.AUC(num_thresholds=11), "flags", "yes"),
    ("AUC", {"curve": "PR"}, M.AUC(curve="PR"), "flags", "yes"),
    (
        "AUC",
        {"curve": "PR", "numThresholds": 7},
        M.AUC(curve="PR", num_thresholds=7),
        "oneHot",
        "scores",
    ),
    ("AUC", {"fromLogits": True}, M.AUC(from_logits=True), "oneHot", "logits"),
    *(
        (
            "AUC",
            {"curve": curve, "summationMethod": method, "numThresholds": 25},
            M.AUC(curve=curve, summation_method=method, num_thresholds=25),
            "oneHot",
            "scores",
        )
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
    ),
    *(
        ("AUC", options, M.AUC(**{snake(key): value for key, value in options.items()}), *of)
        for options, *of in [
            ({"thresholds": [0.9, 0.1, 0.35]}, "flags", "yes"),
            ({"thresholds": [0.02, 0.3], "curve": "PR"}, "oneHot", "scores"),
            ({"multiLabel": True}, "oneHot", "scores"),
            ({"multiLabel": True, "numLabels": 7, "curve": "PR"}, "oneHot", "scores"),
            (
                {"multiLabel": True, "labelWeights": [1, 0.5, 0, 2, 1, 3, 1]},
                "oneHot",
                "scores",
            ),
            (
                {"multiLabel": True, "thresholds": [0.07, 0.2], "curve": "PRGAIN"},
                "oneHot",
                "scores",
            ),
            ({"labelWeights": [1, 0.5, 0, 2, 1, 3, 1]}, "oneHot", "scores"),
        ]
    ),
    ("MeanSquaredError", {}, M.MeanSquaredError(), "numbers", "others"),
    ("RootMeanSquaredError", {}, M.RootMeanSquaredError(), "numbers", "others"),
    ("MeanAbsoluteError", {}, M.MeanAbsoluteError(), "numbers", "others"),
    ("MeanAbsolutePercentageError", {}, M.MeanAbsolutePercentageError(), "numbers", "others"),
    ("MeanSquaredLogarithmicError", {}, M.MeanSquaredLogarithmicError(), "positive", "others"),
    ("LogCosh", {}, M.LogCoshError(), "numbers", "others"),
    ("Poisson", {}, M.Poisson(), "others", "positive"),
    ("CosineSimilarity", {}, M.CosineSimilarity(), "numbers", "others"),
    ("KLDivergence", {}, M.KLDivergence(), "oneHot", "scores"),
    ("R2Score", {}, M.R2Score(), "numbers", "others"),
    *(
        (
            "R2Score",
            {"classAggregation": aggregation, "numRegressors": regressors},
            M.R2Score(
                class_aggregation=aggregation and snake(aggregation), num_regressors=regressors
            ),
            "numbers",
            "others",
        )
        for aggregation in ("uniformAverage", "varianceWeightedAverage", None)
        # The second batch is needed for more values than regressors.
        for regressors in (0, 4, 30)
    ),
    ("Hinge", {}, M.Hinge(), "flags", "yes"),
    ("SquaredHinge", {}, M.SquaredHinge(), "flags", "yes"),
    ("CategoricalHinge", {}, M.CategoricalHinge(), "oneHot", "scores"),
    ("BinaryCrossentropy", {}, M.BinaryCrossentropy(), "flags", "yes"),
    (
        "CategoricalCrossentropy",
        {"labelSmoothing": 0.1},
        M.CategoricalCrossentropy(label_smoothing=0.1),
        "oneHot",
        "scores",
    ),
    (
        "SparseCategoricalCrossentropy",
        {"fromLogits": True},
        M.SparseCategoricalCrossentropy(from_logits=True),
        "labels",
        "logits",
    ),
    ("Crossentropy", {}, M.SparseCategoricalCrossentropy(), "labels", "scores"),
    # Keras has it as a loss only.
    ("Huber", {}, M.MeanMetricWrapper(K.huber), "numbers", "others"),
]


def metric_figures(metric, truth, prediction, weighted):
    metric.reset_state()
    figures = []
    for batch in batches:
        given = {"sample_weight": batch["weights"]} if weighted else {}
        metric.update_state(batch[truth], batch[prediction], **given)
        figures.append(plain(metric.result()))
    return figures


cases = []
for name, options, metric, truth, prediction in metric_cases:
    case = {
        "class": name,
        "options": options,
        "truth": truth,
        "prediction": prediction,
        "after": metric_figures(metric, truth, prediction, False),
    }
    case["weighted"] = metric_figures(metric, truth, prediction, True)
    cases.append(case)
write("metrics.json", [{key: plain(x) for key, x in batch.items()} for batch in batches], cases)
