#ifdef CAPTIONER_TIFF
#include <stdlib.h>
#include <tiffio.h>

#include "limits.h"
#include "tiff_bytes.h"
#include "transparency.h"

// What a pixel's samples are.
typedef enum { GREY, INVERTED_GREY, RGB, PALETTE, CMYK } colours;

// Enough for CMYK, and for RGB with alpha.
enum { MAXIMUM_CHANNELS = 4 };

typedef struct {
  tiff_bytes from;
  ci_report *report;
  const ci_options *options;
  TIFF *tiff;
  colours colours;
  uint16_t bits, samples;
  // Of samples: those that are looked at, alpha last.
  int channels;
  // 0 without alpha, or libtiff's kind.
  uint16_t alpha;
  // Samples lie beside each other, or in planes, one for each channel.
  int separate, planes;
  // Of a palette: 16-bit numbers, or 8-bit ones as some write.
  const uint16_t *palette[3];
  int palette_shift;
  // Rows that are read at once, in pieces (tiles, or a strip, or a row of one) of piece_bytes, piece_width pixels wide.
  int tiled;
  uint32_t band_rows, piece_width, across;
  uint64_t piece_bytes, row_bytes;
  uint32_t strip_rows;
  // [plane, piece across]: pixels, and whether they are missing.
  uint8_t *band;
  uint8_t *missing;
  // [channel, width], a row, and what becomes of it.
  uint8_t *line;
  uint8_t *rgb;
  // Some piece lies, in part, behind the end of the file.
  int ended;
} decoder;

#define UNSUPPORTED(d, ...) (CI_NOTE((d)->report, __VA_ARGS__), CI_UNSUPPORTED)

// What the samples mean, and which of them are looked at.
static ci_outcome read_colours(decoder *d) {
  TIFF *tiff = d->tiff;
  uint16_t photometric = PHOTOMETRIC_MINISBLACK, inks = INKSET_CMYK, compression = COMPRESSION_NONE;
  TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
  int needed = 0;
  switch (photometric) {
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MINISWHITE:
      d->colours = photometric == PHOTOMETRIC_MINISBLACK ? GREY : INVERTED_GREY;
      needed = 1;
      break;
    case PHOTOMETRIC_YCBCR:
      // The decoder of JPEG turns it into RGB.
      if (compression != COMPRESSION_JPEG) return UNSUPPORTED(d, "YCbCr that is no JPEG");
      TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
      d->colours = RGB;
      needed = 3;
      break;
    case PHOTOMETRIC_RGB:
      d->colours = RGB;
      needed = 3;
      break;
    case PHOTOMETRIC_PALETTE: {
      uint16_t *red, *green, *blue;
      if (d->bits > 8) return UNSUPPORTED(d, "a palette for %u bits a sample", d->bits);
      if (!TIFFGetField(tiff, TIFFTAG_COLORMAP, &red, &green, &blue)) {
        CI_NOTE(d->report, "a picture without colours");
        return CI_CORRUPT;
      }
      d->colours = PALETTE;
      d->palette[0] = red, d->palette[1] = green, d->palette[2] = blue;
      for (int c = 0; c < 3; c++)
        for (uint32_t k = 0; k < 1u << d->bits; k++)
          if (d->palette[c][k] > 255) d->palette_shift = 8;
      needed = 1;
      break;
    }
    case PHOTOMETRIC_SEPARATED:
      TIFFGetFieldDefaulted(tiff, TIFFTAG_INKSET, &inks);
      if (inks != INKSET_CMYK) return UNSUPPORTED(d, "inks other than CMYK");
      d->colours = CMYK;
      needed = 4;
      break;
    default:
      return UNSUPPORTED(d, "photometric interpretation %u", photometric);
  }
  if (d->samples < needed) {
    CI_NOTE(d->report, "%u samples a pixel where %d are needed", d->samples, needed);
    return CI_CORRUPT;
  }
  uint16_t extra = 0, *kinds = NULL;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extra, &kinds);
  int blended = extra > 0 && kinds && (kinds[0] == EXTRASAMPLE_ASSOCALPHA || kinds[0] == EXTRASAMPLE_UNASSALPHA);
  if (blended && needed < MAXIMUM_CHANNELS && d->samples > needed) d->alpha = kinds[0];
  d->channels = needed + (d->alpha ? 1 : 0);
  if (!TIFFIsCODECConfigured(compression)) return UNSUPPORTED(d, "compression %u", compression);
  return CI_DECODED;
}

