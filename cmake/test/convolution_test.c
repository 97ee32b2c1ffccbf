// Family convolution: both kernels against plain loops in a wider type, and to the bit where an element's place must not matter.
#include "kernel_test.h"

#include <float.h>

#define REAL float
#define DTYPE f32
#define T(name) name##_f32
#define DIGITS FLT_MANT_DIG
#include "convolution_cases.inc"
#undef REAL
#undef DTYPE
#undef T
#undef DIGITS

#define REAL double
#define DTYPE f64
#define T(name) name##_f64
#define DIGITS DBL_MANT_DIG
#include "convolution_cases.inc"

void test_convolution(const dsc_kernel_table *table, const char *tier) {
    static const size_t columns[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 33, 64}, channels[] = {1, 2, 8, 13, 16},
                        filters[] = {1, 3, 8, 16, 19};
    size_t form = 0;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        for (size_t c = 0; c < 5; c++) {
            // Every length with every number of channels, and every pair of channels and filters at some lengths.
            const grid g = {.planes = 1 + form % 3, .rows = 1 + form / 3 % 4, .columns = columns[i], .channels = channels[c],
                            .filters = filters[(c + i) % 5], .plane_taps = form % 2 ? 3 : 1};
            const size_t offset = offsets[form++ % OFFSETS];
            test_lines_f32(table, tier, g, (int)(form % 8), offset);
            test_lines_f64(table, tier, g, (int)(form % 8), offset);
            test_filters_f32(table, tier, g, offset);
            test_filters_f64(table, tier, g, offset);
        }
    test_nan_f32(table, tier);
    test_nan_f64(table, tier);
}
