// Family optimizer: the bodies, once for each tier and element type.
#include "../dispatch/tier.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define DSC_TIER scalar
#define DSC_VECTOR_BYTES 16
#include "tier.inc"
#undef DSC_VECTOR_BYTES
#undef DSC_TIER

#if defined(__x86_64__)
#define DSC_TIER avx2
#define DSC_VECTOR_BYTES 32
DSC_BEGIN_AVX2
#include "tier.inc"
DSC_END
#undef DSC_VECTOR_BYTES
#undef DSC_TIER

#define DSC_TIER avx512
#define DSC_VECTOR_BYTES 64
DSC_BEGIN_AVX512
#include "tier.inc"
DSC_END
#undef DSC_VECTOR_BYTES
#undef DSC_TIER

void dsc_optimizer_fill__avx512icl(dsc_kernel_table *table) { (void)table; } // nothing beyond avx512
#elif defined(__aarch64__)
#define DSC_TIER neon
#define DSC_VECTOR_BYTES 16
#include "tier.inc"
#undef DSC_VECTOR_BYTES
#undef DSC_TIER
#endif
