// Random kernels: known answers, exact formulas from the words, normals against the transform in long double,
// and the same bits as tier scalar, over the grid of lengths.
#include "kernel_test.h"

static const uint64_t KEY = 0x299f31d0a4093822, STREAM = 0x0370734413198a2e, BLOCK = 0x85a308d3243f6a88;

// The vectors of Random123 for philox4x32-10.
static void test_known_answers(const dsc_kernel_table *table, const char *tier) {
    static const struct {
        uint64_t key, stream, block;
        uint32_t words[4];
    } answers[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        uint32_t words[4];
        table->random_bits_u32(answers[i].key, answers[i].stream, answers[i].block, 4, words);
        EXPECT(memcmp(words, answers[i].words, sizeof words) == 0, "%s known answer %zu", tier, i);
        // The same block, last of a vector: the counter carries past 2^32 and wraps at 2^64 lane by lane.
        uint32_t more[32];
        table->random_bits_u32(answers[i].key, answers[i].stream, answers[i].block - 7, 32, more);
        EXPECT(memcmp(more + 28, answers[i].words, sizeof words) == 0, "%s known answer %zu as block 7", tier, i);
    }
    uint32_t across[8], before[4], after[4];
    table->random_bits_u32(KEY, STREAM, UINT32_MAX, 8, across);
    table->random_bits_u32(KEY, STREAM, UINT32_MAX, 4, before);
    table->random_bits_u32(KEY, STREAM, (uint64_t)UINT32_MAX + 1, 4, after);
    EXPECT(memcmp(across, before, 16) == 0 && memcmp(across + 4, after, 16) == 0, "%s carry into the second word", tier);
}

// Distance of a pair of normals from r cos(t), r sin(t) with t = (pi / 2) (quarter + x), relative to r.
static double distance(double first, double second, long double r, unsigned quarter, long double x) {
    const long double angle = 1.570796326794896619231321691639751442L * (quarter + x);
    return (double)(fmaxl(fabsl(first - r * cosl(angle)), fabsl(second - r * sinl(angle))) / r);
}

// Every kernel's elements from the words of the same blocks.
static void test_formulas(const dsc_kernel_table *table, const char *tier) {
    enum { N = 4096 };
    static uint32_t w[N];
    static uint64_t q[N / 2];
    static float f[N];
    static double d[N];
    table->random_bits_u32(KEY, STREAM, BLOCK, N, w);
    table->random_bits_u64(KEY, STREAM, BLOCK, N / 2, q);
    size_t wrong = 0;
    for (size_t i = 0; i < N / 2; i++) wrong += q[i] != ((uint64_t)w[2 * i + 1] << 32 | w[2 * i]);
    EXPECT(wrong == 0, "%s words: %zu wrong", tier, wrong);

    table->random_uniform_f32(KEY, STREAM, BLOCK, N, f);
    table->random_uniform_f64(KEY, STREAM, BLOCK, N / 2, d);
    wrong = 0;
    for (size_t i = 0; i < N; i++) wrong += f[i] != (float)(w[i] >> 8) * 0x1p-24f;
    for (size_t i = 0; i < N / 2; i++) wrong += d[i] != (double)(q[i] >> 11) * 0x1p-53;
    EXPECT(wrong == 0, "%s uniform: %zu wrong", tier, wrong);

    table->random_rademacher_f32(KEY, STREAM, BLOCK, N, f);
    table->random_rademacher_f64(KEY, STREAM, BLOCK, N, d);
    wrong = 0;
    for (size_t i = 0; i < N; i++) {
        const double sign = q[i / 64] >> i % 64 & 1 ? 1 : -1;
        wrong += f[i] != sign || d[i] != sign;
    }
    EXPECT(wrong == 0, "%s rademacher: %zu wrong", tier, wrong);

    table->random_normal_f32(KEY, STREAM, BLOCK, 0, 1, N, f);
    table->random_normal_f64(KEY, STREAM, BLOCK, 0, 1, N / 2, d);
    double worst_f32 = 0, worst_f64 = 0;
    for (size_t i = 0; i < N; i += 2) {
        const float u = (float)w[i] * 0x1p-32f + 0x1p-33f;
        worst_f32 = fmax(worst_f32, distance(f[i], f[i + 1], sqrtl(-2 * logl(u)), w[i + 1] >> 30,
                                             (float)(int32_t)(w[i + 1] << 2) * 0x1p-32f));
    }
    for (size_t i = 0; i < N / 2; i += 2) {
        const double u = 1 - (double)(q[i] >> 12) * 0x1p-52;
        worst_f64 = fmax(worst_f64, distance(d[i], d[i + 1], sqrtl(-2 * logl(u)), (unsigned)(q[i + 1] >> 62),
                                             (double)(q[i + 1] << 2 >> 12) * 0x1p-52 - 0.5));
    }
    // The bounds of normal.inc.
    EXPECT(worst_f32 <= 0x1p-22 && worst_f64 <= 0x1p-50, "%s normal: 2^%.1f f32, 2^%.1f f64", tier, log2(worst_f32),
           log2(worst_f64));
}

