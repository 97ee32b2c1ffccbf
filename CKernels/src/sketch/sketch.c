// Family sketch: the bodies, once for each tier and element type.
#define DSC_FAMILY sketch
#define DSC_BODIES "../sketch/bodies.inc"
#include "../reals/tiers.inc"
