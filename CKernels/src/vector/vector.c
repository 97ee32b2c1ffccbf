// Family vector: the bodies, once for each tier.
#include "../dispatch/tier.h"

#define DSC_TIER scalar
#include "vector.inc"
#undef DSC_TIER

#if defined(__x86_64__)
#define DSC_TIER avx2
DSC_BEGIN_AVX2
#include "vector.inc"
DSC_END
#undef DSC_TIER

#define DSC_TIER avx512
DSC_BEGIN_AVX512
#include "vector.inc"
DSC_END
#undef DSC_TIER

void dsc_vector_fill__avx512icl(dsc_kernel_table *table) { (void)table; } // nothing beyond avx512
#elif defined(__aarch64__)
#define DSC_TIER neon
#include "vector.inc"
#undef DSC_TIER
#endif
