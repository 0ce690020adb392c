#ifndef CLIBFUZZER_H
#define CLIBFUZZER_H

// libFuzzer's interface, which no header of the toolchain declares (https://llvm.org/docs/LibFuzzer.html).

#include <stddef.h>
#include <stdint.h>

/// Fuzzes `callback` as the arguments say, and ends the process.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));

/// Changes `data` in place, to at most `maximum` bytes; how many there are then.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maximum);

#endif
