"""Prints what TensorBoard itself finds in a directory of event files, as JSON.

python test/golden/read-events.py DIRECTORY     (needs tensorboard)
"""

import json
import os
import sys
import types

# TensorBoard without TensorFlow: it starts in a second instead of twenty.
sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")

from tensorboard.backend.event_processing import plugin_event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.util import tensor_util


def hyper_parameters(metadata):
    content = metadata.plugin_data.content
    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    if data.HasField("session_start_info"):
        values = data.session_start_info.hparams
        kinds = {name: value.WhichOneof("kind") for name, value in values.items()}
        return {name: getattr(value, kinds[name]) for name, value in values.items()}
    return {"status": data.session_end_info.status}


def run(path):
    accumulator = plugin_event_accumulator.EventAccumulator(path, tensor_size_guidance={})
    accumulator.Reload()
    found = {}
    for tag in accumulator.Tags()["tensors"]:
        metadata = accumulator.SummaryMetadata(tag)
        plugin = metadata.plugin_data.plugin_name
        points = []
        for event in accumulator.Tensors(tag):
            value = tensor_util.make_ndarray(event.tensor_proto)
            if plugin == "hparams":
                value = hyper_parameters(metadata)
            elif value.dtype == object:
                value = value.item().decode()
            else:
                value = value.tolist()
            points.append([event.step, value])
        found[tag] = {"plugin": plugin, "class": metadata.data_class, "points": points}
    return found


root = sys.argv[1]
folders = [folder for folder, _, files in os.walk(root) if any("tfevents" in f for f in files)]
print(json.dumps({os.path.relpath(folder, root): run(folder) for folder in folders}))
