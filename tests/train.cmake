# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(comm_self unit/test_comm_self.c)
