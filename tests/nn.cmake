# SPDX-License-Identifier: Apache-2.0
cxn_unit_test(net unit/test_net.c)
cxn_unit_test(engine unit/test_engine.c unit/small_net.c)
cxn_unit_test(cpu unit/test_cpu.c)
