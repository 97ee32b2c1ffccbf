// Family tensor: the bodies, once for each tier and element type.
#define DSC_FAMILY tensor
#define DSC_BODIES "../tensor/bodies.inc"
#include "../reals/tiers.inc"
