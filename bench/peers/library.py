# SPDX-License-Identifier: Apache-2.0
"""libchexnet through ctypes, as much of it as a comparison needs: see include/chexnet/chexnet.h."""
import ctypes

import numpy

FINDINGS = 14


class Error(ctypes.Structure):
    _fields_ = [("text", ctypes.c_char * 1024)]


class Options(ctypes.Structure):
    _fields_ = [("threads", ctypes.c_uint32), ("memory_limit_bytes", ctypes.c_uint64),
                ("cpu", ctypes.c_char_p), ("log", ctypes.c_void_p), ("log_ctx", ctypes.c_void_p)]


class Pixels(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("width", ctypes.c_uint32), ("height", ctypes.c_uint32),
                ("channels", ctypes.c_uint32), ("stride_bytes", ctypes.c_size_t)]


class Model:
    """An opened model with its context; both live as long as the process."""

    def __init__(self, path, weights, mode, threads, level=None):
        self.library, self.error = ctypes.CDLL(path), Error()
        context, self.model = ctypes.c_void_p(), ctypes.c_void_p()
        options = Options(threads=threads, cpu=level.encode() if level else None)
        self.call("cxn_context_open", ctypes.byref(context), ctypes.byref(options))
        self.call("cxn_model_open", ctypes.byref(self.model), context, weights.encode(),
                  mode.encode())
        self.threads = self.library.cxn_context_threads(context)

    def call(self, name, *arguments):
        if getattr(self.library, name)(*arguments, ctypes.byref(self.error)) != 0:
            raise RuntimeError(self.error.text.decode())

    def text(self, name, *arguments):
        function = getattr(self.library, name)
        function.restype = ctypes.c_char_p
        return function(*arguments).decode()

    def settings(self):
        return {"version": self.text("cxn_version"), "threads": self.threads,
                "mode": self.text("cxn_model_mode", self.model),
                "level": self.text("cxn_model_level", self.model)}

    def predict(self, picture, crops):
        """float32 [14] of a grey picture, uint8 [height][width]; crops: "ten" or "center"."""
        prob = numpy.empty(FINDINGS, numpy.float32)
        height, width = picture.shape
        pixels = Pixels(picture.ctypes.data, width, height, 1, picture.strides[0])
        self.call("cxn_predict_pixels", self.model, ctypes.byref(pixels), crops.encode(),
                  prob.ctypes.data_as(ctypes.c_void_p))
        return prob
