// Family binary against counts bit by bit.
#include "kernel_test.h"

static int bit(const uint64_t *a, size_t k) { return (int)(a[k / 64] >> (k % 64) & 1); }

static void fill_bits(uint64_t *a, size_t rows, size_t columns) {
    const size_t words = (columns + 63) / 64;
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < words; k++) {
            a[i * words + k] = next_random();
            if (k == columns / 64) a[i * words + k] &= ((uint64_t)1 << columns % 64) - 1;
        }
}

static void test_products(const dsc_kernel_table *table, const char *tier, size_t m, size_t n, size_t k, size_t offset) {
    const size_t words = (k + 63) / 64, panel_words = (n + DSC_BINARY_PANEL - 1) / DSC_BINARY_PANEL * DSC_BINARY_PANEL * words;
    const size_t stride = n + 2, c_count = m ? (m - 1) * stride + n : 0;
    guarded a = guarded_make(m * words, 8, offset), b = guarded_make(n * words, 8, offset);
    guarded panels = guarded_make(panel_words, 8, offset), start = guarded_make(m, 4, offset);
    guarded row_scale = guarded_make(m, 4, offset), column_scale = guarded_make(n, 4, offset), bias = guarded_make(n, 4, offset);
    const uint64_t *pa = (uint64_t *)a.data, *pb = (uint64_t *)b.data;
    fill_bits((uint64_t *)a.data, m, k);
    fill_bits((uint64_t *)b.data, n, k);
    for (size_t i = 0; i < m; i++) {
        ((int32_t *)start.data)[i] = (int32_t)(next_random() % 1000) - 500;
        ((float *)row_scale.data)[i] = (float)next_unit();
    }
    for (size_t j = 0; j < n; j++) {
        ((float *)column_scale.data)[j] = (float)next_unit();
        ((float *)bias.data)[j] = (float)next_unit();
    }
    const size_t bit_stride = (n + 63) / 64 + 1, bit_count = m && n ? (m - 1) * bit_stride + bit_stride - 1 : 0;
    guarded threshold = guarded_make(n, 4, offset);
    for (size_t j = 0; j < n; j++) ((int32_t *)threshold.data)[j] = (int32_t)(next_random() % 600) - 300;
    table->binary_pack_panels(n, words, n * words, pb, words, panel_words, (uint64_t *)panels.data);
    for (int op = 0; op < 3; op++) { // xor, and, and with shift
        guarded c = guarded_make(c_count, 4, offset), f = guarded_make(c_count, 4, offset);
        const int shift = op == 2;
        (op == 0 ? table->binary_xor_gemm_i32 : table->binary_and_gemm_i32)(
            m, n, words, shift, (int32_t *)start.data, m * words, pa, words, panel_words, (uint64_t *)panels.data, c_count,
            (int32_t *)c.data, stride);
        (op == 0 ? table->binary_xor_gemm_f32 : table->binary_and_gemm_f32)(
            m, n, words, shift, (int32_t *)start.data, m * words, pa, words, panel_words, (uint64_t *)panels.data,
            (float *)row_scale.data, (float *)column_scale.data, (float *)bias.data, c_count, (float *)f.data, stride);
        guarded bits = guarded_make(bit_count, 8, offset);
        const uint64_t *out = (uint64_t *)bits.data;
        (op == 0 ? table->binary_xor_gemm_bits : table->binary_and_gemm_bits)(
            m, n, words, shift, (int32_t *)start.data, m * words, pa, words, panel_words, (uint64_t *)panels.data,
            (int32_t *)threshold.data, bit_count, (uint64_t *)bits.data, bit_stride);
        size_t wrong = 0, wrong_float = 0, wrong_bits = 0, touched = 0;
        for (size_t i = 0; i < m; i++) {
            for (size_t j = n; n && j < (n + 63) / 64 * 64; j++) wrong_bits += bit(out + i * bit_stride, j) != 0;
            for (size_t j = 0; n && i + 1 < m && j < 64; j++) touched += bit(out + i * bit_stride + bit_stride - 1, j) != 1;
            for (size_t j = 0; j < n; j++) {
                int32_t sum = 0;
                for (size_t q = 0; q < k; q++) {
                    const int x = bit(pa + i * words, q), y = bit(pb + j * words, q);
                    sum += op == 0 ? (x ^ y) : (x & y);
                }
                const int32_t value = ((int32_t *)start.data)[i] + (op == 0 ? -2 * sum : sum << shift);
                wrong += ((int32_t *)c.data)[i * stride + j] != value;
                wrong_bits += bit(out + i * bit_stride, j) != (value >= ((int32_t *)threshold.data)[j]);
                volatile float scale = ((float *)column_scale.data)[j] * ((float *)row_scale.data)[i];
                volatile float product = scale * (float)value;
                wrong_float += ((float *)f.data)[i * stride + j] != product + ((float *)bias.data)[j];
            }
            for (size_t j = n; j < stride && i + 1 < m; j++) touched += ((int32_t *)c.data)[i * stride + j] != -1;
        }
        EXPECT(wrong == 0 && wrong_float == 0 && wrong_bits == 0 && touched == 0,
               "%s op %d %zux%zux%zu: %zu integers, %zu floats, %zu bits wrong, %zu touched", tier, op, m, n, k, wrong,
               wrong_float, wrong_bits, touched);
        EXPECT(guards_intact(&bits) && guards_intact(&c) && guards_intact(&f) && guards_intact(&panels), "%s op %d %zux%zux%zu",
               tier, op, m, n, k);
        guarded_free(&bits);
        guarded_free(&c);
        guarded_free(&f);
        if (n == 0) continue;
        guarded y = guarded_make(m, 4, offset);
        (op == 0 ? table->binary_xor_gemv_i32 : table->binary_and_gemv_i32)(
            m, words, shift, (int32_t *)start.data, m * words, pa, words, pb, (int32_t *)y.data);
        wrong = 0;
        for (size_t i = 0; i < m; i++) {
            int32_t sum = 0;
            for (size_t q = 0; q < k; q++) {
                const int x = bit(pa + i * words, q), v = bit(pb, q);
                sum += op == 0 ? (x ^ v) : (x & v);
            }
            wrong += ((int32_t *)y.data)[i] != ((int32_t *)start.data)[i] + (op == 0 ? -2 * sum : sum << shift);
        }
        EXPECT(wrong == 0 && guards_intact(&y), "%s gemv op %d %zux%zu: %zu wrong", tier, op, m, k, wrong);
        guarded_free(&y);
    }
    guarded counts = guarded_make(m, 4, offset);
    table->binary_row_counts(m, words, m * words, pa, words, (int32_t *)counts.data);
    size_t wrong = 0;
    for (size_t i = 0; i < m; i++) {
        int32_t sum = 0;
        for (size_t q = 0; q < k; q++) sum += bit(pa + i * words, q);
        wrong += ((int32_t *)counts.data)[i] != sum;
    }
    EXPECT(wrong == 0 && guards_intact(&counts), "%s row counts %zux%zu", tier, m, k);
    guarded *all[] = {&a, &b, &panels, &start, &row_scale, &column_scale, &bias, &threshold, &counts};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) guarded_free(all[i]);
}

