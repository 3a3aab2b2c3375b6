"""Pixels of widgets, as arrays that tests can ask about."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QWidget

Pixels = NDArray[np.uint8]


def pixels(image: QImage) -> Pixels:
    """Height x width x (blue, green, red)."""
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(plain.constBits(), dtype=np.uint8)
    return flat.reshape(plain.height(), plain.bytesPerLine() // 4, 4)[:, : plain.width(), :3].copy()


def widget_pixels(widget: QWidget) -> Pixels:
    return pixels(widget.grab().toImage())


def painted(paint: Callable[[QPainter, QRectF], None], size: int, background: QColor) -> Pixels:
    """What `paint` draws into a square."""
    image = QImage(size, size, QImage.Format.Format_RGB32)
    image.fill(background)
    painter = QPainter(image)
    try:
        paint(painter, QRectF(0, 0, size, size))
    finally:
        painter.end()
    return pixels(image)


def grey(picture: Pixels) -> NDArray[np.float64]:
    """Luma of each pixel, 0 to 255."""
    return np.asarray(picture @ np.array([0.114, 0.587, 0.299]), dtype=np.float64)


def has_colour(picture: Pixels, colour: QColor) -> NDArray[np.bool_]:
    """Where exactly this colour is."""
    wanted = np.array([colour.blue(), colour.green(), colour.red()], dtype=np.uint8)
    return np.asarray((picture == wanted).all(axis=2))


def columns_with(picture: Pixels, colour: QColor) -> NDArray[np.bool_]:
    """For each column of pixels, whether this colour is in it."""
    return np.asarray(has_colour(picture, colour).any(axis=0))
