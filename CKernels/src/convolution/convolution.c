// Family convolution: the bodies, once for each tier and element type.
#define DSC_FAMILY convolution
#define DSC_BODIES "../convolution/bodies.inc"
#include "../reals/tiers.inc"
