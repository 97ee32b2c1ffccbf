// Family transport: the bodies, once for each tier and element type.
#define DSC_FAMILY transport
#define DSC_BODIES "../transport/bodies.inc"
#include "../reals/tiers.inc"
