// Family random: the bodies, once for each tier.
#include "../dispatch/tier.h"

void dsc_random_fill__scalar(dsc_kernel_table *table) { (void)table; }
#if defined(__x86_64__)
void dsc_random_fill__avx2(dsc_kernel_table *table) { (void)table; }
void dsc_random_fill__avx512(dsc_kernel_table *table) { (void)table; }
void dsc_random_fill__avx512icl(dsc_kernel_table *table) { (void)table; }
#elif defined(__aarch64__)
void dsc_random_fill__neon(dsc_kernel_table *table) { (void)table; }
#endif
