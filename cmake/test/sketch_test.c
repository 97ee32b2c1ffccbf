// Family sketch: every kernel to the bit against plain loops in the same order, and the transform against its definition.
#include "kernel_test.h"

#include <float.h>

#define REAL float
#define DTYPE f32
#define T(name) name##_f32
#define DIGITS FLT_MANT_DIG
#include "sketch_cases.inc"
#undef REAL
#undef DTYPE
#undef T
#undef DIGITS

#define REAL double
#define DTYPE f64
#define T(name) name##_f64
#define DIGITS DBL_MANT_DIG
#include "sketch_cases.inc"

void test_sketch(const dsc_kernel_table *table, const char *tier) {
    for (size_t o = 0; o < OFFSETS; o++) {
        test_hadamard_f32(table, tier, 0, offsets[o]);
        test_hadamard_f64(table, tier, 0, offsets[o]);
        for (size_t n = 1; n <= 1 << 15; n *= 2) {
            test_hadamard_f32(table, tier, n, offsets[o]);
            test_hadamard_f64(table, tier, n, offsets[o]);
        }
        for (size_t i = 0; i < LENGTHS; i++)
            for (size_t each = 0; each <= 8; each += each ? each : 1) {
                test_scatter_f32(table, tier, lengths[i], each, offsets[o]);
                test_scatter_f64(table, tier, lengths[i], each, offsets[o]);
            }
        for (size_t rows = 0; rows <= 13; rows++)
            for (size_t i = 0; i < LENGTHS; i++)
                if (lengths[i] <= 255) {
                    for (int signs = 0; signs <= 1; signs++) {
                        test_residual_f32(table, tier, rows, lengths[i], offsets[o], signs);
                        test_residual_f64(table, tier, rows, lengths[i], offsets[o], signs);
                    }
                }
        for (size_t i = 0; i < LENGTHS; i++) {
            test_gather_f32(table, tier, lengths[i], offsets[o]);
            test_gather_f64(table, tier, lengths[i], offsets[o]);
            for (size_t rows = 0; rows <= 600 && lengths[i] <= 70; rows = 2 * rows + 1 + rows % 4) {
                test_gather_gram_f32(table, tier, rows, lengths[i], offsets[o]);
                test_gather_gram_f64(table, tier, rows, lengths[i], offsets[o]);
            }
            test_sums_f32(table, tier, lengths[i], offsets[o]);
            test_sums_f64(table, tier, lengths[i], offsets[o]);
            test_scaled_f32(table, tier, lengths[i], offsets[o]);
            test_scaled_f64(table, tier, lengths[i], offsets[o]);
        }
        for (size_t rows = 1; rows <= 512; rows *= 2)
            for (size_t columns = 0; columns <= 33; columns++)
                for (size_t more = 0; more <= 2; more += 2) {
                    test_hadamard_rows_f32(table, tier, rows, columns, columns + more, offsets[o]);
                    test_hadamard_rows_f64(table, tier, rows, columns, columns + more, offsets[o]);
                }
    }
}
