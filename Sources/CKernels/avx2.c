// x86-64-v3: chosen at run time, so compiled here whatever the build's own target is.
#if defined(__x86_64__)
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "CKernels.h"
#define ISA avx2
#define CK_NAME "avx2"
#define VL 8
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#include "body/table.h"
#pragma clang attribute pop
#endif
