// Family tensor against long double: arithmetic, derivatives and rows here and in tensor_cases.inc, for each element type.
#include "kernel_test.h"

#include <float.h>

// p(s) and p'(s) of an elementwise function, with the sizes that their errors are measured by, of a saved number s.
typedef struct slope {
    long double p, size, second, second_size;
} slope;
typedef slope (*slope_of)(long double);

// |second| and |p| are their own sizes.
static slope plain(long double p, long double second) { return (slope){p, fabsl(p), second, fabsl(second)}; }

static const long double PI = 3.14159265358979323846264338327950288L;

// 1 / (1 + e^-x), also where its complement is wanted exactly.
static long double logistic(long double x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }

static slope slope_exp(long double s) { return plain(s, 1); }
static slope slope_log(long double s) { return plain(1 / s, -1 / (s * s)); }
static slope slope_tanh(long double s) { return plain((1 - s) * (1 + s), -2 * s); }
static slope slope_logistic(long double s) { return plain(s * (1 - s), 1 - 2 * s); }
static slope slope_erf(long double s) {
    const long double p = 2 / sqrtl(PI) * expl(-s * s);
    return plain(p, isinf(s) ? 0 : -2 * s * p);
}
static slope slope_sqrt(long double s) { return plain(1 / (2 * s), -1 / (2 * s * s)); }
static slope slope_reciprocal(long double s) { return plain(-s * s, -2 * s); }
static slope slope_sin(long double s) { return plain(cosl(s), -sinl(s)); }
static slope slope_cos(long double s) { return plain(-sinl(s), -cosl(s)); }
static slope slope_relu(long double s) { return plain(s > 0, 0); }
static slope slope_gelu(long double s) {
    const long double tail = erfcl(-s / sqrtl(2)) / 2, density = expl(-s * s / 2) / sqrtl(2 * PI);
    if (isinf(s)) return plain(s > 0, 0);
    return (slope){tail + s * density, tail + fabsl(s) * density, density * (2 - s * s), density * (2 + s * s)};
}
static slope slope_silu(long double s) {
    const long double l = logistic(s), rest = logistic(-s), odd = s * (rest - l);
    if (isinf(s)) return plain(s > 0, 0);
    return (slope){l * (1 + s * rest), l * (1 + fabsl(s) * rest), l * rest * (2 + odd), l * rest * (2 + fabsl(odd))};
}
static slope slope_softplus(long double s) { return plain(logistic(s), logistic(s) * logistic(-s)); }
static slope slope_abs(long double s) { return plain(s > 0 ? 1 : s < 0 ? -1 : 0, 0); }
static slope slope_square(long double s) { return plain(2 * s, 2); }

// Where the numbers that a function saves lie; all others save any number.
typedef struct range {
    double low, high;
} range;
static range saved_range(const char *op) {
    if (strcmp(op, "log") == 0 || strcmp(op, "sqrt") == 0) return (range){0x1p-10, 0x1p10};
    if (strcmp(op, "tanh") == 0) return (range){-1, 1};
    if (strcmp(op, "logistic") == 0) return (range){0, 1};
    return (range){-INFINITY, INFINITY};
}

// Knots, zeros of the derivatives, ends of the exponentials' ranges; each is tried with both signs.
static const double edges[] = {0, 1e-30, 1e-5, 0.5, 0.7517915, 1, 1.2784645, 1.4142135623730951, 1.5707963267948966,
                               3.141592653589793, 9.3, 10.2, 10.5, 12.9, 13.2, 14.5, 14.9, 26.6, 27.4, 27.6, 37.5, 38.6, 39.1,
                               87, 104, 110, 16383, 708, 746, 761};
enum { EDGES = sizeof edges / sizeof *edges };

#define REAL float
#define DTYPE f32
#define T(name) name##_f32
#define DIGITS FLT_MANT_DIG
#define MIN_EXPONENT FLT_MIN_EXP
#include "tensor_cases.inc"
#undef REAL
#undef DTYPE
#undef T
#undef DIGITS
#undef MIN_EXPONENT

#define REAL double
#define DTYPE f64
#define T(name) name##_f64
#define DIGITS DBL_MANT_DIG
#define MIN_EXPONENT DBL_MIN_EXP
#include "tensor_cases.inc"
#undef REAL
#undef DTYPE
#undef T
#undef DIGITS
#undef MIN_EXPONENT

void test_tensor(const dsc_kernel_table *table, const char *tier) {
    for (size_t o = 0; o < OFFSETS; o++)
        for (size_t i = 0; i < LENGTHS; i++) {
            test_arithmetic_f32(table, tier, lengths[i], offsets[o]);
            test_arithmetic_f64(table, tier, lengths[i], offsets[o]);
            test_rows_f32(table, tier, 3, lengths[i], offsets[o]);
            test_rows_f64(table, tier, 3, lengths[i], offsets[o]);
            test_runs_f32(table, tier, lengths[i], offsets[o]);
            test_runs_f64(table, tier, lengths[i], offsets[o]);
            test_losses_f32(table, tier, 3, lengths[i], offsets[o]);
            test_losses_f64(table, tier, 3, lengths[i], offsets[o]);
            // Blocks of eight rows, and a rest.
            test_layer_norm_f32(table, tier, lengths[i] % 4 ? 3 : 19, lengths[i], offsets[o]);
            test_layer_norm_f64(table, tier, lengths[i] % 4 ? 3 : 19, lengths[i], offsets[o]);
#define DSC_KERNEL(name, ret, params, args)
#define DSC_DERIVATIVE_KERNELS(op, dtype, ctype, bound, second)                                                        \
    test_derivative_places_##dtype(table->tensor_##op##_pullback_##dtype, table->tensor_##op##_pullback_tangent_##dtype, \
                                   #op, tier, lengths[i], offsets[o]);
#include "../../CKernels/include/tensor.def"
#undef DSC_DERIVATIVE_KERNELS
        }
#define DSC_DERIVATIVE_KERNELS(op, dtype, ctype, bound, second)                                                        \
    test_derivative_accuracy_##dtype(table->tensor_##op##_pullback_##dtype, table->tensor_##op##_pullback_tangent_##dtype, \
                                     slope_##op, bound, second, #op, tier);
#include "../../CKernels/include/tensor.def"
#undef DSC_DERIVATIVE_KERNELS
#undef DSC_KERNEL
    test_special_arithmetic_f32(table, tier);
    test_special_arithmetic_f64(table, tier);
    // Blocks of rows, and strips of columns.
    for (size_t rows = 0; rows <= 40; rows++) {
        test_rows_f32(table, tier, rows, 21, 1);
        test_rows_f64(table, tier, rows, 21, 1);
    }
    test_rows_f32(table, tier, 19, 1025, 0);
    test_rows_f64(table, tier, 19, 1025, 0);
    test_long_columns_f32(table, tier);
    test_long_columns_f64(table, tier);
    test_special_rows_of_tensors_f32(table, tier);
    test_special_rows_of_tensors_f64(table, tier);
}
