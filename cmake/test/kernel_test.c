// Every kernel of every tier that this processor runs, against an exact or wider-precision reference.
//
//     kernel_test            all supported tiers
//     kernel_test avx2 …     only these
#include "kernel_test.h"

size_t passed, failed;

static uint64_t state = 0x9e3779b97f4a7c15;

uint64_t next_random(void) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1d;
}

double next_unit(void) { return (double)(int64_t)next_random() * 0x1p-63; }

enum { GUARD = 256, PATTERN = 0xff }; // all ones is a NaN in both float formats

guarded guarded_make(size_t count, size_t size, size_t offset) {
    guarded buffer = {.bytes = count * size};
    const size_t total = (GUARD + offset * size + buffer.bytes + GUARD + 63) / 64 * 64;
    buffer.base = aligned_alloc(64, total);
    if (!buffer.base) abort();
    memset(buffer.base, PATTERN, total);
    buffer.data = buffer.base + GUARD + offset * size;
    return buffer;
}

int guards_intact(const guarded *buffer) {
    for (const uint8_t *p = buffer->base; p < buffer->data; p++)
        if (*p != PATTERN) return 0;
    for (const uint8_t *p = buffer->data + buffer->bytes, *end = p + GUARD; p < end; p++)
        if (*p != PATTERN) return 0;
    return 1;
}

void guarded_free(guarded *buffer) { free(buffer->base); }

static void test_dispatch(void) {
    EXPECT(dsc_tier_supported(DSC_TIER_SCALAR), "scalar runs everywhere");
    EXPECT(dsc_tier_name((dsc_tier)99) == NULL && dsc_table_for((dsc_tier)99) == NULL, "99 is no tier");
    EXPECT(dsc_tier_force(99) == -2, "forcing what is no tier is refused");
    for (int t = 0; t < DSC_TIER_COUNT; t++) {
        if (!dsc_tier_supported((dsc_tier)t)) {
            EXPECT(dsc_table_for((dsc_tier)t) == NULL && dsc_tier_force(t) == -2, "%s is refused",
                   dsc_tier_name((dsc_tier)t));
            continue;
        }
        EXPECT(dsc_tier_force(t) == -1 && dsc_tier_active() == (dsc_tier)t, "%s is in force", dsc_tier_name((dsc_tier)t));
        EXPECT(dsc_tier_force(-1) == t, "%s ends", dsc_tier_name((dsc_tier)t));
        // No entry of a table is empty: each falls back to the tier below.
        const dsc_kernel_table *table = dsc_table_for((dsc_tier)t);
#define DSC_IN(count, type, name) const type *name
#define DSC_OUT(count, type, name) type *name
#define DSC_KERNEL(name, ret, params, args) EXPECT(table->name != NULL, #name " on %s", dsc_tier_name((dsc_tier)t));
#include "../../CKernels/include/kernels.def"
#undef DSC_KERNEL
#undef DSC_IN
#undef DSC_OUT
    }
}

int main(int argc, char **argv) {
    test_dispatch();
    for (int t = 0; t < DSC_TIER_COUNT; t++) {
        const char *tier = dsc_tier_name((dsc_tier)t);
        const dsc_kernel_table *table = dsc_table_for((dsc_tier)t);
        int wanted = argc == 1;
        for (int i = 1; i < argc; i++) wanted |= strcmp(argv[i], tier) == 0;
        if (!wanted) continue;
        if (!table) {
            printf("%s: not supported here\n", tier);
            if (argc > 1) failed++;
            continue;
        }
        const size_t before = passed, wrong = failed;
        test_binary(table, tier);
        test_vector(table, tier);
        test_random(table, tier);
        test_tensor(table, tier);
        test_optimizer(table, tier);
        test_sketch(table, tier);
        test_convolution(table, tier);
        test_matrix(table, tier);
        test_stencil(table, tier);
        test_selection(table, tier);
        test_transport(table, tier);
        printf("%s: %zu passed, %zu failed\n", tier, passed - before, failed - wrong);
    }
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed != 0;
}
