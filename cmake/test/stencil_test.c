// Family stencil: every kernel against the sums of products over the axes that define it, in long double.
#include "kernel_test.h"

#include <float.h>

#define REAL float
#define DTYPE f32
#define T(name) name##_f32
#define DIGITS FLT_MANT_DIG
#include "stencil_cases.inc"
#undef REAL
#undef DTYPE
#undef T
#undef DIGITS

#define REAL double
#define DTYPE f64
#define T(name) name##_f64
#define DIGITS DBL_MANT_DIG
#include "stencil_cases.inc"

void test_stencil(const dsc_kernel_table *table, const char *tier) {
    static const size_t sides[] = {1, 2, 3, 4, 6};
    enum { SIDES = sizeof sides / sizeof *sides };
    for (size_t o = 0; o < OFFSETS; o++)
        for (size_t i = 0; i < LENGTHS && lengths[i] <= 129; i++)
            for (size_t k = 0; k < SIDES - 1; k++)
                for (size_t j = 0; j < SIDES; j++) {
                    test_stencil_f32(table, tier, sides[k], sides[j], lengths[i], offsets[o]);
                    test_stencil_f64(table, tier, sides[k], sides[j], lengths[i], offsets[o]);
                }
    test_stencil_f32(table, tier, 1, 2, 4097, 0);
    test_stencil_f64(table, tier, 1, 2, 4097, 0);
    test_stencil_f64(table, tier, 0, 3, 5, 0);
    test_stencil_f64(table, tier, 2, 0, 5, 0);
}
