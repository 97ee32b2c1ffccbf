// Family vector against long double: reductions, updates and rows here and in vector_cases.inc, for each element type.
#include "kernel_test.h"

#include <float.h>

typedef long double (*reference)(long double);

static long double reference_exp(long double x) { return expl(x); }
static long double reference_log(long double x) { return logl(x); }
static long double reference_tanh(long double x) { return tanhl(x); }
static long double reference_logistic(long double x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }
static long double reference_erf(long double x) { return erfl(x); }
static long double reference_sqrt(long double x) { return sqrtl(x); }
static long double reference_reciprocal(long double x) { return 1 / x; }
static long double reference_sin(long double x) { return sinl(x); }
static long double reference_cos(long double x) { return cosl(x); }
static long double reference_gelu(long double x) {
    return isinf(x) ? fmaxl(x, -0.0L) : x * erfcl(-x / sqrtl(2)) / 2;
}
static long double reference_silu(long double x) { return isinf(x) ? fmaxl(x, -0.0L) : x * reference_logistic(x); }
static long double reference_softplus(long double x) { return (x <= 0 ? 0 : x) + log1pl(expl(-fabsl(x))); }
static long double reference_relu(long double x) { return x <= 0 ? 0 : x; }
static long double reference_abs(long double x) { return fabsl(x); }
static long double reference_square(long double x) { return x * x; }

// Ends of ranges, knots and roundings of the functions, for both types; each is tried with both signs and neighbours.
static const double edges[] = {0,        0x1p-1074, 0x1p-1022, 0x1p-149, 0x1p-126, 1e-300, 1e-20, 1e-5,     0.17328679513998633,
                               0.34657359027997264, 0.5,       0.70710678118654757, 0.875, 1,     1.4142135623730951,
                               2,        3.92,      3.95,      5.92,     5.95,     9.01,   9.1,   16.635532, 17.32868,
                               19.06,    19.1,      36.7368,   87.33655, 88.722839, 89,    103.2789, 103.97208, 105,
                               708.3964, 709.78271289338397, 710, 744.44007192138122, 745.13321910194122, 746, 1e10, 1e38,
                               FLT_MAX,  1e300,     DBL_MAX,   INFINITY};
enum { EDGES = sizeof edges / sizeof *edges };

// Distance from the exact value in units of its last place; huge where kinds or signs of zero differ.
static double ulps(double got, long double exact, int digits, int min_exponent, int max_exponent) {
    if (isnan(exact) || isnan(got)) return isnan(exact) && isnan(got) ? 0 : 1e300;
    if (exact == 0 || isinf(exact)) return got == (double)exact && !signbit(got) == !signbit(exact) ? 0 : 1e300;
    if (!signbit(got) != !signbit(exact)) return 1e300;
    // What is out of range counts as the first power of two there.
    const long double limit = ldexpl(1, max_exponent);
    const long double value = isinf(got) ? limit : fabsl((long double)got), wanted = fminl(fabsl(exact), limit);
    int exponent;
    frexpl(wanted, &exponent);
    if (exponent < min_exponent) exponent = min_exponent;
    if (exponent > max_exponent) exponent = max_exponent;
    return (double)(fabsl(value - wanted) / ldexpl(1, exponent - digits));
}

#define REAL float
#define DTYPE f32
#define T(name) name##_f32
#define NEXT nextafterf
#define DIGITS FLT_MANT_DIG
#define MIN_EXPONENT FLT_MIN_EXP
#define MAX_EXPONENT FLT_MAX_EXP
#include "vector_cases.inc"
#undef REAL
#undef DTYPE
#undef T
#undef NEXT
#undef DIGITS
#undef MIN_EXPONENT
#undef MAX_EXPONENT

#define REAL double
#define DTYPE f64
#define T(name) name##_f64
#define NEXT nextafter
#define DIGITS DBL_MANT_DIG
#define MIN_EXPONENT DBL_MIN_EXP
#define MAX_EXPONENT DBL_MAX_EXP
#include "vector_cases.inc"
#undef REAL
#undef DTYPE
#undef T
#undef NEXT
#undef DIGITS
#undef MIN_EXPONENT
#undef MAX_EXPONENT

static float any_f32(void) {
    const uint32_t bits = (uint32_t)next_random();
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double any_f64(void) {
    const uint64_t bits = next_random();
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void test_vector(const dsc_kernel_table *table, const char *tier) {
    for (size_t o = 0; o < OFFSETS; o++)
        for (size_t i = 0; i < LENGTHS; i++) {
            test_reductions_f32(table, tier, lengths[i], offsets[o]);
            test_reductions_f64(table, tier, lengths[i], offsets[o]);
            test_updates_f32(table, tier, lengths[i], offsets[o]);
            test_updates_f64(table, tier, lengths[i], offsets[o]);
            test_rows_f32(table, tier, lengths[i], offsets[o]);
            test_rows_f64(table, tier, lengths[i], offsets[o]);
#define DSC_KERNEL(name, ret, params, args)
#define DSC_MAP_KERNEL(op, dtype, ctype, ulp)                                                                          \
    test_map_places_##dtype(table->vector_##op##_##dtype, #op, tier, lengths[i], offsets[o]);
#include "../../CKernels/include/vector.def"
#undef DSC_MAP_KERNEL
        }
#define DSC_MAP_KERNEL(op, dtype, ctype, ulp)                                                                          \
    test_map_accuracy_##dtype(table->vector_##op##_##dtype, reference_##op, any_##dtype, ulp, #op, tier);
#include "../../CKernels/include/vector.def"
#undef DSC_MAP_KERNEL
#undef DSC_KERNEL
    test_long_sums_f32(table, tier);
    test_long_sums_f64(table, tier);
    test_norms_f32(table, tier);
    test_norms_f64(table, tier);
    test_special_rows_f32(table, tier);
    test_special_rows_f64(table, tier);
}
