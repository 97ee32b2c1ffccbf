// Family binary: the bodies, once for each tier.
#include "../dispatch/tier.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// Portable vector types; a tier without the width splits them.
typedef float f32x16 __attribute__((vector_size(64)));
typedef float f32x16_any __attribute__((vector_size(64), aligned(4)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16_any __attribute__((vector_size(64), aligned(4)));
// A single row of a streams the panels: they are asked for 4 KiB ahead (1.15 times faster from the third-level cache).
// An address beyond the end does no harm.
#define DSC_PREFETCH_PANEL(words_of_panel)                                                                             \
    do {                                                                                                               \
        __builtin_prefetch((const void *)((uintptr_t)(words_of_panel) + 4096));                                        \
        __builtin_prefetch((const void *)((uintptr_t)(words_of_panel) + 4096 + 64));                                   \
    } while (0)

typedef uint8_t bytes32 __attribute__((vector_size(32)));
typedef uint8_t bytes64 __attribute__((vector_size(64)));

#define DSC_TIER scalar
#include "counts_scalar.inc"
#include "pack.inc"
#include "product.inc"
#undef DSC_TIER

#if defined(__x86_64__)
#define DSC_TIER avx2
DSC_BEGIN_AVX2
#include "counts_avx2.inc"
#include "pack.inc"
#include "product.inc"
DSC_END
#undef DSC_TIER

#define DSC_TIER avx512
DSC_BEGIN_AVX512
#include "counts_avx512.inc"
#include "pack.inc"
#include "product.inc"
DSC_END
#undef DSC_TIER

#define DSC_TIER avx512icl
DSC_BEGIN_AVX512ICL
#include "counts_avx512icl.inc"
#include "pack.inc"
#include "product.inc"
DSC_END
#undef DSC_TIER
#elif defined(__aarch64__)
#define DSC_TIER neon
#include "counts_neon.inc"
#include "pack.inc"
#include "product.inc"
#undef DSC_TIER
#endif
