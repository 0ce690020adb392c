"""Makes Tests/ImagingTests/Fixtures/formats: tiny drawn images in every variant of WebP, GIF, BMP, TIFF, HEIC and AVIF
that is read, and what Pillow (HEIC: pillow-heif) makes of them, as .ppm pictures.

    python3 tools/golden/formats.py
"""

import io
import shutil
import struct
import zlib

import numpy as np
import pillow_heif
from PIL import Image, ImageOps

from fixtures import destination
from pictures import RANDOM, drawn, over_white, save_golden

FIXTURES = destination("ImagingTests", "formats")


def add(name, data, golden=None):
    """Writes a file, and as its golden what Pillow reads, upright and over white, unless another is given."""
    path = FIXTURES / name
    path.write_bytes(data)
    save_golden(golden or over_white(ImageOps.exif_transpose(Image.open(path))), path.with_suffix(".ppm"))


def encoded(image, kind, **options):
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data


def on_white(picture, width, height, left, top):
    canvas = Image.new("RGB", (width, height), "white")
    canvas.paste(over_white(picture), (left, top))
    return canvas


# WebP


def chunk(kind, data):
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def riff(*chunks):
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def uint24(value):
    return struct.pack("<I", value)[:3]


def webp():
    rgb, rgba = Image.fromarray(drawn(35, 27)), Image.fromarray(drawn(33, 29, 4))
    add("webp-lossy.webp", encoded(rgb, "WEBP", quality=80))
    add("webp-lossless.webp", encoded(rgb, "WEBP", lossless=True))
    add("webp-lossy-alpha.webp", encoded(rgba, "WEBP", quality=80))
    add("webp-lossless-alpha.webp", encoded(rgba, "WEBP", lossless=True, exact=True))
    add("webp-exif-6.webp", encoded(rgb, "WEBP", lossless=True, exif=exif(6)))
    frames = [Image.fromarray(drawn(21, 19)) for _ in range(3)]
    add("webp-animated.webp", encoded(frames[0], "WEBP", lossless=True, save_all=True, append_images=frames[1:]))
    # An animation whose first frame covers a part: its bitstream is that of a still picture.
    still = encoded(rgba, "WEBP", lossless=True, exact=True)
    stream = still[still.index(b"VP8L"):]
    frame = uint24(4 // 2) + uint24(6 // 2) + uint24(33 - 1) + uint24(29 - 1) + uint24(100) + b"\0" + stream
    header = chunk(b"VP8X", b"\x12\0\0\0" + uint24(40 - 1) + uint24(41 - 1))
    data = riff(header, chunk(b"ANIM", b"\0" * 6), chunk(b"ANMF", frame))
    add("webp-offset.webp", data, on_white(rgba, 40, 41, 4, 6))


# GIF


def gif():
    rgb = Image.fromarray(drawn(35, 27))
    palette = rgb.quantize(64, dither=Image.Dither.NONE)
    add("gif-plain.gif", encoded(palette, "GIF", interlace=0))
    add("gif-interlaced.gif", encoded(palette, "GIF", interlace=1))
    add("gif-grey.gif", encoded(rgb.convert("L"), "GIF", interlace=0))
    add("gif-two-colours.gif", encoded(rgb.convert("1"), "GIF", interlace=0))
    add("gif-transparent.gif", encoded(palette, "GIF", interlace=0, transparency=palette.getpixel((9, 13))))
    frames = [Image.fromarray(drawn(21, 19)).quantize(32) for _ in range(3)]
    add("gif-animated.gif", encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], loop=0))
    # On a larger screen, of which the frame leaves some free.
    data = bytearray(encoded(palette, "GIF", interlace=0))
    data[6:10] = struct.pack("<HH", 40, 41)
    place = data.index(b"\x2C\0\0\0\0" + struct.pack("<HH", 35, 27))
    data[place + 1:place + 5] = struct.pack("<HH", 3, 5)
    add("gif-offset.gif", bytes(data), on_white(palette, 40, 41, 3, 5))


# BMP: Pillow writes few kinds, so the encoder is ours.


def bmp(width, height, bits, rows, palette=b"", compression=0, masks=b"", header=40):
    """`rows`: the stored bytes, the lowest row first unless height is negative."""
    if header == 12:
        fields = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        fields = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, len(rows), 0, 0, 0, 0)
        fields += masks if header > 40 else b""
        fields = fields.ljust(header, b"\0") + (masks if header == 40 else b"")
    start = 14 + len(fields) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + fields + palette + rows


