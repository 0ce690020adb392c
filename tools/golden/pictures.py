"""Pictures that fixtures are drawn with, and how their goldens are written."""

import numpy as np
from PIL import Image

RANDOM = np.random.default_rng(20)
WHITE = (255, 255, 255, 255)


def drawn(width, height, channels=3):
    """A gradient with a disc and a little noise, uint8 [height, width, channels]."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [255 * x / max(width - 1, 1), 255 * y / max(height - 1, 1), 255 * (x + y) / max(width + height - 2, 1)]
    image = np.stack((planes + [255 - planes[0]])[:channels], -1)
    image[(x - width / 3) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2] = (230, 40, 90, 200)[:channels]
    return np.clip(image + RANDOM.normal(0, 6, image.shape), 0, 255).astype(np.uint8)


def noise(width, height):
    return RANDOM.integers(0, 256, (height, width, 3), np.uint8)


def over_white(image):
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, WHITE), image).convert("RGB")


def save_golden(image, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.convert("RGB").save(path)