static void test_packing(const dsc_kernel_table *table, const char *tier, size_t columns, size_t offset) {
    enum { ROWS = 3 };
    const size_t words = (columns + 63) / 64, stride = columns + 1, count = (ROWS - 1) * stride + columns;
    guarded x = guarded_make(count, 4, offset), bits = guarded_make(ROWS * words, 8, offset);
    guarded again = guarded_make(ROWS * words, 8, offset), scale = guarded_make(ROWS, 4, offset);
    float *px = (float *)x.data;
    static const float special[] = {0.0f, -0.0f, INFINITY, -INFINITY, 1e-45f, -1e-45f};
    for (int nan = 0; nan < 2; nan++) {
        for (size_t i = 0; i < count; i++) px[i] = i % 11 == 5 ? special[i / 11 % 6] : (float)next_unit();
        if (nan && columns) px[(ROWS - 1) * stride + columns - 1] = NAN;
        const int seen = table->binary_pack_signs_f32(ROWS, columns, count, px, stride, ROWS * words, (uint64_t *)bits.data, words);
        EXPECT(seen == (nan && columns), "%s pack %zu: NaN reported", tier, columns);
        size_t wrong = 0;
        for (size_t i = 0; i < ROWS; i++)
            for (size_t k = 0; k < 64 * words; k++)
                wrong += bit((uint64_t *)bits.data + i * words, k) != (k < columns && px[i * stride + k] >= 0);
        EXPECT(wrong == 0 && guards_intact(&bits), "%s pack %zu offset %zu: %zu wrong", tier, columns, offset, wrong);
        for (size_t i = 0; i < count; i++)
            if (isinf(px[i])) px[i] = 3;
        table->binary_pack_signs_f32(ROWS, columns, count, px, stride, ROWS * words, (uint64_t *)bits.data, words);
        table->binary_pack_signs_scaled_f32(ROWS, columns, count, px, stride, ROWS * words, (uint64_t *)again.data, words, (float *)scale.data);
        EXPECT(memcmp(bits.data, again.data, ROWS * words * 8) == 0 && guards_intact(&again), "%s scaled pack %zu", tier, columns);
        for (size_t i = 0; i < ROWS; i++) {
            double sum = 0;
            for (size_t k = 0; k < columns; k++) sum += fabs((double)px[i * stride + k]);
            const double mean = columns ? sum / (double)columns : 0, got = ((float *)scale.data)[i];
            EXPECT(nan && columns && i == ROWS - 1 ? isnan(got) : fabs(got - mean) <= 70 * 0x1p-23 * mean,
                   "%s scale %zu: %g, expected %g", tier, columns, got, mean);
        }
        EXPECT(guards_intact(&scale), "%s scale %zu", tier, columns);
    }
    guarded *all[] = {&x, &bits, &again, &scale};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) guarded_free(all[i]);
}