def padded(row):
    return row + b"\0" * (-len(row) % 4)


def runs8(indices):
    """Run lengths of a palette's picture; every other row has literal runs."""
    data = b""
    for y, row in enumerate(indices[::-1]):
        if y % 2:
            for x in range(0, len(row), 7):
                part = bytes(row[x:x + 7])
                if len(part) < 3:
                    data += b"".join(bytes([1, value]) for value in part)
                else:
                    data += bytes([0, len(part)]) + part + b"\0" * (len(part) % 2)
        else:
            for value in row:
                data += bytes([1, value])
        data += b"\0\0"
    return data + b"\0\1"


def runs4(indices):
    data = b""
    for row in indices[::-1]:
        for x in range(0, len(row) - 1, 2):
            data += bytes([2, row[x] << 4 | row[x + 1]])
        if len(row) % 2:
            data += bytes([1, row[-1] << 4])
        data += b"\0\0"
    return data + b"\0\1"


def bitmaps():
    rgb = drawn(23, 17)
    picture = Image.fromarray(rgb)
    add("bmp-24.bmp", encoded(picture, "BMP"))
    add("bmp-grey.bmp", encoded(picture.convert("L"), "BMP"))
    add("bmp-1.bmp", encoded(picture.convert("1"), "BMP"))
    add("bmp-palette.bmp", encoded(picture.quantize(50), "BMP"))
    add("bmp-alpha.bmp", encoded(Image.fromarray(drawn(21, 19, 4)), "BMP"))
    lines = [padded(row[:, ::-1].tobytes()) for row in rgb]
    add("bmp-top-down.bmp", bmp(23, -17, 24, b"".join(lines)))
    add("bmp-os2.bmp", bmp(23, 17, 24, b"".join(lines[::-1]), header=12))
    wide = rgb.astype(np.uint16) >> 3
    five = (wide[..., 0] << 10 | wide[..., 1] << 5 | wide[..., 2]).astype("<u2")
    add("bmp-555.bmp", bmp(23, 17, 16, b"".join(padded(row.tobytes()) for row in five[::-1])))
    six = (wide[..., 0] << 11 | (rgb[..., 1].astype(np.uint16) >> 2) << 5 | wide[..., 2]).astype("<u2")
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    rows = b"".join(padded(row.tobytes()) for row in six[::-1])
    add("bmp-565.bmp", bmp(23, 17, 16, rows, compression=3, masks=masks))
    rgba = drawn(21, 19, 4)
    masks = struct.pack("<IIII", 0xFF, 0xFF00, 0xFF0000, 0xFF000000)
    add("bmp-masks.bmp", bmp(21, 19, 32, rgba[::-1].tobytes(), compression=3, masks=masks, header=108))
    indices = RANDOM.integers(0, 16, (15, 13)).astype(np.uint8)
    palette = RANDOM.integers(0, 256, (16, 4)).astype(np.uint8)
    palette[:, 3] = 0
    nibbles = np.pad(indices, ((0, 0), (0, 3)))[::-1]
    add("bmp-4.bmp", bmp(13, 15, 4, (nibbles[:, ::2] << 4 | nibbles[:, 1::2]).tobytes(), palette.tobytes()))
    full = palette.tobytes() + bytes(4 * 240)
    golden = Image.fromarray(palette[:, 2::-1][indices])
    add("bmp-rle8.bmp", bmp(13, 15, 8, runs8(indices), full, compression=1), golden)
    add("bmp-rle4.bmp", bmp(13, 15, 4, runs4(indices), palette.tobytes(), compression=2), golden)
    # Runs that pass over the first row but for two pixels.
    left = np.zeros((3, 4), np.uint8)
    left[2, 2:] = 5
    left[0] = 3
    skipping = b"\0\2\2\0\2\5\0\0\0\0\4\3\0\1"
    add("bmp-rle8-skipping.bmp", bmp(4, 3, 8, skipping, full, compression=1), Image.fromarray(palette[:, 2::-1][left]))


# TIFF: Pillow writes few kinds, so the encoder is ours.


