#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "CImageCodecs.h"

void ci_share_heaps(void) {
#ifdef __GLIBC__
  if (!getenv("MALLOC_ARENA_MAX")) mallopt(M_ARENA_MAX, 2);
#endif
}
