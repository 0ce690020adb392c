#ifdef CAPTIONER_TIFF
#include "tiff_bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#if TIFFLIB_VERSION < 20221213
#error "expected libtiff 4.5 or later; CAPTIONER_FORMATS names the formats to build without it"
#endif

static tmsize_t read_bytes(thandle_t handle, void *out, tmsize_t size) {
  tiff_bytes *from = handle;
  if (size < 0 || from->next >= from->count) return 0;
  size_t left = from->count - (size_t)from->next;
  size_t part = (size_t)size < left ? (size_t)size : left;
  memcpy(out, from->bytes + from->next, part);
  from->next += part;
  return (tmsize_t)part;
}

static tmsize_t write_bytes(thandle_t handle, void *bytes, tmsize_t size) {
  (void)handle, (void)bytes, (void)size;
  return 0;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
  tiff_bytes *from = handle;
  from->next = whence == SEEK_SET ? offset : whence == SEEK_CUR ? from->next + offset : from->count + offset;
  return from->next;
}

static int end(thandle_t handle) {
  (void)handle;
  return 0;
}

static toff_t size_of(thandle_t handle) { return ((tiff_bytes *)handle)->count; }

// libtiff reads where the bytes lie, and writes nothing there.
static int map(thandle_t handle, void **start, toff_t *size) {
  tiff_bytes *from = handle;
  *start = (void *)(uintptr_t)from->bytes;
  *size = from->count;
  return 1;
}

static void unmap(thandle_t handle, void *start, toff_t size) { (void)handle, (void)start, (void)size; }

__attribute__((format(printf, 4, 0)))
static int on_error(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
  (void)tiff, (void)module;
  ci_report *report = user;
  if (!report->message[0]) vsnprintf(report->message, sizeof report->message, format, arguments);
  return 1;
}

// Warnings concern tags that do not bear on the pixels, and data that libtiff gives up later.
__attribute__((format(printf, 4, 0)))
static int on_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
  (void)tiff, (void)user, (void)module, (void)format, (void)arguments;
  return 1;
}

TIFF *tiff_open(tiff_bytes *from, ci_report *report, uint64_t memory) {
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
  if (!options) return NULL;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)(memory + TIFF_TABLES));
  TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, report);
  TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, report);
  TIFF *tiff =
    TIFFClientOpenExt("picture", "r", from, read_bytes, write_bytes, seek, end, size_of, map, unmap, options);
  TIFFOpenOptionsFree(options);
  return tiff;
}
#endif
