// Private: the kernel table of a tier.
#pragma once
#include "../../include/CKernels.h"

/// One entry for each kernel of kernels.def.
#define DSC_IN(count, type, name) const type *name
#define DSC_OUT(count, type, name) type *name
#define DSC_KERNEL(name, ret, params, args) ret(*name) params;
typedef struct dsc_kernel_table {
#include "../../include/kernels.def"
} dsc_kernel_table;
#undef DSC_KERNEL
#undef DSC_IN
#undef DSC_OUT

/// The table of a tier, completed kernel by kernel from the tiers below it; NULL if it cannot run here.
const dsc_kernel_table *dsc_table_for(dsc_tier tier);

// One fill function for each family and tier. It stores the variants that the tier brings; what it leaves
// alone stays with the tier below.
#define DSC_DECLARE_FILLS(tier)                                                                                        \
    void dsc_vector_fill__##tier(dsc_kernel_table *table);                                                             \
    void dsc_binary_fill__##tier(dsc_kernel_table *table);                                                             \
    void dsc_random_fill__##tier(dsc_kernel_table *table);                                                             \
    void dsc_tensor_fill__##tier(dsc_kernel_table *table);                                                             \
    void dsc_optimizer_fill__##tier(dsc_kernel_table *table);                                                          \
    void dsc_sketch_fill__##tier(dsc_kernel_table *table);                                                             \
    void dsc_convolution_fill__##tier(dsc_kernel_table *table);                                                        \
    void dsc_matrix_fill__##tier(dsc_kernel_table *table);                                                             \
    void dsc_stencil_fill__##tier(dsc_kernel_table *table);                                                            \
    void dsc_selection_fill__##tier(dsc_kernel_table *table);                                                          \
    void dsc_transport_fill__##tier(dsc_kernel_table *table);
DSC_DECLARE_FILLS(scalar)
DSC_DECLARE_FILLS(avx2)
DSC_DECLARE_FILLS(avx512)
DSC_DECLARE_FILLS(avx512icl)
DSC_DECLARE_FILLS(neon)
