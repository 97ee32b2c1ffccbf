// One kernel in a plain loop, with symbols and frame pointers, for `perf record` and `perf annotate`.
//
//     kernel_bench list                                    every kernel and its default sizes
//     kernel_bench <kernel> [sizes…] [--tier T] [--seconds S]
//     kernel_bench all [--quick]                           each at its default sizes; fails if one has no benchmark
//
// Prints the time of a call, the rate, and the percentage of the kernel's roofline, which is measured in the same run:
// xor + popcount + add on registers for the binary products, multiply-adds on registers for convolutions and products of matrices, exponentials and additions for transport, copying (memcpy) within the same footprint for all that streams.
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Processor time: one thread runs, and what else the machine does should not count.
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *buffer(size_t bytes) {
    // 64 bytes more than asked for, so that an empty buffer has an address; filled, so that its pages are there.
    void *data = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (!data) {
        fprintf(stderr, "no memory for %zu bytes\n", bytes);
        exit(2);
    }
    memset(data, 0x3f, (bytes + 127) / 64 * 64); // 0x3f3f3f3f is 0.75 as a float, and an ordinary double too
    return data;
}

/// What a benchmark runs: its sizes, its buffers, and what one call is worth.
typedef struct work {
    const dsc_kernel_table *table;
    size_t size[3];
    void *in[5], *out;
    double operations, bytes;
    /// Measures the most operations a second; leaves how many there were. Default: xor + popcount + add.
    void (*roofline)(struct work *w);
    /// The roofline's name. Default: multiply-add.
    const char *limit;
} work;

typedef struct bench {
    const char *name;
    int sizes;
    size_t defaults[3];
    void (*prepare)(work *w);
    void (*run)(work *w);
} bench;

static double measure(void (*run)(work *), work *w, double seconds) {
    double best = 1e300;
    const double end = now() + seconds;
    size_t calls = 1;
    do {
        const double start = now();
        for (size_t i = 0; i < calls; i++) run(w);
        const double each = (now() - start) / (double)calls;
        if (each < best) best = each;
        if (each * (double)calls < seconds / 20) calls *= 2;
    } while (now() < end);
    return best;
}

static void run_copy(work *w) {
    memcpy(w->out, w->in[0], w->size[0]);
    __asm__ volatile("" ::"r"(w->out) : "memory"); // or the copy, never read, would go
}

static void run_popcount(work *w) {
    uint64_t sink = 1;
    w->operations = 2.0 * (double)w->table->binary_popcount_roofline(w->size[0], &sink);
}

#define RUN_PEAK(dtype, ctype)                                                                                 \
    static void run_peak_##dtype(work *w) {                                                                    \
        ctype sink = 1;                                                                                                \
        w->operations = (double)w->table->convolution_roofline_##dtype(w->size[0], &sink);                             \
    }
RUN_PEAK(f32, float)
RUN_PEAK(f64, double)
#undef RUN_PEAK

// ---- Benchmarks ----------------------------------------------------------------------------------------------------

#include "binary_bench.inc"
#include "random_bench.inc"
#include "tensor_bench.inc"
#include "vector_bench.inc"
#include "optimizer_bench.inc"
#include "sketch_bench.inc"
#include "convolution_bench.inc"
#include "matrix_bench.inc"
#include "stencil_bench.inc"
#include "selection_bench.inc"
#include "transport_bench.inc"

static const bench benches[] = {BINARY_BENCHES VECTOR_BENCHES RANDOM_BENCHES TENSOR_BENCHES OPTIMIZER_BENCHES
                                SKETCH_BENCHES CONVOLUTION_BENCHES MATRIX_BENCHES STENCIL_BENCHES SELECTION_BENCHES TRANSPORT_BENCHES};
enum { BENCHES = sizeof benches / sizeof *benches };

static const bench *find(const char *name) {
    for (size_t i = 0; i < BENCHES; i++)
        if (strcmp(benches[i].name, name) == 0) return &benches[i];
    return NULL;
}

