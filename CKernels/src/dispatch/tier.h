// Private: names and regions for a family's translation unit, which includes its bodies once for each tier:
//
//     #define DSC_TIER avx2
//     DSC_BEGIN_AVX2
//     #include "dot.inc"
//     DSC_END
//     #undef DSC_TIER
//
// A body names its function DSC_FN(vector_dot_f32), here dsc_vector_dot_f32__avx2. System headers are included before
// the first region.
#pragma once
#include "dispatch.h"

#define DSC_FN_(name, tier) dsc_##name##__##tier
#define DSC_FN__(name, tier) DSC_FN_(name, tier)
#define DSC_FN(name) DSC_FN__(name, DSC_TIER)
#define DSC_FILL_(family) DSC_FN(family##_fill)
#define DSC_FILL(family) DSC_FILL_(family)

#define DSC_PRAGMA(...) _Pragma(#__VA_ARGS__)
#define DSC_BEGIN_AVX2                                                                                                 \
    DSC_PRAGMA(clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2,popcnt"))), apply_to = function))
#define DSC_BEGIN_AVX512                                                                                               \
    DSC_PRAGMA(clang attribute push(                                                                                   \
        __attribute__((target("avx2,fma,bmi,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl"), min_vector_width(512))), \
        apply_to = function))
#define DSC_BEGIN_AVX512ICL                                                                                            \
    DSC_PRAGMA(clang attribute push(                                                                                   \
        __attribute__((target("avx2,fma,bmi,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,avx512vnni"), \
                       min_vector_width(512))),                                                                        \
        apply_to = function))
#define DSC_END DSC_PRAGMA(clang attribute pop)
