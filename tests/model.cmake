# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(weights_real unit/test_weights_real.c)
