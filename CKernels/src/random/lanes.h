// Private: vectors of the compiler's own, so that a body is written once and runs at each tier's width.
// A family's translation unit sets DSC_BYTES (16, 32 or 64) beside DSC_TIER; the names below follow it.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define DSC_LANE_TYPES(bytes)                                                                                          \
    typedef float f32_##bytes __attribute__((ext_vector_type(bytes / 4)));                                             \
    typedef int32_t i32_##bytes __attribute__((ext_vector_type(bytes / 4)));                                           \
    typedef uint32_t u32_##bytes __attribute__((ext_vector_type(bytes / 4)));                                          \
    typedef double f64_##bytes __attribute__((ext_vector_type(bytes / 8)));                                            \
    typedef int64_t i64_##bytes __attribute__((ext_vector_type(bytes / 8)));                                           \
    typedef uint64_t u64_##bytes __attribute__((ext_vector_type(bytes / 8)));                                          \
    typedef float f32_any_##bytes __attribute__((ext_vector_type(bytes / 4), aligned(4), may_alias));                  \
    typedef double f64_any_##bytes __attribute__((ext_vector_type(bytes / 8), aligned(8), may_alias));                 \
    typedef uint32_t u32_any_##bytes __attribute__((ext_vector_type(bytes / 4), aligned(4), may_alias));               \
    typedef uint64_t u64_any_##bytes __attribute__((ext_vector_type(bytes / 8), aligned(4), may_alias));
DSC_LANE_TYPES(16)
DSC_LANE_TYPES(32)
DSC_LANE_TYPES(64)
#undef DSC_LANE_TYPES

#define DSC_CAT_(a, b) a##b
#define DSC_CAT(a, b) DSC_CAT_(a, b)
#define VF32 DSC_CAT(f32_, DSC_BYTES)
#define VI32 DSC_CAT(i32_, DSC_BYTES)
#define VU32 DSC_CAT(u32_, DSC_BYTES)
#define VF64 DSC_CAT(f64_, DSC_BYTES)
#define VI64 DSC_CAT(i64_, DSC_BYTES)
#define VU64 DSC_CAT(u64_, DSC_BYTES)
// The same with the alignment of one element, for loads and stores anywhere.
#define VF32_ANY DSC_CAT(f32_any_, DSC_BYTES)
#define VF64_ANY DSC_CAT(f64_any_, DSC_BYTES)
#define VU32_ANY DSC_CAT(u32_any_, DSC_BYTES)
#define VU64_ANY DSC_CAT(u64_any_, DSC_BYTES)
#define LANES32 (DSC_BYTES / 4)
#define LANES64 (DSC_BYTES / 8)

#define DSC_INLINE static inline __attribute__((always_inline))
