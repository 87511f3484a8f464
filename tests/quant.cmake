# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(quantize unit/test_quantize.c unit/naive_fold.c unit/small_net.c)
