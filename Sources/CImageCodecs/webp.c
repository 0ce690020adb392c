#ifdef CAPTIONER_WEBP
#include <stdlib.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include "limits.h"
#include "transparency.h"

// The picture, or the first of an animation, and where on the canvas it lies.
typedef struct {
  // Of an animation only.
  WebPDemuxer *demuxer;
  WebPIterator frame;
  const uint8_t *bytes;
  size_t count;
  uint32_t left, top, width, height;
  int channels;
  uint8_t *pixels;
  // Of the picture, from its top.
  uint32_t whole_rows;
} picture;

static ci_outcome fail(ci_report *report, VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return CI_NO_MEMORY;
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return CI_CUT_SHORT;
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      CI_NOTE(report, "a feature that libwebp does not know");
      return CI_UNSUPPORTED;
    default:
      CI_NOTE(report, "damaged data");
      return CI_CORRUPT;
  }
}

// The first frame of an animation; the others may be missing.
static ci_outcome find_first_frame(picture *p, const uint8_t *bytes, size_t count, ci_report *report) {
  WebPData data = {.bytes = bytes, .size = count};
  WebPDemuxState state = WEBP_DEMUX_PARSING_HEADER;
  p->demuxer = WebPDemuxPartial(&data, &state);
  if (!p->demuxer || !WebPDemuxGetFrame(p->demuxer, 1, &p->frame)) {
    if (state == WEBP_DEMUX_PARSING_HEADER || state == WEBP_DEMUX_PARSED_HEADER) return CI_CUT_SHORT;
    CI_NOTE(report, "an animation without frames");
    return CI_CORRUPT;
  }
  p->bytes = p->frame.fragment.bytes;
  p->count = p->frame.fragment.size;
  if (p->frame.x_offset < 0 || p->frame.y_offset < 0) return CI_CORRUPT;
  p->left = (uint32_t)p->frame.x_offset;
  p->top = (uint32_t)p->frame.y_offset;
  return CI_DECODED;
}

// Bytes that libwebp takes beside the pixels, from what it is known to keep whole.
static uint64_t working_memory(const WebPBitstreamFeatures *features) {
  uint64_t pixels = (uint64_t)features->width * (uint64_t)features->height;
  if (features->format != 1) return pixels * 5;  // lossless: all of its own pixels and its transforms
  return features->has_alpha ? pixels * 2 : 0;
}

static ci_outcome read_header(picture *p, const uint8_t *bytes, size_t count, const ci_options *options,
                              ci_report *report) {
  WebPBitstreamFeatures features;
  VP8StatusCode status = WebPGetFeatures(bytes, count, &features);
  if (status != VP8_STATUS_OK) return fail(report, status);
  ci_outcome size = ci_check_size((uint32_t)features.width, (uint32_t)features.height, options, report);
  if (size != CI_DECODED) return size;
  report->rows = report->height;
  p->bytes = bytes;
  p->count = count;
  if (features.has_animation) {
    ci_outcome found = find_first_frame(p, bytes, count, report);
    if (found != CI_DECODED) return found;
    status = WebPGetFeatures(p->bytes, p->count, &features);
    if (status != VP8_STATUS_OK) return fail(report, status);
  }
  p->width = (uint32_t)features.width;
  p->height = (uint32_t)features.height;
  if ((uint64_t)p->left + p->width > report->width || (uint64_t)p->top + p->height > report->height) {
    CI_NOTE(report, "a frame that lies outside the picture");
    return CI_CORRUPT;
  }
  p->channels = features.has_alpha ? 4 : 3;
  report->memory = (uint64_t)p->width * p->height * (uint64_t)p->channels + working_memory(&features);
  return CI_DECODED;
}

// Decodes as many rows as there are.
static VP8StatusCode decode(picture *p) {
  size_t stride = (size_t)p->width * (size_t)p->channels;
  p->pixels = malloc(stride * p->height);
  if (!p->pixels) return VP8_STATUS_OUT_OF_MEMORY;
  WEBP_CSP_MODE mode = p->channels == 4 ? MODE_RGBA : MODE_RGB;
  WebPIDecoder *decoder = WebPINewRGB(mode, p->pixels, stride * p->height, (int)stride);
  if (!decoder) return VP8_STATUS_OUT_OF_MEMORY;
  VP8StatusCode status = WebPIUpdate(decoder, p->bytes, p->count);
  int last = 0;
  if (status == VP8_STATUS_OK)
    p->whole_rows = p->height;
  else if (WebPIDecGetRGB(decoder, &last, NULL, NULL, NULL) && last > 0)
    p->whole_rows = (uint32_t)last < p->height ? (uint32_t)last : p->height;
  WebPIDelete(decoder);
  return status;
}

// The canvas, row by row: white, and the picture laid over it.
static void give_rows(const picture *p, uint8_t *row, ci_report *report, ci_row_sink sink, void *context) {
  size_t stride = (size_t)p->width * (size_t)p->channels;
  for (uint32_t y = 0; y < report->height; y++) {
    memset(row, 255, (size_t)report->width * 3);
    uint8_t *out = row + (size_t)p->left * 3;
    if (y >= p->top && y - p->top < p->height) {
      const uint8_t *in = p->pixels + (y - p->top) * stride;
      if (y - p->top >= p->whole_rows)
        memset(out, CI_GREY, (size_t)p->width * 3);
      else if (p->channels == 3)
        memcpy(out, in, stride);
      else
        for (uint32_t x = 0; x < p->width; x++, in += 4, out += 3)
          for (int c = 0; c < 3; c++) out[c] = ci_over_white(in[c], in[3]);
    }
    sink(context, row);
  }
}

static ci_outcome read_rows(picture *p, const ci_options *options, ci_row_sink sink, void *context, ci_report *report) {
  VP8StatusCode status = decode(p);
  if (status == VP8_STATUS_OUT_OF_MEMORY) return CI_NO_MEMORY;
  if (p->whole_rows < p->height) {
    report->rows = p->whole_rows ? p->top + p->whole_rows : 0;
    if (!options->lenient || p->whole_rows == 0) return fail(report, status);
  }
  uint8_t *row = malloc((size_t)report->width * 3);
  if (!row) return CI_NO_MEMORY;
  give_rows(p, row, report, sink, context);
  free(row);
  return CI_DECODED;
}

// What is odd about a file all of whose rows are there: the first bytes say how long it is.
static void judge_length(const uint8_t *bytes, size_t count, ci_report *report) {
  uint64_t said = 8 + (bytes[4] | (uint64_t)bytes[5] << 8 | (uint64_t)bytes[6] << 16 | (uint64_t)bytes[7] << 24);
  if (count < said)
    CI_NOTE(report, "the file ends early");
  else if (count > said + said % 2)
    CI_NOTE(report, "%zu bytes after the picture's end are left out", (size_t)(count - said));
}

ci_outcome ci_read_webp(const uint8_t *bytes, size_t count, const ci_options *options, ci_row_sink sink, void *context,
                        ci_report *report) {
  memset(report, 0, sizeof *report);
  picture p;
  memset(&p, 0, sizeof p);
  ci_outcome outcome = read_header(&p, bytes, count, options, report);
  if (outcome == CI_DECODED && sink) outcome = read_rows(&p, options, sink, context, report);
  if (outcome == CI_DECODED && sink && report->rows == report->height) judge_length(bytes, count, report);
  if (p.demuxer) {
    WebPDemuxReleaseIterator(&p.frame);
    WebPDemuxDelete(p.demuxer);
  }
  free(p.pixels);
  return outcome;
}
#endif
