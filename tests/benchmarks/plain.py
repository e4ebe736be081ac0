"""The plain way to preprocess, train and evaluate, as a careful person writes it in a notebook.

Made from the method (Sytwu et al. 2023) with numpy, scipy and torch alone, and nothing of this
package. The measure of the benchmarks, and a reference of tests.
"""

from __future__ import annotations

from math import comb

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

Real = npt.NDArray[np.float64]
Patch = npt.NDArray[np.float32]
Label = npt.NDArray[np.uint8]
AROUND = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]]) / 8
THRESHOLD, REDUCTION = 1500, 4


def without_xrays(image: Real) -> Real:
    """Pixels far above the median become the mean of their neighbours, twice."""
    image = np.maximum(image, 0)
    for _ in range(2):
        hit = image > np.median(image) + THRESHOLD
        around = ndimage.convolve(image, AROUND, mode="reflect")
        image = np.where(hit, around, image)
    return image


def basis_images(shape: tuple[int, int], order: int = 2) -> list[Real]:
    """Products of Bernstein polynomials at full size."""
    terms = []
    for n in shape:
        x = np.linspace(0, 1, n)
        terms.append([comb(order, k) * x**k * (1 - x) ** (order - k) for k in range(order + 1)])
    return [np.outer(down, across) for down in terms[0] for across in terms[1]]


def reduced(image: Real) -> Real:
    """Means of blocks of 4 x 4."""
    rows, cols = (n // REDUCTION for n in image.shape)
    blocks = image[: rows * REDUCTION, : cols * REDUCTION]
    return np.asarray(blocks.reshape(rows, REDUCTION, cols, REDUCTION).mean(axis=(1, 3)))


def flattened(image: Real) -> Real:
    """The image divided by a surface, fitted twice; what fits badly then counts less."""
    basis = basis_images((image.shape[0], image.shape[1]))
    design = np.stack([reduced(one).ravel() for one in basis], axis=1)
    data = reduced(image).ravel()
    weights = np.ones_like(data)
    for _ in range(2):
        found = np.linalg.lstsq(design * weights[:, None], data * weights, rcond=None)[0]
        squares = (data - design @ found) ** 2
        weights = np.exp(-3 * squares / (2 * squares.mean()))
    surface = sum(k * one for k, one in zip(found, basis, strict=True))
    return np.asarray(image / surface)


def preprocess(image: npt.NDArray[np.float32], label: npt.NDArray[np.bool_]) -> tuple[Patch, Label]:
    """The patches of 512 px of an image that hold more than 0 pixels of particle."""
    flat = flattened(without_xrays(image.astype(np.float64)))
    scaled = (flat - flat.mean()) / flat.std()
    images, labels = [], []
    for row in range(0, image.shape[0] - 511, 512):
        for col in range(0, image.shape[1] - 511, 512):
            part = label[row : row + 512, col : col + 512]
            if part.any():
                images.append(scaled[row : row + 512, col : col + 512])
                labels.append(part)
    return np.stack(images).astype(np.float32), np.stack(labels).astype(np.uint8)


class Block(nn.Module):
    """conv-norm-ReLU-conv-norm plus a 1x1 convolution, then ReLU."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(first, last, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(last)
        self.conv2 = nn.Conv2d(last, last, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(last)
        self.conv_add = nn.Conv2d(first, last, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, first, H, W) -> (B, last, H, W)."""
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.conv_add(x))


class UNet(nn.Module):
    """The published residual U-Net, with the published names."""

    def __init__(self, filters: int = 4) -> None:
        super().__init__()
        widths = [filters * 2**level for level in range(5)]
        self.downs = nn.ModuleList(
            Block(a, b) for a, b in zip([1, *widths[:3]], widths[:4], strict=True)
        )
        self.bottleneck = Block(widths[3], widths[4])
        self.ups = nn.ModuleList(Block(widths[i] + widths[i + 1], widths[i]) for i in (3, 2, 1, 0))
        self.final_conv = nn.Conv2d(filters, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 2, H, W)."""
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottleneck(x)
        for up in self.ups:
            x = up(torch.cat([skips.pop(), F.interpolate(x, scale_factor=2.0)], dim=1))
        return self.final_conv(x)  # type: ignore[no-any-return]


class Patches(Dataset[tuple[Tensor, Tensor]]):
    """Patches in a random one of their 8 forms, or as they are."""

    def __init__(self, images: Patch, labels: Label, augmented: bool) -> None:
        self.images, self.labels, self.augmented = images, labels, augmented
        self.rng = np.random.default_rng(0)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        """One patch (1, P, P) and its label (P, P)."""
        x, y = self.images[i], self.labels[i]
        if self.augmented:
            form = int(self.rng.integers(8))
            if form >= 4:
                x, y = x[:, ::-1], y[:, ::-1]
            x, y = np.rot90(x, form % 4), np.rot90(y, form % 4)
        return torch.from_numpy(x.copy())[None], torch.from_numpy(y.copy()).long()


def train(network: nn.Module, images: Patch, labels: Label, batch: int) -> None:
    """One epoch with Adam and cross-entropy, in float32."""
    loader = DataLoader(Patches(images, labels, augmented=True), batch, shuffle=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    network.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(network(x), y)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += loss.item() * len(x)


def dice(network: nn.Module, images: Patch, labels: Label, batch: int = 16) -> list[float]:
    """The dice of every patch."""
    network.eval()
    found = []
    with torch.no_grad():
        for x, y in DataLoader(Patches(images, labels, augmented=False), batch):
            particle = torch.softmax(network(x), dim=1)[:, 1] > 0.5
            for one, truth in zip(particle, y > 0, strict=True):
                tp = int((one & truth).sum())
                found.append((2 * tp + 1) / (int(one.sum()) + int(truth.sum()) + 1))
    return found
