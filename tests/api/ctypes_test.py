# SPDX-License-Identifier: Apache-2.0
"""ctypes_test.py LIBCHEXNET.SO: the public interface from Python's standard library alone."""
import ctypes
import sys

FINDINGS = ('Atelectasis Cardiomegaly Effusion Infiltration Mass Nodule Pneumonia Pneumothorax '
            'Consolidation Edema Emphysema Fibrosis Pleural_Thickening Hernia').split()
CXN_E_ARG, CXN_E_IO = 2, 5


class Error(ctypes.Structure):
    _fields_ = [('text', ctypes.c_char * 1024)]


class Options(ctypes.Structure):
    _fields_ = [('threads', ctypes.c_uint32), ('memory_limit_bytes', ctypes.c_uint64),
                ('cpu', ctypes.c_char_p), ('log', ctypes.c_void_p), ('log_ctx', ctypes.c_void_p)]


def text_of(function, *args):
    function.restype = ctypes.c_char_p
    text = function(*args)
    return text.decode() if text is not None else None


lib = ctypes.CDLL(sys.argv[1])
assert text_of(lib.cxn_version).count('.') == 2
assert [text_of(lib.cxn_finding_name, i) for i in range(14)] == FINDINGS
assert text_of(lib.cxn_finding_name, -1) is None and text_of(lib.cxn_finding_name, 14) is None

err, context = Error(), ctypes.c_void_p()
options = Options(threads=3, cpu=b'c')
assert lib.cxn_context_open(ctypes.byref(context), ctypes.byref(options), ctypes.byref(err)) == 0
assert lib.cxn_context_threads(context) == 3
assert text_of(lib.cxn_context_level, context) == 'c'

model = ctypes.c_void_p(1)
status = lib.cxn_model_open(ctypes.byref(model), context, b'missing.pth', b'auto',
                            ctypes.byref(err))
assert status == CXN_E_IO and b'missing.pth' in err.text and not model.value
lib.cxn_context_close(ctypes.byref(context))
assert not context.value

options = Options(cpu=b'nonsense')
status = lib.cxn_context_open(ctypes.byref(context), ctypes.byref(options), ctypes.byref(err))
assert status == CXN_E_ARG and b'nonsense' in err.text and not context.value
assert lib.cxn_status_exit(status) == 2
print('ctypes: all as declared')
