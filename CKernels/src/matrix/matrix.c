// Family matrix: the bodies, once for each tier and element type.
#define DSC_FAMILY matrix
#define DSC_BODIES "../matrix/bodies.inc"
#include "../reals/tiers.inc"
