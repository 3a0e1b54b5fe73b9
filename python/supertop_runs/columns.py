"""The columns of the frames, as Documentation/json.md lists them, and the type of each."""
import pandas as pd

TABLES = {
    "steps": {
        "step": "int64", "epoch": "int64", "phase": "string", "loss": "float64",
        "cross_entropy": "float64", "accuracy": "float64", "cost": "float64",
        "temperature": "float64", "learning_rate": "float64", "seconds": "float64",
        "images": "int64", "multiplier": "float64",
    },
    "epochs": {
        "epoch": "int64", "step": "int64", "train_loss": "float64", "train_accuracy": "float64",
        "validation_loss": "float64", "validation_accuracy": "float64",
        "argmax_accuracy": "float64", "expected_cost": "float64", "argmax_flops": "float64",
        "argmax_params": "float64", "temperature": "float64", "seconds": "float64",
        "top_five": "float64", "argmax_latency": "float64", "settled": "Int64",
        "mean_entropy_bits": "float64", "ranking": "json",
    },
    "choices": {
        "id": "int64", "identity": "string", "name": "string", "detail": "string",
        "kind": "string", "group_name": "string", "options": "json",
    },
    "choice_prices": {
        "choice": "string", "flops": "json", "params": "json", "latency": "json",
    },
    "interventions": {
        "id": "int64", "action": "json", "state": "string", "step": "Int64",
        "requested_at": "time", "note": "string",
    },
    "log": {
        "id": "int64", "time": "time", "level": "string", "text": "string", "step": "Int64",
    },
    "sessions": {"id": "int64", "started_at": "time", "step": "int64", "process": "int64"},
}

# Tables whose rows are objects in JSON.
OBJECTS = {
    "derived": {
        "name": "string", "source": "string", "architecture": "json", "blocks": "json",
        "changes": "json", "log_probability": "float64", "flops": "float64",
        "params": "float64", "latency_ms": "float64", "measured_ms": "float64", "step": "Int64",
        "val_accuracy": "float64", "val_loss": "float64", "tuned_loss": "float64",
        "run": "string", "epochs": "json", "trained_val_accuracy": "float64", "top1": "float64",
    },
    "trials": {
        "number": "int64", "stage": "string", "round": "int64", "options": "json",
        "resolution": "int64", "recipe": "json", "flops": "float64", "params": "float64",
        "latency_ms": "float64", "predicted": "float64", "spread": "float64", "state": "string",
        "message": "string", "val_accuracies": "numbers", "train_losses": "numbers",
        "top1": "float64", "run": "string", "seconds": "float64",
    },
}

# A candidate's recipe, whose fields are columns of their own.
RECIPE = {
    "optimiser": "string", "learning_rate": "float64", "momentum": "float64",
    "rms_alpha": "float64", "rms_epsilon": "float64", "schedule": "string",
    "step_epochs": "float64", "decay_factor": "float64", "warmup_epochs": "float64",
    "weight_decay": "float64", "first_values": "string", "label_smoothing": "float64",
    "mixup": "float64", "dropout": "float64", "drop_path": "float64", "ema": "float64",
    "validation_share": "float64", "epochs": "int64", "stop_epoch": "int64", "batch": "int64",
    "shift": "int64", "flip": "bool", "recalibration_images": "int64",
}

OPTIONS = {
    "choice": "string", "option": "string", "value": "float64", "flops": "float64",
    "params": "float64", "latency": "float64",
}


MOMENT = "datetime64[ns, UTC]"
RUNS = {
    "name": "string", "path": "string", "state": "string", "problem": "string", "kind": "string",
    "preset": "string", "data": "string", "step": "Int64", "total_steps": "Int64",
    "epoch": "Int64", "epochs": "Int64", "val_accuracy": "float64", "test_accuracy": "float64",
    "cost_metric": "string", "cost": "float64", "begun_at": MOMENT, "seen_at": MOMENT,
}


def frame(rows, columns):
    """A frame of rows, each a dict; what a row lacks is missing, and no rows are no error."""
    return assemble([[row.get(name) for row in rows] for name in columns], columns)


def assemble(values, columns):
    """A frame of the values of each column."""
    named = zip(columns.items(), values)
    return pd.DataFrame({name: column(items, kind) for (name, kind), items in named})


def column(values, kind):
    """The values of a column as its type; within JSON a number may be the text nan or inf."""
    if kind == "json":
        return pd.Series(values, dtype="object")
    if kind == "numbers":
        return pd.Series([[float(item) for item in value] for value in values], dtype="object")
    if kind == "time":
        return pd.to_datetime(pd.Series(values, dtype="float64"), unit="s", utc=True).astype(MOMENT)
    return pd.Series(values, dtype=kind)
