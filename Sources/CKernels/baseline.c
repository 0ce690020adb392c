// What every CPU of the architecture runs (SSE2 on x86-64, NEON on 64-bit Arm).
#define ISA baseline
#define CK_NAME "baseline"
#define VL 4
#include "body/table.h"
