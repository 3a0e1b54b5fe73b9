"""What the plots hold; how they look is for people to see."""
import io
import unittest

import matplotlib.pyplot as plt
import numpy as np
from programs import Runs

from supertop_runs import Run, RunError, plots


class Plots(unittest.TestCase):
    def setUp(self):
        self.addCleanup(plt.close, "all")
        self.search = Run(Runs.made() / "search-2")

    def drawn(self, ax):
        """The axes, after they were drawn as a picture."""
        ax.figure.savefig(io.BytesIO(), format="svg")
        return ax

    def test_steps(self):
        frame = self.search.steps()
        ax = self.drawn(plots.steps(self.search, "accuracy", window=1))
        for phase, line in zip(["weights", "theta"], ax.lines[1::2], strict=True):
            values = frame["accuracy"][frame["phase"] == phase]
            np.testing.assert_array_equal(line.get_ydata(), values)

    def test_epochs(self):
        for name, labels in [
            ("search-2", ["training images", "supernet", "most probable network alone"]),
            ("random", ["training images", "supernet", "first sampled network alone"]),
            ("training", ["training images", "validation images", "validation images, top 5"]),
        ]:
            run = Run(Runs.made() / name)
            ax = self.drawn(plots.epochs(run))
            shown = [line.get_label() for line in ax.lines]
            self.assertEqual(shown, [*labels, "test images"])
            values = run.epochs()["validation_accuracy"]
            np.testing.assert_array_equal(ax.lines[1].get_ydata(), values)
            self.assertEqual(ax.lines[-1].get_ydata()[0], run.result()["test_accuracy"])

    def test_theta(self):
        ax = self.drawn(plots.theta(self.search, "layer 1"))
        self.assertEqual(len(ax.lines), 3)
        self.assertLess(abs(sum(line.get_ydata() for line in ax.lines) - 1).max(), 1e-12)
        ends = [line.get_ydata()[-1] for line in ax.lines]
        self.assertEqual(ends, sorted(ends, reverse=True))

    def test_choices(self):
        for name, rows, width in [("search-2", 2, 3), ("search-10", 28, 7)]:
            run = Run(Runs.made() / name)
            table = self.drawn(plots.choices(run)).images[0].get_array()
            self.assertEqual(table.shape, (rows, width))
            np.testing.assert_allclose(np.nansum(table, axis=1), 1)

    def test_trials(self):
        run = Run(Runs.made() / "joint")
        trials = run.trials()
        for cost in ["flops", "params"]:
            ax = self.drawn(plots.trials(run, cost))
            points = np.concatenate([part.get_offsets() for part in ax.collections])
            self.assertEqual(len(points), len(trials))
            front = plots.front(trials, cost)
            whole = trials[trials["epochs"] == trials["epochs"].max()]
            self.assertLess(len(whole), len(trials))
            self.assertLessEqual(set(front["number"]), set(whole["number"]))
            for row in whole.itertuples():
                beaten = (front[cost] <= getattr(row, cost)) & (
                    front["val_accuracy"] >= row.val_accuracy
                )
                self.assertTrue(beaten.any())
            self.assertTrue(front["val_accuracy"].is_monotonic_increasing)
            self.assertTrue(front[cost].is_unique)

    def test_a_run_that_has_not_begun(self):
        new = Run(Runs.made() / "new")
        for draw in [plots.steps, plots.epochs, plots.trials]:
            self.drawn(draw(new))
        for draw in [plots.choices, lambda run: plots.theta(run, None)]:
            with self.assertRaisesRegex(RunError, "no architecture parameters"):
                draw(new)

    def test_given_axes_are_drawn_on(self):
        figure, panels = plt.subplots(1, 2)
        self.assertIs(plots.steps(self.search, ax=panels[0]), panels[0])
        self.assertIs(plots.choices(self.search, ax=panels[1]), panels[1])
        self.drawn(panels[0])
        self.assertGreater(len(figure.axes), 2)


if __name__ == "__main__":
    unittest.main()