static ci_outcome read_samples(decoder *d) {
  TIFF *tiff = d->tiff;
  uint16_t format = SAMPLEFORMAT_UINT;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &d->bits);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &d->samples);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
  if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID)
    return UNSUPPORTED(d, "%u-bit samples that are %s", d->bits,
                       format == SAMPLEFORMAT_IEEEFP ? "floating-point numbers" : "no unsigned integers");
  if (d->bits != 1 && d->bits != 2 && d->bits != 4 && d->bits != 8 && d->bits != 16)
    return UNSUPPORTED(d, "%u bits a sample", d->bits);
  return read_colours(d);
}

// How the pixels lie in pieces, and what a band of them takes.
static ci_outcome read_layout(decoder *d) {
  TIFF *tiff = d->tiff;
  ci_report *report = d->report;
  uint16_t planar = PLANARCONFIG_CONTIG;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planar);
  int separate = planar == PLANARCONFIG_SEPARATE && d->samples > 1;
  d->separate = separate;
  d->planes = separate ? d->channels : 1;
  d->tiled = TIFFIsTiled(tiff);
  uint64_t beside = 0;
  if (d->tiled) {
    TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &d->piece_width);
    TIFFGetField(tiff, TIFFTAG_TILELENGTH, &d->band_rows);
    if (d->piece_width) d->across = (report->width - 1) / d->piece_width + 1;
    d->piece_bytes = TIFFTileSize64(tiff);
    d->row_bytes = TIFFTileRowSize64(tiff);
  } else {
    d->piece_width = report->width;
    d->across = 1;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &d->strip_rows);
    if (d->strip_rows > report->height) d->strip_rows = report->height;
    d->row_bytes = TIFFScanlineSize64(tiff);
    d->band_rows = separate ? d->strip_rows : 1;
    d->piece_bytes = separate ? TIFFStripSize64(tiff) : d->row_bytes;
    // Some decoders hold a strip whole.
    if (!separate) beside = TIFFStripSize64(tiff);
  }
  // What row_bytes must be for the pixels to lie where they are looked for.
  uint64_t row = ((uint64_t)d->piece_width * (separate ? 1u : d->samples) * d->bits + 7) / 8;
  if (!d->across || !d->band_rows || d->row_bytes != row || d->piece_bytes / d->band_rows < row) {
    CI_NOTE(report, "rows of an odd size");
    return CI_CORRUPT;
  }
  report->memory = d->piece_bytes * d->across * (uint64_t)d->planes;
  if (d->piece_bytes >> 40 || beside >> 40 || report->memory >> 50) report->memory = (uint64_t)1 << 50;
  report->memory += beside;
  return CI_DECODED;
}

// Pieces that overlap again and again would be read again and again.
static ci_outcome check_overlaps(decoder *d) {
  uint32_t pieces = d->tiled ? TIFFNumberOfTiles(d->tiff) : TIFFNumberOfStrips(d->tiff);
  uint64_t total = 0;
  for (uint32_t k = 0; k < pieces; k++) {
    uint64_t size = TIFFGetStrileByteCount(d->tiff, k);
    total += size < d->from.count ? size : d->from.count;
  }
  if (total / 16 <= d->from.count + (uint64_t)pieces * 64) return CI_DECODED;
  CI_NOTE(d->report, "strips or tiles that overlap");
  return CI_CORRUPT;
}

