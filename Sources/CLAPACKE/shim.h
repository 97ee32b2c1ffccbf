// LAPACKE, with C structures for complex numbers so that Swift can see the prototypes.
#pragma once
#define LAPACK_COMPLEX_STRUCTURE
#include <lapacke.h>
