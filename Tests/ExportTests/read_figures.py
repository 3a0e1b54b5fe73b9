"""What TensorBoard and MLflow read of the figures of a run, as JSON for a test to compare.

    python read_figures.py tensorboard FOLDER
    python read_figures.py mlflow STORE

`--check` only tests whether the packages are there.
"""

import json
import os
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

from mlflow import MlflowClient  # noqa: E402
from tensorboard.backend.event_processing import event_accumulator  # noqa: E402
from tensorboard.plugins.hparams import metadata  # noqa: E402
from tensorboard.util import tensor_util  # noqa: E402


def tensorboard(folder):
    """Scalars as [step, value], histograms as [step, rows], texts as [step, text], settings."""
    everything = {name: 0 for name in event_accumulator.DEFAULT_SIZE_GUIDANCE}
    events = event_accumulator.EventAccumulator(folder, size_guidance=everything)
    events.Reload()
    found = {"scalars": {}, "histograms": {}, "texts": {}, "settings": {}, "plugins": {}}
    for tag in events.Tags()["scalars"]:
        found["scalars"][tag] = [[event.step, event.value] for event in events.Scalars(tag)]
    for tag in events.Tags()["tensors"]:
        summary = events.SummaryMetadata(tag)
        plugin = summary.plugin_data.plugin_name
        if plugin == metadata.PLUGIN_NAME:
            start = metadata.parse_session_start_info_plugin_data(summary.plugin_data.content)
            found["settings"] = {
                key: getattr(value, value.WhichOneof("kind"))
                for key, value in start.hparams.items()
            }
            continue
        values = [
            [event.step, tensor_util.make_ndarray(event.tensor_proto)]
            for event in events.Tensors(tag)
        ]
        if plugin == "histograms":
            found["histograms"][tag] = [[step, rows.tolist()] for step, rows in values]
        elif plugin == "text":
            found["texts"][tag] = [[step, text.item().decode()] for step, text in values]
    return found


def mlflow(store):
    """The runs of the experiment: status, parameters, tags, and each metric as [step, value]."""
    client = MlflowClient(tracking_uri="file:" + os.path.abspath(store))
    experiment = client.get_experiment_by_name("supertop")
    runs = {}
    for run in client.search_runs([experiment.experiment_id]):
        runs[run.info.run_name] = {
            "status": run.info.status,
            "params": run.data.params,
            "tags": run.data.tags,
            "artifacts": [item.path for item in client.list_artifacts(run.info.run_id)],
            "metrics": {
                name: [
                    [metric.step, metric.value]
                    for metric in client.get_metric_history(run.info.run_id, name)
                ]
                for name in run.data.metrics
            },
        }
    return runs


if sys.argv[1] != "--check":
    print(json.dumps({"tensorboard": tensorboard, "mlflow": mlflow}[sys.argv[1]](sys.argv[2])))
