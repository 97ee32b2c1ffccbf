// FFTW 3 in both precisions. Complex numbers are double[2] / float[2] here (no <complex.h>).
#pragma once
#include <fftw3.h>

// Swift does not import an array of unknown length.
static inline const char *dsc_fftw_version(void) { return fftw_version; }