// One length and offset: the bits of tier scalar, nothing written beyond, and a later start gives a slice of the whole.
#define TEST_LENGTH(name, type, per_block, ...)                                                                        \
    do {                                                                                                               \
        guarded got = guarded_make(n, sizeof(type), offset), expected = guarded_make(n, sizeof(type), 0);              \
        table->random_##name(KEY, STREAM, BLOCK, __VA_ARGS__ n, (type *)got.data);                                     \
        scalar->random_##name(KEY, STREAM, BLOCK, __VA_ARGS__ n, (type *)expected.data);                               \
        EXPECT(memcmp(got.data, expected.data, got.bytes) == 0, "%s " #name " %zu differs from scalar", tier, n);      \
        EXPECT(guards_intact(&got), "%s " #name " %zu offset %zu wrote beyond", tier, n, offset);                      \
        for (size_t skip = 1; skip < n; skip = 3 * skip + 2) {                                                         \
            const size_t start = skip * per_block;                                                                     \
            if (start >= n) break;                                                                                     \
            guarded part = guarded_make(n - start, sizeof(type), offset);                                              \
            table->random_##name(KEY, STREAM, BLOCK + skip, __VA_ARGS__ n - start, (type *)part.data);                 \
            EXPECT(memcmp(part.data, (type *)expected.data + start, part.bytes) == 0 && guards_intact(&part),          \
                   "%s " #name " %zu from block %zu", tier, n, skip);                                                  \
            guarded_free(&part);                                                                                       \
        }                                                                                                              \
        guarded_free(&got);                                                                                            \
        guarded_free(&expected);                                                                                       \
    } while (0)
#define MOMENTS(mean, deviation) mean, deviation,

void test_random(const dsc_kernel_table *table, const char *tier) {
    const dsc_kernel_table *scalar = dsc_table_for(DSC_TIER_SCALAR);
    test_known_answers(table, tier);
    test_formulas(table, tier);
    for (size_t o = 0; o < OFFSETS; o++) {
        for (size_t i = 0; i < LENGTHS; i++) {
            const size_t n = lengths[i], offset = offsets[o];
            TEST_LENGTH(bits_u32, uint32_t, 4, );
            TEST_LENGTH(bits_u64, uint64_t, 2, );
            TEST_LENGTH(uniform_f32, float, 4, );
            TEST_LENGTH(uniform_f64, double, 2, );
            TEST_LENGTH(rademacher_f32, float, 128, );
            TEST_LENGTH(rademacher_f64, double, 128, );
            TEST_LENGTH(normal_f32, float, 4, MOMENTS(-1.5f, 3.25f));
            TEST_LENGTH(normal_f64, double, 2, MOMENTS(-1.5, 3.25));
        }
    }
}
