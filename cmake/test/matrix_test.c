// Family matrix: products against plain loops in a wider type, on shapes around the tiles, blocks and vectors.
#include "kernel_test.h"

#include <float.h>

#define REAL float
#define DTYPE f32
#define T(name) name##_f32
#define DIGITS FLT_MANT_DIG
#include "matrix_cases.inc"
#undef REAL
#undef DTYPE
#undef T
#undef DIGITS

#define REAL double
#define DTYPE f64
#define T(name) name##_f64
#define DIGITS DBL_MANT_DIG
#include "matrix_cases.inc"

void test_matrix(const dsc_kernel_table *table, const char *tier) {
    static const size_t small[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 27, 28, 31, 32, 33, 45};
    enum { SMALL = sizeof small / sizeof *small };
    size_t form = 0;
    for (size_t i = 0; i < SMALL; i++)
        for (size_t j = 0; j < SMALL; j++, form++) {
            const product p = {.m = small[i], .n = small[j], .k = small[(i + 3 * j) % SMALL], .parts = (int)(form * 7 % 64),
                               .gap = form % 3, .offset = offsets[form % OFFSETS]};
            test_product_f32(table, tier, p);
            test_product_f64(table, tier, p);
        }
    // Beyond one block of steps, of rows and of columns.
    static const size_t large[][3] = {{15, 33, 256}, {14, 32, 257}, {3, 40, 700}, {289, 18, 260}, {600, 33, 20}, {15, 530, 260}, {290, 530, 5}};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++)
        for (int transposes = 0; transposes < 4; transposes++) {
            const product p = {.m = large[i][0], .n = large[i][1], .k = large[i][2], .parts = transposes | (int)(i * 4 + 4 * (size_t)transposes) % 64,
                               .gap = i % 2, .offset = offsets[i % OFFSETS]};
            test_product_f32(table, tier, p);
            test_product_f64(table, tier, p);
        }
    test_special_values_f32(table, tier);
    test_special_values_f64(table, tier);
}
