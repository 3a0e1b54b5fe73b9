#!/usr/bin/env python3
"""Decodes a folder of images, train/<class>/ and test/<class>/, into one file of arrays.

`pixels` [N, side, side, 3] of bytes and `labels` [N] of either part, and `mean` and `deviation` of
the colours, 0 to 1, of the training images.
"""
import argparse
from pathlib import Path

import numpy
from PIL import Image


def decoded(folder, side):
    pixels, labels = [], []
    for label, group in enumerate(sorted(folder.iterdir())):
        for file in sorted(group.iterdir()):
            with Image.open(file) as image:
                image = image.convert("RGB")
                if image.size != (side, side):
                    image = image.resize((side, side), Image.Resampling.BILINEAR)
                pixels.append(numpy.asarray(image))
            labels.append(label)
    return numpy.stack(pixels), numpy.array(labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--side", type=int, default=32)
    options = parser.parse_args()
    arrays = {}
    for part in ("train", "test"):
        pixels, labels = decoded(options.folder / part, options.side)
        arrays |= {f"{part}_pixels": pixels, f"{part}_labels": labels}
    levels = arrays["train_pixels"].reshape(-1, 3) / numpy.float32(255)
    arrays |= {"mean": levels.mean(0, numpy.float64).astype(numpy.float32),
               "deviation": levels.std(0, numpy.float64).astype(numpy.float32)}
    # In one piece or not at all.
    making = options.file.with_suffix(".making.npz")
    numpy.savez(making, **arrays)
    making.rename(options.file)


if __name__ == "__main__":
    main()
