// Family stencil: the bodies, once for each tier and element type.
#define DSC_FAMILY stencil
#define DSC_BODIES "../stencil/bodies.inc"
#include "../reals/tiers.inc"