static void report(const bench *b, const size_t *sizes, const dsc_kernel_table *table, dsc_tier tier, double seconds) {
    work w = {.table = table};
    memcpy(w.size, sizes, sizeof w.size);
    b->prepare(&w);
    const double time = measure(b->run, &w, seconds);
    printf("%s", b->name);
    for (int i = 0; i < b->sizes; i++) printf(" %zu", sizes[i]);
    printf(" (%s): %.3g us", dsc_tier_name(tier), 1e6 * time);
    if (w.operations > 0) {
        work peak = {.table = table, .size = {100000}};
        const double limit = measure(w.roofline ? w.roofline : run_popcount, &peak, seconds);
        printf(", %.4g Gop/s, %.1f %% of the %s roofline", 1e-9 * w.operations / time,
               100 * (w.operations / time) / (peak.operations / limit), !w.roofline ? "popcount" : w.limit ? w.limit : "multiply-add");
    } else {
        work copy = {.size = {(size_t)(w.bytes / 2) + 1}};
        copy.in[0] = buffer(copy.size[0]);
        copy.out = buffer(copy.size[0]);
        const double limit = measure(run_copy, &copy, seconds);
        printf(", %.4g GB/s, %.1f %% of copying", 1e-9 * w.bytes / time,
               100 * (w.bytes / time) / (2.0 * (double)copy.size[0] / limit));
        free(copy.in[0]);
        free(copy.out);
    }
    printf("\n");
    for (int i = 0; i < 5; i++) free(w.in[i]);
    free(w.out);
}

/// Kernels of kernels.def without a benchmark here, told by name.
static int missing(void) {
    int count = 0;
#define DSC_IN(count, type, name) const type *name
#define DSC_OUT(count, type, name) type *name
#define DSC_KERNEL(name, ret, params, args)                                                                            \
    if (!find(#name)) {                                                                                                \
        fprintf(stderr, #name " has no benchmark\n");                                                                  \
        count++;                                                                                                       \
    }
#include "../../CKernels/include/kernels.def"
    return count;
}

static int usage(void) {
    fprintf(stderr, "usage: kernel_bench list | all [--quick] | <kernel> [sizes…] [--tier T] [--seconds S]\n");
    return 2;
}

int main(int argc, char **argv) {
    const char *name = NULL;
    size_t sizes[3] = {0};
    int given = 0;
    double seconds = 1;
    dsc_tier tier = dsc_tier_active();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            seconds = 0.002;
        } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
            seconds = atof(argv[++i]);
        } else if (strcmp(argv[i], "--tier") == 0 && i + 1 < argc) {
            int found = -1;
            i++;
            for (int t = 0; t < DSC_TIER_COUNT; t++)
                if (strcmp(dsc_tier_name((dsc_tier)t), argv[i]) == 0) found = t;
            if (found < 0 || !dsc_table_for((dsc_tier)found)) {
                fprintf(stderr, "tier '%s' cannot run here\n", argv[i]);
                return 2;
            }
            tier = (dsc_tier)found;
        } else if (!name) {
            name = argv[i];
        } else if (given < 3 && strtoull(argv[i], NULL, 10) > 0) {
            sizes[given++] = (size_t)strtoull(argv[i], NULL, 10);
        } else {
            return usage();
        }
    }
    if (!name) return usage();
    const dsc_kernel_table *table = dsc_table_for(tier);
    if (strcmp(name, "list") == 0 || strcmp(name, "all") == 0) {
        for (size_t i = 0; i < BENCHES; i++) {
            if (strcmp(name, "all") == 0) {
                report(&benches[i], benches[i].defaults, table, tier, seconds);
            } else {
                printf("%s", benches[i].name);
                for (int s = 0; s < benches[i].sizes; s++) printf(" %zu", benches[i].defaults[s]);
                printf("\n");
            }
        }
        return missing() ? 1 : 0;
    }
    const bench *b = find(name);
    if (!b) {
        fprintf(stderr, "'%s' is no kernel; kernel_bench list shows them\n", name);
        return 2;
    }
    for (int i = given; i < b->sizes; i++) sizes[i] = b->defaults[i];
    report(b, sizes, table, tier, seconds);
    return 0;
}
