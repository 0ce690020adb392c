// x86-64-v4: chosen at run time, so compiled here whatever the build's own target is.
#if defined(__x86_64__)
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "CKernels.h"
#define ISA avx512
#define CK_NAME "avx512"
#define VL 16
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,f16c,bmi,bmi2"))), apply_to = function)
#include "body/table.h"
#pragma clang attribute pop
#endif
