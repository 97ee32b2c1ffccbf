// Family vector: the bodies, once for each tier and element type.
#define DSC_FAMILY vector
#define DSC_BODIES "../vector/bodies.inc"
#include "../reals/tiers.inc"