static void test_transpose(const dsc_kernel_table *table, const char *tier, size_t rows, size_t columns) {
    const size_t words = (columns + 63) / 64, t_words = (rows + 63) / 64;
    guarded a = guarded_make(rows * words, 8, 1), t = guarded_make(columns * t_words, 8, 1);
    fill_bits((uint64_t *)a.data, rows, columns);
    table->binary_transpose(rows, columns, rows * words, (uint64_t *)a.data, words, columns * t_words, (uint64_t *)t.data, t_words);
    size_t wrong = 0;
    for (size_t k = 0; k < columns; k++)
        for (size_t i = 0; i < 64 * t_words; i++)
            wrong += bit((uint64_t *)t.data + k * t_words, i) != (i < rows && bit((uint64_t *)a.data + i * words, k));
    EXPECT(wrong == 0 && guards_intact(&t), "%s transpose %zux%zu: %zu wrong", tier, rows, columns, wrong);
    guarded_free(&a);
    guarded_free(&t);
}

void test_binary(const dsc_kernel_table *table, const char *tier) {
    static const size_t k_values[] = {0, 1, 63, 64, 65, 100, 768, 31 * 64, 32 * 64 + 1, 4097};
    static const size_t sizes[][2] = {{1, 1}, {2, 15}, {12, 16}, {13, 33}, {27, 3}, {0, 4}, {4, 0}};
    for (size_t o = 0; o < OFFSETS; o++) {
        for (size_t i = 0; i < sizeof k_values / sizeof *k_values; i++)
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
                test_products(table, tier, sizes[s][0], sizes[s][1], k_values[i], offsets[o]);
        for (size_t i = 0; i < LENGTHS; i++) test_packing(table, tier, lengths[i], offsets[o]);
    }
    static const size_t shapes[][2] = {{0, 0}, {1, 1}, {64, 64}, {65, 63}, {3, 200}, {130, 7}, {0, 5}, {5, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) test_transpose(table, tier, shapes[i][0], shapes[i][1]);
    uint64_t sink = 1;
    EXPECT(table->binary_popcount_roofline(1000, &sink) >= 1000 * 64, "%s roofline counts its bits", tier);
}
