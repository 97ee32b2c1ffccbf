// Family optimizer: the bodies, once for each tier and element type.
#define DSC_FAMILY optimizer
#define DSC_BODIES "../optimizer/bodies.inc"
#include "../reals/tiers.inc"
