# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(sort unit/test_sort.c)
cxn_unit_test(list unit/test_list.c)
