// Family transport: every kernel against sums of exponentials in long double.
#include "kernel_test.h"

#include <float.h>

// An entry: the fast exponential, and an exponent of up to 40 that rounds once, or twice and by its terms without FMA.
#define REAL float
#define DTYPE f32
#define T(name) name##_f32
#define DIGITS FLT_MANT_DIG
#define KERNEL_ERROR (2e-7L + 100 * 5.97e-8L)
#include "transport_cases.inc"
#undef REAL
#undef DTYPE
#undef T
#undef DIGITS
#undef KERNEL_ERROR

#define REAL double
#define DTYPE f64
#define T(name) name##_f64
#define DIGITS DBL_MANT_DIG
#define KERNEL_ERROR (5e-16L + 100 * 1.12e-16L)
#include "transport_cases.inc"

void test_transport(const dsc_kernel_table *table, const char *tier) {
    for (size_t o = 0; o < OFFSETS; o++)
        for (size_t rows = 0; rows <= 9; rows++)
            for (size_t i = 0; i < LENGTHS; i++) {
                if (lengths[i] > 255 && rows != 9) continue;
                for (int32_t rule = DSC_TRANSPORT_FIXED; rule <= DSC_TRANSPORT_MULTIPLY; rule++) {
                    test_gibbs_f32(table, tier, rows, lengths[i], offsets[o], rule, 0, 0);
                    test_gibbs_f64(table, tier, rows, lengths[i], offsets[o], rule, 0, 0);
                    for (size_t dimension = 1; dimension <= 5 && lengths[i] <= 129; dimension++) {
                        const int32_t cost = DSC_TRANSPORT_SQUARED + (int32_t)(rows + dimension) % 3;
                        test_gibbs_f32(table, tier, rows, lengths[i], offsets[o], rule, dimension, cost);
                        test_gibbs_f64(table, tier, rows, lengths[i], offsets[o], rule, dimension, cost);
                    }
                }
            }
    for (size_t i = 0; i < LENGTHS; i++) {
        test_shifts_f32(table, tier, lengths[i]);
        test_shifts_f64(table, tier, lengths[i]);
    }
}
