// CBLAS as OpenBLAS ships it, with openblas_set_num_threads and friends.
#pragma once
#include <cblas.h>