def tiff(samples, bits, photometric, order="<", planar=False, tile=None, rows=None, deflated=False, big=False, **tags):
    """`samples`: integers [height, width, samples]; `tags`: further ones, a type and values, by tag_NUMBER."""
    height, width, count = samples.shape

    def packed(part):
        if bits == 16:
            return part.astype(order + "u2").tobytes()
        data = b""
        for row in part.reshape(part.shape[0], -1):
            grid = (row[:, None] >> np.arange(bits - 1, -1, -1)) & 1
            data += np.packbits(grid.astype(np.uint8).reshape(-1)).tobytes()
        return zlib.compress(data) if deflated else data

    planes = [samples[..., c:c + 1] for c in range(count)] if planar else [samples]
    rows = rows or height
    if tile:
        across, down = tile
        sides = (-height % down, -width % across)
        pieces = []
        for plane in planes:
            grown = np.pad(plane, ((0, sides[0]), (0, sides[1]), (0, 0)))
            pieces += [packed(grown[y:y + down, x:x + across])
                       for y in range(0, height, down) for x in range(0, width, across)]
    else:
        pieces = [packed(plane[y:y + rows]) for plane in planes for y in range(0, height, rows)]
    header = 16 if big else 8
    offsets, data = [], b""
    for piece in pieces:
        offsets.append(header + len(data))
        data += piece + b"\0" * (len(piece) % 2)
    sizes = [len(piece) for piece in pieces]
    entries = {256: (4, [width]), 257: (4, [height]), 258: (3, [bits] * count), 259: (3, [8 if deflated else 1]),
               262: (3, [photometric]), 277: (3, [count]), 284: (3, [2 if planar else 1])}
    if tile:
        entries |= {322: (4, [tile[0]]), 323: (4, [tile[1]]), 324: (4, offsets), 325: (4, sizes)}
    else:
        entries |= {273: (4, offsets), 278: (4, [rows]), 279: (4, sizes)}
    entries |= {int(name[4:]): value for name, value in tags.items()}
    inline = 8 if big else 4
    directory = b""
    start = header + len(data) + (8 if big else 2) + len(entries) * (20 if big else 12) + inline
    rest = b""
    for tag, (kind, values) in sorted(entries.items()):
        value = b"".join(struct.pack(order + {3: "H", 4: "I"}[kind], v) for v in values)
        if len(value) > inline:
            value, rest = struct.pack(order + "IQ"[big:][:1], start + len(rest)), rest + value
        directory += struct.pack(order + "HH" + "IQ"[big:][:1], tag, kind, len(values)) + value.ljust(inline, b"\0")
    mark = b"II" if order == "<" else b"MM"
    if big:
        head = mark + struct.pack(order + "HHHQ", 43, 8, 0, 16 + len(data))
        count_of = struct.pack(order + "Q", len(entries))
    else:
        head = mark + struct.pack(order + "HI", 42, 8 + len(data))
        count_of = struct.pack(order + "H", len(entries))
    return head + data + count_of + directory + b"\0" * inline + rest


def upper(samples):
    return Image.fromarray((samples >> 8).astype(np.uint8))


