// Family optimizer: every step to the bit against its formula, which is compiled without FMA as the kernels are.
#include "kernel_test.h"

#include <float.h>

#pragma clang fp contract(off)

#define REAL float
#define DTYPE f32
#define T(name) name##_f32
#define SQRT sqrtf
#define DIGITS FLT_MANT_DIG
#include "optimizer_cases.inc"
#undef REAL
#undef DTYPE
#undef T
#undef SQRT
#undef DIGITS

#define REAL double
#define DTYPE f64
#define T(name) name##_f64
#define SQRT sqrt
#define DIGITS DBL_MANT_DIG
#include "optimizer_cases.inc"

void test_optimizer(const dsc_kernel_table *table, const char *tier) {
    for (size_t o = 0; o < OFFSETS; o++)
        for (size_t i = 0; i < LENGTHS; i++) {
            test_steps_f32(table, tier, lengths[i], offsets[o]);
            test_steps_f64(table, tier, lengths[i], offsets[o]);
        }
}
