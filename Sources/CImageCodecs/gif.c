#ifdef CAPTIONER_GIF
#include <gif_lib.h>
#include <stdlib.h>

#include "limits.h"

// The file as giflib sees it: behind its end is the length of a block, 0, so that a file whose pixels are all there is
// read.
typedef struct {
  const uint8_t *bytes;
  size_t count, next;
  // What was read last may have been the length of a block of one byte.
  int one_expected;
  // Bytes were wanted that the file lacks.
  int ended;
} source;

typedef struct {
  GifFileType *gif;
  source from;
  // The first picture, on the canvas.
  uint32_t left, top, width, height;
  const ColorMapObject *colours;
  int transparent;
  // Rows of the picture that are there, of an interlaced one all or none.
  uint32_t whole_rows;
} decoder;

static int read_bytes(GifFileType *gif, GifByteType *out, int wanted) {
  source *from = gif->UserData;
  size_t left = from->count - from->next;
  size_t part = (size_t)wanted < left ? (size_t)wanted : left;
  memcpy(out, from->bytes + from->next, part);
  from->next += part;
  int one_was_expected = from->one_expected;
  from->one_expected = wanted == 1 && part == 1 && *out == 1;
  if (part == (size_t)wanted) return wanted;
  from->ended = 1;
  if (wanted != 1 || one_was_expected) return (int)part;
  *out = 0;
  return 1;
}

static ci_outcome fail(decoder *d, ci_report *report, int error) {
  if (error == D_GIF_ERR_NOT_ENOUGH_MEM) return CI_NO_MEMORY;
  if (d->from.ended) return CI_CUT_SHORT;
  const char *reason = GifErrorString(error);
  CI_NOTE(report, "%s", reason ? reason : "damaged data");
  return CI_CORRUPT;
}

