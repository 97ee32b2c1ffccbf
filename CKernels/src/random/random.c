// Family random: the bodies, once for each tier.
#include "../dispatch/tier.h"
#include "lanes.h"

#include <string.h>

#define DSC_TIER scalar
#define DSC_BYTES 16
#include "tier.inc"
#undef DSC_TIER
#undef DSC_BYTES

#if defined(__x86_64__)
#define DSC_TIER avx2
#define DSC_BYTES 32
DSC_BEGIN_AVX2
#include "tier.inc"
DSC_END
#undef DSC_TIER
#undef DSC_BYTES

#define DSC_TIER avx512
#define DSC_BYTES 64
DSC_BEGIN_AVX512
#include "tier.inc"
DSC_END
#undef DSC_TIER
#undef DSC_BYTES

void dsc_random_fill__avx512icl(dsc_kernel_table *table) { (void)table; } // nothing beyond avx512
#elif defined(__aarch64__)
void dsc_random_fill__neon(dsc_kernel_table *table) { (void)table; } // the architecture's base has the vectors already
#endif
