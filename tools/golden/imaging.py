"""Makes Tests/ImagingTests/Fixtures: tiny drawn images in every PNG and JPEG variant, and what Pillow and
torchvision make of them (as .ppm pictures and .f32 tensors).

    python3 tools/golden/imaging.py
"""

import io
import shutil
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps
from torchvision import transforms

from fixtures import destination
from pictures import RANDOM, drawn, noise, over_white, save_golden

FIXTURES = destination("ImagingTests", "decode").parent


# PNG: Pillow can't write every kind, so the encoder is ours.

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(samples, depth, colour, interlaced=False, **chunks):
    """Encodes integers [height, width, samples a pixel]; `chunks` come before the pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def rows(part):
        for row in part:
            flat = row.reshape(-1)
            if depth == 16:
                data = flat.astype(">u2").tobytes()
            else:
                bits = (flat[:, None] >> np.arange(depth - 1, -1, -1)) & 1
                data = np.packbits(bits.astype(np.uint8).reshape(-1)).tobytes()
            yield b"\0" + data

    height, width = samples.shape[:2]
    parts = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7] if interlaced else [samples]
    pixels = b"".join(row for part in parts if part.size for row in rows(part))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced)))
        + b"".join(chunk(kind.encode(), data) for kind, data in chunks.items())
        + chunk(b"IDAT", zlib.compress(pixels, 9))
        + chunk(b"IEND", b"")
    )


def decode_png():
    def add(name, data, golden=None):
        path = FIXTURES / f"decode/png-{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        save_golden(golden or over_white(Image.open(path)), path.with_suffix(".ppm"))

    rgb, rgba = drawn(23, 17), drawn(21, 19, 4)
    grey, wide = rgb[..., :1], RANDOM.integers(0, 65536, (13, 11, 4))
    palette = RANDOM.integers(0, 256, 16 * 3, np.uint8).tobytes()
    indices = RANDOM.integers(0, 16, (15, 13, 1))
    for interlaced in (False, True):
        suffix = "-interlaced" if interlaced else ""
        add("rgb" + suffix, png(rgb, 8, 2, interlaced))
        add("rgba" + suffix, png(rgba, 8, 6, interlaced))
        add("palette" + suffix, png(indices, 4, 3, interlaced, PLTE=palette))
        add("grey" + suffix, png(grey, 8, 0, interlaced))
    for depth in (1, 2, 4):
        add(f"grey{depth}", png(grey.astype(int) >> (8 - depth), depth, 0))
        add(f"palette{depth}", png(indices % 2**depth, depth, 3, PLTE=palette))
    add("palette8-transparent", png(indices, 8, 3, PLTE=palette, tRNS=bytes(range(0, 256, 20))))
    add("grey-alpha", png(rgba[..., [0, 3]], 8, 4))
    add("grey-transparent", png(indices * 16, 8, 0, tRNS=struct.pack(">H", 64)))
    add("rgb-transparent", png(rgb, 8, 2, tRNS=struct.pack(">HHH", *map(int, rgb[8, 8]))))
    add("gamma", png(rgba, 8, 6, gAMA=struct.pack(">I", 100000)))
    add("1x1", png(rgb[:1, :1], 8, 2))
    # Pillow keeps 16-bit grey as it is, so its golden is the upper byte too, as Pillow itself does for colour.
    grey16 = Image.fromarray((wide[..., 0] >> 8).astype(np.uint8))
    add("grey16", png(wide[..., :1], 16, 0), grey16)
    add("grey16-alpha", png(wide[..., [0, 3]], 16, 4))
    add("rgb16", png(wide[..., :3], 16, 2))
    add("rgba16", png(wide, 16, 6))
    turned = Image.Exif()
    turned[0x0112] = 6
    add("exif-6", png(rgb, 8, 2, eXIf=turned.tobytes()[6:]), ImageOps.exif_transpose(exif_image(rgb, 6)))


# JPEG


def exif_image(array, orientation):
    image = Image.fromarray(array)
    image.getexif()[0x0112] = orientation
    return image


def decode_jpeg():
    def add(name, data):
        path = FIXTURES / f"decode/jpeg-{name}.jpg"
        path.write_bytes(data)
        save_golden(ImageOps.exif_transpose(Image.open(path)), path.with_suffix(".ppm"))

    def encoded(image, **options):
        data = io.BytesIO()
        image.save(data, "JPEG", **{"quality": 90, **options})
        return data.getvalue()

    rgb = Image.fromarray(drawn(35, 27))
    add("baseline", encoded(rgb))
    add("444", encoded(rgb, subsampling=0))
    add("422", encoded(rgb, subsampling=1))
    add("rgb", encoded(rgb, keep_rgb=True))
    add("progressive", encoded(rgb, progressive=True))
    add("restarts", encoded(rgb, restart_marker_blocks=2))
    add("grey", encoded(rgb.convert("L")))
    add("grey-progressive", encoded(rgb.convert("L"), progressive=True))
    add("1x1", encoded(rgb.crop((0, 0, 1, 1))))
    inks = Image.fromarray(drawn(25, 22, 4), "CMYK")
    add("cmyk", encoded(inks))
    # Pillow writes no YCCK: give it the planes (it stores 255 - plane) and mark them so.
    colour = Image.fromarray(drawn(25, 22)).convert("YCbCr")
    black = 255 - drawn(25, 22, 1) // 2
    planes = np.concatenate([np.asarray(colour), black], -1)
    data = bytearray(encoded(Image.fromarray(255 - planes, "CMYK"), subsampling=0))
    adobe = data.index(b"Adobe")
    assert data[adobe + 11] == 0
    data[adobe + 11] = 2
    add("ycck", bytes(data))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif.endian = "<" if orientation % 2 else ">"
        exif[0x010F] = "maker"
        exif[0x0112] = orientation
        add(f"orientation-{orientation}", encoded(rgb, exif=exif))


# Resizing and preprocessing


def resize():
    sizes = {
        (37, 29): [(16, 16), (64, 48), (36, 30), (37, 11), (12, 29), (1, 1), (5, 80), (111, 1)],
        (1, 1): [(7, 5)],
        (300, 2): [(3, 3), (2, 40)],
        (3, 200): [(30, 7)],
        (160, 120): [(56, 56)],
    }
    for (width, height), targets in sizes.items():
        source = Image.fromarray(drawn(width, height) if width == 160 else noise(width, height))
        name = f"{width}x{height}"
        (FIXTURES / "resize").mkdir(exist_ok=True)
        source.save(FIXTURES / f"resize/{name}.png")
        for target in targets:
            # Along the rows first, as Pillow did before version 13; since then it chooses, which moves some
            # samples by 1.
            narrowed = source.resize((target[0], height), Image.Resampling.BILINEAR)
            golden = narrowed.resize(target, Image.Resampling.BILINEAR)
            save_golden(golden, FIXTURES / f"resize/{name}_to_{target[0]}x{target[1]}.ppm")


def preprocess():
    """Short side and crop of several parities, and both normalisations."""
    folder = FIXTURES / "preprocess"
    folder.mkdir()
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    for width, height in [(61, 45), (45, 61), (50, 50), (20, 90), (16, 13)]:
        source = Image.fromarray(drawn(width, height))
        source.save(folder / f"{width}x{height}.png")
        for short, crop in [(32, 28), (31, 28), (29, 24), (24, 24)]:
            fit = transforms.Compose([transforms.Resize(short), transforms.CenterCrop(crop)])
            save_golden(fit(source), folder / f"{width}x{height}_short{short}_crop{crop}.ppm")
    source = Image.open(folder / "61x45.png")
    chain = transforms.Compose(
        [
            transforms.Resize(28),
            transforms.CenterCrop((20, 24)),
            transforms.ToTensor(),
            transforms.Normalize(mean, deviation),
        ]
    )
    chain(source).permute(1, 2, 0).numpy().astype("<f4").tofile(folder / "torchvision.f32")
    stretched = np.asarray(source.resize((24, 20), Image.Resampling.BILINEAR)).astype(np.float32)
    (stretched[..., ::-1] - np.float32([103.939, 116.779, 123.68])).astype("<f4").tofile(folder / "caffe.f32")


def scaled():
    """JPEGs decoded at 1/2, 1/4 and 1/8 by Pillow's `draft`, then resized: 203 and 149 are no multiples of a block."""
    folder = FIXTURES / "scaled"
    folder.mkdir()
    y, x = np.mgrid[0:149, 0:203]
    waves = 90 * np.sin(x / 9) * np.cos(y / 7)
    planes = np.stack([x * 255 / 202, y * 255 / 148, 128 + waves, 200 - y], -1).astype(np.uint8)
    colour = Image.fromarray(planes[..., :3])
    for name, image, options in [
        ("420", colour, {}),
        ("422", colour, {"subsampling": 1}),
        ("444", colour, {"subsampling": 0}),
        ("progressive", colour, {"progressive": True}),
        ("grey", colour.convert("L"), {}),
        ("cmyk", Image.fromarray(planes, "CMYK"), {}),
    ]:
        path = folder / f"{name}.jpg"
        image.save(path, quality=90, **options)
        for width, height in [(40, 36), (20, 15), (12, 9)]:
            source = Image.open(path)
            source.draft(None, (2 * width, 2 * height))
            factor = round(203 / source.width)
            decoded = source.convert("RGB")
            # The last samples hang over the picture's end.
            narrowed = decoded.resize(
                (width, decoded.height), Image.Resampling.BILINEAR, (0, 0, 203 / factor, decoded.height))
            golden = narrowed.resize((width, height), Image.Resampling.BILINEAR, (0, 0, width, 149 / factor))
            save_golden(golden, folder / f"{name}_to_{width}x{height}.ppm")


if __name__ == "__main__":
    for name in ["decode", "resize", "preprocess", "scaled"]:
        shutil.rmtree(FIXTURES / name, ignore_errors=True)
    decode_png()
    decode_jpeg()
    resize()
    preprocess()
    scaled()