// Which colour is transparent in the next picture: a graphic control extension says so.
static int read_extension(decoder *d) {
  int code = 0;
  GifByteType *block = NULL;
  if (DGifGetExtension(d->gif, &code, &block) != GIF_OK) return GIF_ERROR;
  GraphicsControlBlock control;
  if (code == GRAPHICS_EXT_FUNC_CODE && block && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
    d->transparent = control.TransparentColor;
  while (block)
    if (DGifGetExtensionNext(d->gif, &block) != GIF_OK) return GIF_ERROR;
  return GIF_OK;
}

// Goes to the first picture.
static ci_outcome find_picture(decoder *d, ci_report *report) {
  GifRecordType kind = UNDEFINED_RECORD_TYPE;
  while (kind != IMAGE_DESC_RECORD_TYPE) {
    if (DGifGetRecordType(d->gif, &kind) != GIF_OK) return fail(d, report, d->gif->Error);
    if (kind == EXTENSION_RECORD_TYPE && read_extension(d) != GIF_OK) return fail(d, report, d->gif->Error);
    if (kind == TERMINATE_RECORD_TYPE) {
      CI_NOTE(report, "no picture");
      return CI_CORRUPT;
    }
  }
  if (DGifGetImageDesc(d->gif) != GIF_OK) return fail(d, report, d->gif->Error);
  return d->from.ended ? CI_CUT_SHORT : CI_DECODED;
}

static ci_outcome read_header(decoder *d, const ci_options *options, ci_report *report) {
  int error = 0;
  d->gif = DGifOpen(&d->from, read_bytes, &error);
  if (!d->gif) return fail(d, report, error);
  ci_outcome found = find_picture(d, report);
  if (found != CI_DECODED) return found;
  const GifImageDesc *image = &d->gif->Image;
  // All are 16-bit numbers of the file.
  d->left = (uint32_t)image->Left;
  d->top = (uint32_t)image->Top;
  d->width = (uint32_t)image->Width;
  d->height = (uint32_t)image->Height;
  d->colours = image->ColorMap ? image->ColorMap : d->gif->SColorMap;
  if (d->width == 0 || d->height == 0 || !d->colours) {
    CI_NOTE(report, d->colours ? "a picture without pixels" : "a picture without colours");
    return CI_CORRUPT;
  }
  // A picture that hangs over its screen makes it larger, as browsers do.
  uint32_t across = d->left + d->width, down = d->top + d->height;
  uint32_t width = (uint32_t)d->gif->SWidth, height = (uint32_t)d->gif->SHeight;
  ci_outcome size =
      ci_check_size(width > across ? width : across, height > down ? height : down, options, report);
  if (size != CI_DECODED) return size;
  report->rows = report->height;
  uint64_t pixels = (uint64_t)d->width * d->height;
  report->memory = image->Interlace ? pixels * 3 : 0;
  // A code of 12 bits stands for 4096 pixels at most: a short file is not worth the memory of a huge picture.
  if (image->Interlace && pixels / 2731 > d->from.count) {
    CI_NOTE(report, "too little data for its size");
    return CI_CORRUPT;
  }
  return CI_DECODED;
}

// One line of the picture as RGB; transparent pixels are white.
static int read_line(decoder *d, GifPixelType *indices, uint8_t *rgb) {
  if (DGifGetLine(d->gif, indices, (int)d->width) != GIF_OK) return GIF_ERROR;
  for (uint32_t x = 0; x < d->width; x++, rgb += 3) {
    int index = indices[x];
    if (index == d->transparent) {
      memset(rgb, 255, 3);
    } else if (index < d->colours->ColorCount) {
      GifColorType colour = d->colours->Colors[index];
      rgb[0] = colour.Red;
      rgb[1] = colour.Green;
      rgb[2] = colour.Blue;
    } else {
      memset(rgb, 0, 3);
    }
  }
  return GIF_OK;
}

// Every 8th line, those between, and so on.
static int read_interlaced(decoder *d, GifPixelType *indices, uint8_t *pixels) {
  static const uint32_t first[] = {0, 4, 2, 1}, step[] = {8, 8, 4, 2};
  size_t stride = (size_t)d->width * 3;
  memset(pixels, CI_GREY, stride * d->height);
  uint32_t lines = 0;
  for (int pass = 0; pass < 4; pass++)
    for (uint32_t y = first[pass]; y < d->height; y += step[pass], lines++)
      if (read_line(d, indices, pixels + y * stride) != GIF_OK) return lines > 0 ? GIF_ERROR : -1;
  d->whole_rows = d->height;
  return GIF_OK;
}

// The canvas row by row: white, and the picture on it.
static ci_outcome read_rows(decoder *d, const ci_options *options, ci_row_sink sink, void *context,
                            ci_report *report) {
  int interlaced = report->memory > 0;
  size_t stride = (size_t)d->width * 3;
  uint8_t *row = malloc((size_t)report->width * 3);
  GifPixelType *indices = malloc(d->width);
  uint8_t *pixels = interlaced ? malloc(stride * d->height) : NULL;
  ci_outcome outcome = row && indices && (pixels || !interlaced) ? CI_DECODED : CI_NO_MEMORY;
  int failed = 0;
  if (outcome == CI_DECODED && interlaced) {
    int status = read_interlaced(d, indices, pixels);
    if (status != GIF_OK) {
      report->rows = 0;
      if (!options->lenient || status < 0) outcome = fail(d, report, d->gif->Error);
    }
  }
  for (uint32_t y = 0; outcome == CI_DECODED && y < report->height; y++) {
    memset(row, 255, (size_t)report->width * 3);
    if (y >= d->top && y - d->top < d->height) {
      uint8_t *out = row + (size_t)d->left * 3;
      if (interlaced) {
        memcpy(out, pixels + (y - d->top) * stride, stride);
      } else if (!failed && read_line(d, indices, out) != GIF_OK) {
        failed = 1;
        report->rows = d->whole_rows ? y : 0;
        if (!options->lenient || !d->whole_rows) {
          outcome = fail(d, report, d->gif->Error);
          break;
        }
      } else if (!failed) {
        d->whole_rows++;
      }
      if (failed) memset(out, CI_GREY, stride);
    }
    sink(context, row);
  }
  free(pixels);
  free(indices);
  free(row);
  return outcome;
}

ci_outcome ci_read_gif(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                       ci_report *report) {
  memset(report, 0, sizeof *report);
  decoder d = {.from = {.bytes = bytes, .count = count}, .transparent = NO_TRANSPARENT_COLOR};
  ci_outcome outcome = read_header(&d, options, report);
  if (outcome == CI_DECODED && sink) outcome = read_rows(&d, options, sink, context, report);
  if (d.gif) DGifCloseFile(d.gif, NULL);
  return outcome;
}
#endif
