// Family selection: the bodies, once for each tier and element type.
#define DSC_FAMILY selection
#define DSC_BODIES "../selection/bodies.inc"
#include "../reals/tiers.inc"
