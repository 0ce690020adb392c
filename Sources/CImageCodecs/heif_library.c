#ifdef CAPTIONER_HEIF
#include "heif_library.h"

#include <dlfcn.h>
#include <pthread.h>

static heif_library library;
static int is_loaded;

static void load(void) {
  void *file = dlopen("libheif.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!file) return;
  is_loaded = 1;
#define HEIF_FUNCTION(name)                                      \
  library.name = (__typeof__(library.name))dlsym(file, #name);   \
  if (!library.name) is_loaded = 0;
  HEIF_FUNCTIONS(HEIF_FUNCTION)
#undef HEIF_FUNCTION
}

const heif_library *ci_heif_library(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return is_loaded ? &library : NULL;
}
#else
// An empty file is none of C.
typedef int ci_no_heif_library;
#endif