static ci_outcome read_header(decoder *d, uint64_t memory) {
  ci_report *report = d->report;
  d->tiff = tiff_open(&d->from, d->report, memory);
  if (!d->tiff) {
    CI_NOTE(report, "damaged data");
    return CI_CORRUPT;
  }
  uint32_t width = 0, height = 0;
  TIFFGetField(d->tiff, TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(d->tiff, TIFFTAG_IMAGELENGTH, &height);
  if (width == 0 || height == 0) {
    CI_NOTE(report, "a picture without pixels");
    return CI_CORRUPT;
  }
  ci_outcome outcome = ci_check_size(width, height, d->options, report);
  report->rows = report->height;
  if (outcome == CI_DECODED) outcome = read_samples(d);
  if (outcome == CI_DECODED) outcome = read_layout(d);
  if (outcome == CI_DECODED) outcome = check_overlaps(d);
  return outcome;
}

static uint8_t *piece(const decoder *d, int plane, uint32_t across) {
  return d->band + ((uint64_t)(uint32_t)plane * d->across + across) * d->piece_bytes;
}

// Whether a piece's data lie in the file.
static int is_there(const decoder *d, uint32_t number) {
  uint64_t start = TIFFGetStrileOffset(d->tiff, number), size = TIFFGetStrileByteCount(d->tiff, number);
  return start <= d->from.count && size <= d->from.count - start;
}

// Reads one piece of the band that begins at row y; 0 if it can't be had.
static int read_piece(decoder *d, uint32_t y, int plane, uint32_t across) {
  uint8_t *out = piece(d, plane, across);
  uint16_t sample = (uint16_t)plane;
  uint32_t number = d->tiled ? TIFFComputeTile(d->tiff, across * d->piece_width, y, 0, sample)
                             : TIFFComputeStrip(d->tiff, y, sample);
  tmsize_t got;
  if (!d->tiled && !d->separate) {
    got = TIFFReadScanline(d->tiff, out, y, 0) == 1 ? 1 : -1;
  } else if (d->tiled) {
    got = TIFFReadEncodedTile(d->tiff, number, out, (tmsize_t)d->piece_bytes);
  } else {
    got = TIFFReadEncodedStrip(d->tiff, number, out, (tmsize_t)d->piece_bytes);
  }
  if (got < 0 && !is_there(d, number)) d->ended = 1;
  return got >= 0;
}

// Samples of a row of some piece as bytes: the upper one of 16 bits, fewer bits stretched, indices of a palette as they
// are.
static void unpack(const decoder *d, const uint8_t *row, uint32_t first, uint32_t step, uint32_t count, uint8_t *out) {
  uint32_t bits = d->bits, scale = d->colours == PALETTE ? 1 : 255 / ((1u << (bits < 8 ? bits : 8)) - 1);
  for (uint32_t x = 0; x < count; x++) {
    size_t place = first + (size_t)x * step;
    if (bits == 8) {
      out[x] = row[place];
    } else if (bits == 16) {
      uint16_t value;
      memcpy(&value, row + place * 2, 2);
      out[x] = (uint8_t)(value >> 8);
    } else {
      size_t bit = place * bits;
      out[x] = (uint8_t)(((uint32_t)row[bit / 8] >> (8 - bits - bit % 8) & ((1u << bits) - 1)) * scale);
    }
  }
}

static void rgb_of(const decoder *d, uint32_t x, uint8_t *rgb) {
  size_t width = d->report->width;
  const uint8_t *at = d->line + x;
  for (int c = 0; c < 3; c++) switch (d->colours) {
      case GREY:
        rgb[c] = at[0];
        break;
      case INVERTED_GREY:
        rgb[c] = (uint8_t)(255 - at[0]);
        break;
      case RGB:
        rgb[c] = at[(size_t)c * width];
        break;
      case PALETTE:
        rgb[c] = (uint8_t)(d->palette[c][at[0]] >> d->palette_shift);
        break;
      case CMYK:
        rgb[c] = ci_left_by_inks(at[(size_t)c * width], at[3 * width]);
        break;
    }
  if (!d->alpha) return;
  uint8_t alpha = at[(size_t)(d->channels - 1) * width];
  // Alpha of a palette's picture is no index.
  if (d->colours == PALETTE) alpha = (uint8_t)(alpha * (255u / ((1u << d->bits) - 1)));
  for (int c = 0; c < 3; c++)
    rgb[c] = d->alpha == EXTRASAMPLE_ASSOCALPHA ? ci_multiplied_over_white(rgb[c], alpha)
                                                : ci_over_white(rgb[c], alpha);
}

// Row y of the band.
static void make_row(decoder *d, uint32_t y) {
  uint32_t width = d->report->width;
  for (uint32_t a = 0; a < d->across; a++) {
    uint32_t left = a * d->piece_width;
    uint32_t count = width - left < d->piece_width ? width - left : d->piece_width;
    if (d->missing[a]) {
      memset(d->rgb + (size_t)left * 3, CI_GREY, (size_t)count * 3);
      continue;
    }
    for (int c = 0; c < d->channels; c++) {
      const uint8_t *row = piece(d, d->separate ? c : 0, a) + y * d->row_bytes;
      uint8_t *out = d->line + (size_t)c * width + left;
      if (d->separate)
        unpack(d, row, 0, 1, count, out);
      else
        unpack(d, row, (uint32_t)c, d->samples, count, out);
    }
    for (uint32_t x = left; x < left + count; x++) rgb_of(d, x, d->rgb + (size_t)x * 3);
  }
}

// Reads the pieces of the band that begins at row y: how many can't be had.
static uint32_t read_band(decoder *d, uint32_t y) {
  uint32_t lacking = 0;
  for (uint32_t a = 0; a < d->across; a++) {
    d->missing[a] = 0;
    for (int plane = 0; plane < d->planes && !d->missing[a]; plane++)
      if (!read_piece(d, y, plane, a)) d->missing[a] = 1;
    lacking += d->missing[a];
    if (lacking && !d->options->lenient) break;
  }
  return lacking;
}

static ci_outcome read_rows(decoder *d, ci_row_sink sink, void *context) {
  ci_report *report = d->report;
  size_t width = report->width;
  // Zeros: a decoder may leave some of a damaged piece as it was.
  d->band = calloc(d->piece_bytes, (uint64_t)d->across * (uint64_t)d->planes);
  d->missing = calloc(d->across, 1);
  d->line = malloc(width * MAXIMUM_CHANNELS);
  d->rgb = malloc(width * 3);
  if (!d->band || !d->missing || !d->line || !d->rgb) return CI_NO_MEMORY;
  int in_rows = !d->tiled && !d->separate;
  uint32_t whole = 0, taken = 0;
  for (uint32_t y = 0; y < report->height;) {
    uint32_t lacking = read_band(d, y);
    uint32_t rows = d->band_rows;
    // The rest of a strip is lost with one of its rows.
    if (lacking && in_rows) rows = d->strip_rows - y % d->strip_rows;
    if (rows > report->height - y) rows = report->height - y;
    if (lacking && !d->options->lenient) {
      report->rows = y;
      return d->ended ? CI_CUT_SHORT : CI_CORRUPT;
    }
    for (uint32_t k = 0; k < rows; k++) {
      make_row(d, lacking && in_rows ? 0 : k);
      sink(context, d->rgb);
    }
    if (!lacking) whole += rows;
    if (lacking < d->across) taken = 1;
    y += rows;
  }
  report->rows = whole;
  if (!taken) return d->ended ? CI_CUT_SHORT : CI_CORRUPT;
  return CI_DECODED;
}

static ci_outcome read_file(decoder *d, ci_row_sink sink, void *context) {
  ci_outcome outcome = read_header(d, 0);
  if (outcome != CI_DECODED || !sink) return outcome;
  if (d->report->memory > TIFF_TABLES) {  // libtiff is told once how much it may take
    TIFFClose(d->tiff);
    outcome = read_header(d, d->report->memory);
    if (outcome != CI_DECODED) return outcome;
  }
  return read_rows(d, sink, context);
}

ci_outcome ci_read_tiff(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                        ci_report *report) {
  memset(report, 0, sizeof *report);
  decoder *d = calloc(1, sizeof *d);
  if (!d) return CI_NO_MEMORY;
  d->from = (tiff_bytes){.bytes = bytes, .count = count};
  d->report = report;
  d->options = options;
  ci_outcome outcome = read_file(d, sink, context);
  if (d->tiff) TIFFClose(d->tiff);
  free(d->band);
  free(d->missing);
  free(d->line);
  free(d->rgb);
  free(d);
  return outcome;
}
#endif