def tiffs():
    rgb, rgba = drawn(35, 27), drawn(33, 29, 4)
    picture = Image.fromarray(rgb)
    for name in ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]:
        add(f"tiff-{name.removeprefix('tiff_')}.tiff", encoded(picture, "TIFF", compression=name))
    add("tiff-jpeg.tiff", encoded(picture, "TIFF", compression="jpeg", quality=90))
    add("tiff-palette.tiff", encoded(picture.quantize(50), "TIFF"))
    add("tiff-grey.tiff", encoded(picture.convert("L"), "TIFF"))
    add("tiff-fax.tiff", encoded(picture.convert("1"), "TIFF", compression="group4"))
    add("tiff-rgba.tiff", encoded(Image.fromarray(rgba), "TIFF"))
    add("tiff-cmyk.tiff", encoded(Image.fromarray(rgba, "CMYK"), "TIFF"))
    pages = [Image.fromarray(drawn(20, 10)) for _ in range(2)]
    add("tiff-pages.tiff", encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    add("tiff-strips.tiff", tiff(rgb, 8, 2, rows=5))
    add("tiff-big-endian.tiff", tiff(rgb, 8, 2, order=">"))
    add("tiff-planar.tiff", tiff(rgb, 8, 2, planar=True, rows=10))
    add("tiff-tiles.tiff", tiff(rgb, 8, 2, tile=(16, 16)))
    add("tiff-planar-tiles.tiff", tiff(rgb, 8, 2, planar=True, tile=(16, 16), deflated=True), picture)
    add("tiff-bigtiff.tiff", tiff(rgb, 8, 2, big=True), picture)
    add("tiff-white-is-zero.tiff", tiff(rgb[..., :1], 8, 0), Image.fromarray(255 - rgb[..., 0]))
    for bits in (1, 2, 4):
        levels = rgb[..., :1] >> (8 - bits)
        golden = Image.fromarray((levels[..., 0] * (255 // (2**bits - 1))).astype(np.uint8))
        add(f"tiff-grey{bits}.tiff", tiff(levels, bits, 1), golden)
    wide = RANDOM.integers(0, 65536, (13, 11, 4))
    add("tiff-grey16.tiff", tiff(wide[..., :1], 16, 1), upper(wide[..., 0]))
    add("tiff-rgb16.tiff", tiff(wide[..., :3], 16, 2), upper(wide[..., :3]))
    add("tiff-rgb16-big-endian.tiff", tiff(wide[..., :3], 16, 2, order=">"), upper(wide[..., :3]))
    blended = over_white(Image.fromarray((wide >> 8).astype(np.uint8)))
    add("tiff-rgba16.tiff", tiff(wide, 16, 2, tag_338=(3, [2])), blended)
    add("tiff-rgba-planar.tiff", tiff(rgba, 8, 2, planar=True, tag_338=(3, [2])), over_white(Image.fromarray(rgba)))
    # Samples that were multiplied by alpha.
    alpha = rgba[..., 3:].astype(int)
    multiplied = np.concatenate([rgba[..., :3] * alpha // 255, alpha], -1)
    golden = Image.fromarray((multiplied[..., :3] + 255 - alpha).astype(np.uint8))
    add("tiff-multiplied-alpha.tiff", tiff(multiplied, 8, 2, tag_338=(3, [1])), golden)
    add("tiff-unused-sample.tiff", tiff(rgba, 8, 2, tag_338=(3, [0])), Image.fromarray(rgba[..., :3]))
    for orientation in range(1, 9):
        add(f"tiff-orientation-{orientation}.tiff", tiff(rgb, 8, 2, tag_274=(3, [orientation])),
            ImageOps.exif_transpose(turned(picture, orientation)))


def turned(picture, orientation):
    picture = picture.copy()
    picture.getexif()[0x0112] = orientation
    return picture


# HEIC and AVIF


def smooth(width, height, channels):
    """Without edges, where decoders that fill in the colours between the stored ones would differ."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [255 * x / (width - 1), 255 * y / (height - 1), 128 + 90 * np.sin(x / 20), 255 - 2 * x]
    return Image.fromarray(np.stack(planes[:channels], -1).astype(np.uint8))


def heifs():
    rgb, rgba = smooth(66, 50, 3), smooth(66, 50, 4)
    for kind in ("heic", "avif"):
        def save(name, image, **options):
            path = FIXTURES / f"{kind}-{name}.{kind}"
            if kind == "heic":
                image.save(path, "HEIF", quality=90, **options)
            else:
                image.save(path, "AVIF", quality=90, max_threads=1, **options)
            golden = ImageOps.exif_transpose(Image.open(path))
            save_golden(over_white(golden), path.with_suffix(".ppm"))

        save("plain", rgb)
        save("alpha", rgba)
        save("grey", rgb.convert("L"))
        save("444", Image.fromarray(drawn(66, 50)), **({"chroma": 444} if kind == "heic" else {"subsampling": "4:4:4"}))
        for orientation in (3, 6, 7):
            save(f"turned-{orientation}", rgb, exif=exif(orientation))
    wide = np.asarray(rgb).astype(np.uint16) << 8
    deep = pillow_heif.from_bytes("RGB;16", rgb.size, wide.tobytes())
    deep.save(FIXTURES / "heic-10-bit.heic", quality=90)
    save_golden(Image.open(FIXTURES / "heic-10-bit.heic"), FIXTURES / "heic-10-bit.ppm")


if __name__ == "__main__":
    pillow_heif.register_heif_opener()
    shutil.rmtree(FIXTURES, ignore_errors=True)
    FIXTURES.mkdir(parents=True)
    webp()
    gif()
    bitmaps()
    tiffs()
    heifs()
