// A small harness: expectations that count, and buffers whose ends the sanitizers see.
#pragma once
#include "dispatch.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern size_t passed, failed;

/// Counts the expectation, and prints its place and text when it fails.
#define EXPECT(condition, ...)                                                                                         \
    do {                                                                                                               \
        if (condition) {                                                                                               \
            passed++;                                                                                                  \
        } else {                                                                                                       \
            failed++;                                                                                                  \
            if (failed <= 40) {                                                                                        \
                printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);                                                 \
                printf(__VA_ARGS__);                                                                                   \
                printf("\n");                                                                                          \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

/// The lengths that every kernel is tested on, and the offsets from an aligned start.
static const size_t lengths[] = {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 129, 255, 1023, 4097};
static const size_t offsets[] = {0, 1, 3};
enum { LENGTHS = sizeof lengths / sizeof *lengths, OFFSETS = sizeof offsets / sizeof *offsets };

/// xorshift64*, for data only.
uint64_t next_random(void);
/// Uniform in [-1, 1).
double next_unit(void);

/// A buffer of exactly `count` elements that starts `offset` elements after a 64-byte boundary, filled with the pattern.
/// What lies before and after it is a guard zone of the pattern, checked by guards_intact.
typedef struct guarded {
    uint8_t *base, *data;
    size_t bytes;
} guarded;
guarded guarded_make(size_t count, size_t size, size_t offset);
int guards_intact(const guarded *buffer);
void guarded_free(guarded *buffer);

void test_binary(const dsc_kernel_table *table, const char *tier);
void test_vector(const dsc_kernel_table *table, const char *tier);
void test_random(const dsc_kernel_table *table, const char *tier);
void test_tensor(const dsc_kernel_table *table, const char *tier);
void test_optimizer(const dsc_kernel_table *table, const char *tier);
void test_sketch(const dsc_kernel_table *table, const char *tier);
void test_convolution(const dsc_kernel_table *table, const char *tier);
void test_matrix(const dsc_kernel_table *table, const char *tier);
void test_stencil(const dsc_kernel_table *table, const char *tier);
void test_selection(const dsc_kernel_table *table, const char *tier);
void test_transport(const dsc_kernel_table *table, const char *tier);
