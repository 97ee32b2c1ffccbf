// swift-descent kernels: hot loops in C17 with SIMD tiers chosen at run time.
//
// Every kernel is declared by one line of `kernels.def`; this header expands that list into
//
//     ret dsc_<family>_<op>_<dtype>(params);
//
// which runs the tier that is in force. (src/dispatch/dispatch.h expands it once more, into the table of a tier.)
// Kernels do not allocate, print, abort or read beyond the counts they are given, and they hold no state.
// Each pointer has a count parameter of its own (or shares one with buffers of equal length): what the bounds are is
// written in the prototype.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if __has_include(<ptrcheck.h>) && __has_include(<lifetimebound.h>)
#include <lifetimebound.h>
#include <ptrcheck.h>
#else
#define __counted_by(count)
#define __noescape
#endif

#ifdef __cplusplus
extern "C" {
#endif

// ---- Tiers ---------------------------------------------------------------------------------------------------------

/// Instruction-set tiers, narrowest first. `avx2` means AVX2 + FMA + BMI2 + POPCNT; `avx512` means F, BW, DQ, VL;
/// `avx512icl` adds VPOPCNTDQ and VNNI.
typedef enum dsc_tier {
    DSC_TIER_SCALAR = 0,
    DSC_TIER_AVX2 = 1,
    DSC_TIER_AVX512 = 2,
    DSC_TIER_AVX512ICL = 3,
    DSC_TIER_NEON = 4,
} dsc_tier;

enum { DSC_TIER_COUNT = 5 };

/// Whether this processor and its operating system can run the tier (feature bits and saved register state).
int dsc_tier_supported(dsc_tier tier);

/// The tier's name as DESCENT_ISA spells it; NULL for a number that is no tier.
const char *dsc_tier_name(dsc_tier tier);

/// The tier that kernels called from this thread run: the thread's forced one if there is one, else the process's.
/// The process's tier is chosen at the first call: DESCENT_ISA if it is set, else the widest supported one.
/// A DESCENT_ISA that names no supported tier ends the process with a message; ask `dsc_environment_error` first to
/// report it in another way.
dsc_tier dsc_tier_active(void);

/// What is wrong with DESCENT_ISA, as a sentence; NULL when it is unset, empty or names a supported tier.
const char *dsc_environment_error(void);

/// Forces a tier for the calling thread and returns the one that was forced before, or -1 for none.
/// Pass -1 to end forcing. The tier must be supported; an unsupported one is ignored and returns -2.
int dsc_tier_force(int tier);

// ---- Kernels -------------------------------------------------------------------------------------------------------

/// Columns of the product that one panel of a packed right operand holds.
enum { DSC_BINARY_PANEL = 16 };

/// Elements of the workspace of a product of matrices: a block of either factor, and room to align them.
enum { DSC_MATRIX_WORK = (288 + 512) * 256 + 128 };

/// How a pass over a Gibbs kernel makes the scales of rows from their sums, and where it takes costs of points from.
enum { DSC_TRANSPORT_FIXED = 0, DSC_TRANSPORT_DIVIDE = 1, DSC_TRANSPORT_POWER = 2, DSC_TRANSPORT_MULTIPLY = 3 };
enum { DSC_TRANSPORT_SQUARED = 1, DSC_TRANSPORT_EUCLIDEAN = 2, DSC_TRANSPORT_DOT = 3 };

#define DSC_IN(count, type, name) const type *__counted_by(count) name __noescape
#define DSC_OUT(count, type, name) type *__counted_by(count) name __noescape
#define DSC_KERNEL(name, ret, params, args) ret dsc_##name params;
#include "kernels.def"
#undef DSC_KERNEL
#undef DSC_IN
#undef DSC_OUT

#ifdef __cplusplus
}
#endif
