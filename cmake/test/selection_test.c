// Family selection: every kernel against plain loops over the definition. Searches are compared to the bit.
#include "kernel_test.h"

#define REAL float
#define DTYPE f32
#define T(name) name##_f32
#include "selection_cases.inc"
#undef REAL
#undef DTYPE
#undef T

#define REAL double
#define DTYPE f64
#define T(name) name##_f64
#include "selection_cases.inc"

void test_selection(const dsc_kernel_table *table, const char *tier) {
    static const size_t counts[] = {0, 1, 2, 8, 40, 4097};
    for (size_t o = 0; o < OFFSETS; o++)
        for (size_t i = 0; i < LENGTHS; i++)
            for (int ties = 0; ties < 2; ties++) {
                test_least_f32(table, tier, lengths[i], ties, offsets[o]);
                test_least_f64(table, tier, lengths[i], ties, offsets[o]);
                test_excess_f32(table, tier, lengths[i], ties, offsets[o]);
                test_excess_f64(table, tier, lengths[i], ties, offsets[o]);
                for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
                    test_largest_f32(table, tier, lengths[i], counts[k], ties, offsets[o]);
                    test_largest_f64(table, tier, lengths[i], counts[k], ties, offsets[o]);
                }
            }
}
