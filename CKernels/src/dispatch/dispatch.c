// Tier selection and the kernel tables. Selection happens once; a thread may force a tier for its own calls.
#include "dispatch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const tier_names[DSC_TIER_COUNT] = {"scalar", "avx2", "avx512", "avx512icl", "neon"};

const char *dsc_tier_name(dsc_tier tier) {
    return (unsigned)tier < DSC_TIER_COUNT ? tier_names[tier] : NULL;
}

int dsc_tier_supported(dsc_tier tier) {
    switch (tier) {
    case DSC_TIER_SCALAR: return 1;
#if defined(__x86_64__)
    // __builtin_cpu_supports looks at XCR0 too: a tier whose registers the system does not save reports 0.
    case DSC_TIER_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2") &&
               __builtin_cpu_supports("popcnt");
    case DSC_TIER_AVX512:
        return dsc_tier_supported(DSC_TIER_AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
    case DSC_TIER_AVX512ICL:
        return dsc_tier_supported(DSC_TIER_AVX512) && __builtin_cpu_supports("avx512vpopcntdq") &&
               __builtin_cpu_supports("avx512vnni");
#elif defined(__aarch64__)
    case DSC_TIER_NEON: return 1;
#endif
    default: return 0;
    }
}

static dsc_kernel_table tables[DSC_TIER_COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic(const dsc_kernel_table *) process_table;
static char environment_error[192];
static _Thread_local const dsc_kernel_table *forced_table;

static void fill(dsc_tier tier, dsc_tier base) {
    if (tier != base) tables[tier] = tables[base];
    switch (tier) {
#define FILL(t)                                                                                                        \
    dsc_vector_fill__##t(&tables[tier]);                                                                               \
    dsc_binary_fill__##t(&tables[tier]);                                                                               \
    dsc_random_fill__##t(&tables[tier]);                                                                               \
    dsc_tensor_fill__##t(&tables[tier]);                                                                               \
    dsc_optimizer_fill__##t(&tables[tier]);                                                                            \
    dsc_sketch_fill__##t(&tables[tier]);                                                                               \
    dsc_convolution_fill__##t(&tables[tier]);                                                                          \
    dsc_matrix_fill__##t(&tables[tier]);                                                                               \
    dsc_stencil_fill__##t(&tables[tier]);                                                                              \
    dsc_selection_fill__##t(&tables[tier]);                                                                            \
    dsc_transport_fill__##t(&tables[tier]);                                                                            \
    break;
    case DSC_TIER_SCALAR: FILL(scalar)
#if defined(__x86_64__)
    case DSC_TIER_AVX2: FILL(avx2)
    case DSC_TIER_AVX512: FILL(avx512)
    case DSC_TIER_AVX512ICL: FILL(avx512icl)
#elif defined(__aarch64__)
    case DSC_TIER_NEON: FILL(neon)
#endif
    default: break;
    }
}

static void select_once(void) {
    fill(DSC_TIER_SCALAR, DSC_TIER_SCALAR);
    dsc_tier widest = DSC_TIER_SCALAR;
#if defined(__x86_64__)
    __builtin_cpu_init();
    static const dsc_tier order[] = {DSC_TIER_AVX2, DSC_TIER_AVX512, DSC_TIER_AVX512ICL};
#elif defined(__aarch64__)
    static const dsc_tier order[] = {DSC_TIER_NEON};
#else
    static const dsc_tier order[] = {DSC_TIER_SCALAR};
#endif
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        if (!dsc_tier_supported(order[i]) || order[i] == widest) continue;
        fill(order[i], widest);
        widest = order[i];
    }

    const char *wanted = getenv("DESCENT_ISA");
    dsc_tier chosen = widest;
    if (wanted && *wanted) {
        int found = -1;
        for (int t = 0; t < DSC_TIER_COUNT; t++)
            if (strcmp(wanted, tier_names[t]) == 0) found = t;
        if (found < 0)
            snprintf(environment_error, sizeof environment_error,
                     "DESCENT_ISA is '%.40s', which is no tier; expected scalar, avx2, avx512, avx512icl or neon",
                     wanted);
        else if (!dsc_tier_supported((dsc_tier)found))
            snprintf(environment_error, sizeof environment_error,
                     "DESCENT_ISA asks for tier '%s', which this processor cannot run; the widest it can is '%s'",
                     wanted, tier_names[widest]);
        else
            chosen = (dsc_tier)found;
    }
    if (!*environment_error) atomic_store_explicit(&process_table, &tables[chosen], memory_order_release);
}

const char *dsc_environment_error(void) {
    pthread_once(&once, select_once);
    return *environment_error ? environment_error : NULL;
}

// First call of the process, or a bad DESCENT_ISA, for which the table stays empty.
static const dsc_kernel_table *process_table_slow(void) {
    if (dsc_environment_error()) {
        fprintf(stderr, "descent: %s\n", environment_error);
        abort();
    }
    return atomic_load_explicit(&process_table, memory_order_acquire);
}

static inline const dsc_kernel_table *current(void) {
    const dsc_kernel_table *table = forced_table;
    if (table) return table;
    table = atomic_load_explicit(&process_table, memory_order_acquire);
    return __builtin_expect(table != NULL, 1) ? table : process_table_slow();
}

dsc_tier dsc_tier_active(void) { return (dsc_tier)(current() - tables); }

const dsc_kernel_table *dsc_table_for(dsc_tier tier) {
    pthread_once(&once, select_once);
    return dsc_tier_supported(tier) ? &tables[tier] : NULL;
}

int dsc_tier_force(int tier) {
    int before = forced_table ? (int)(forced_table - tables) : -1;
    if (tier == -1) {
        forced_table = NULL;
    } else {
        const dsc_kernel_table *table = dsc_table_for((dsc_tier)tier);
        if (!table) return -2;
        forced_table = table;
    }
    return before;
}

#define DSC_IN(count, type, name) const type *name
#define DSC_OUT(count, type, name) type *name
#define DSC_KERNEL(name, ret, params, args)                                                                            \
    ret dsc_##name params { return current()->name args; }
#include "../../include/kernels.def"
