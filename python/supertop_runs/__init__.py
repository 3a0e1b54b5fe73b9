"""The runs of supertop as pandas frames; `supertop_runs.plots` draws them."""
from .overview import runs
from .run import Run
from .store import RunError

__all__ = ["Run", "RunError", "runs"]
