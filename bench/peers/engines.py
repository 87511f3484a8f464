# SPDX-License-Identifier: Apache-2.0
"""The engines behind one face: `many()` gives the mean probabilities of each picture's ten crops,
float32 [pictures][14], `single()` those of one crop, `settings()` what it really runs with.

Nothing is imported before it is used, so that a process holds one engine alone.
"""
import os
from concurrent.futures import ThreadPoolExecutor

import numpy

TEN = 10


def mean_of_ten(prob):
    return prob.reshape(-1, TEN, prob.shape[1]).mean(axis=1)


class Chexnet:
    """This project; it gets 8-bit pictures of short side 256, and cuts and normalises itself."""
    level = None  # the highest that may be

    def __init__(self, form, files, threads):
        from library import Model
        self.model = Model(files.library, files.ours[form.precision], form.precision, threads,
                           self.level)
        self.pictures = numpy.load(files.small)

    def many(self):
        return numpy.stack([self.model.predict(picture, "ten") for picture in self.pictures])

    def single(self):
        return self.model.predict(self.pictures[0], "center")

    def settings(self):
        return self.model.settings()


class ChexnetAtAvx2(Chexnet):
    level = "avx2"


class OfCrops:
    """Engines that are given crops: float32 [n][3][224][224], normalised, n a multiple of the
    form's batch. With several streams as many Python threads call `run` of one batch."""

    def __init__(self, form, files, threads):
        self.form, self.crops = form, numpy.load(files.crops)
        self.stream_threads = threads // form.streams
        self.open(files)
        self.pool = ThreadPoolExecutor(form.streams) if form.streams > 1 else None

    def scores(self, crops):
        batch = self.form.batch
        parts = [crops[i:i + batch] for i in range(0, len(crops), batch)]
        return numpy.concatenate(list((self.pool.map if self.pool else map)(self.run, parts)))

    def many(self):
        return mean_of_ten(self.scores(self.crops))

    def single(self):
        return self.scores(self.crops[:1])


class Torch(OfCrops):
    def open(self, files):
        if self.form.compiled:  # constants folded, weights packed: what inference should use
            os.environ.update(TORCHINDUCTOR_FREEZING="1", TORCHINDUCTOR_CACHE_DIR=files.inductor)
        import torch
        from model import load_model
        self.torch = torch
        torch.set_num_threads(self.stream_threads)
        self.format = (torch.channels_last if self.form.layout == "channels-last"
                       else torch.contiguous_format)
        self.model = load_model(files.weights).to(memory_format=self.format)
        if self.form.compiled:
            self.model = torch.compile(self.model)

    def run(self, crops):
        torch = self.torch
        bf16 = self.form.precision == "bf16"
        torch.set_num_threads(self.stream_threads)  # of this Python thread, as the modes below
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            x = torch.from_numpy(crops).to(memory_format=self.format)
            return torch.sigmoid(self.model(x).float()).numpy()

    def settings(self):
        torch = self.torch
        return {"version": torch.__version__, "threads": torch.get_num_threads(),
                "capability": torch.backends.cpu.get_cpu_capability(), "layout": self.form.layout,
                "compiled": self.form.compiled, "autocast": self.form.precision == "bf16"}


class OnnxRuntime(OfCrops):
    def open(self, files):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.stream_threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(files.onnx, options,
                                                    providers=["CPUExecutionProvider"])
        self.version = onnxruntime.__version__

    def run(self, crops):
        return self.session.run(None, {"crops": crops})[0]

    def settings(self):
        return {"version": self.version, "threads": self.stream_threads, "optimisation": "all",
                "providers": self.session.get_providers()}


class OpenVino(OfCrops):
    """In INT8 the model itself says what is quantised. The rest is computed in what OpenVINO finds
    fastest on this CPU, under a cap as well, so the form may ask for float32."""
    NUMBER = {"fp32": "f32", "bf16": "bf16"}

    def open(self, files):
        import openvino
        core = openvino.Core()
        model = core.read_model(files.onnx if self.form.precision in self.NUMBER else files.int8_ir)
        model.reshape([self.form.batch, 3, 224, 224])
        self.compiled = core.compile_model(model, "CPU", {
            **self.asked_for(), "NUM_STREAMS": self.form.streams,
            "INFERENCE_NUM_THREADS": self.stream_threads * self.form.streams})
        self.check_precision()
        self.version = openvino.__version__
        self.queue = openvino.AsyncInferQueue(self.compiled, self.form.streams)
        self.queue.set_callback(self.keep)

    def asked_for(self):
        rest = None if self.form.rest == "default" else self.form.rest
        number = self.NUMBER.get(self.form.precision, rest)
        return {"INFERENCE_PRECISION_HINT": number} if number else {}

    def check_precision(self):
        computes = self.compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        if computes != self.NUMBER.get(self.form.precision, computes):
            raise RuntimeError(f"computes in {computes} on this CPU")
        if self.form.precision == "int8" and not any("8" in k[-3:] for k in self.kernels()):
            raise RuntimeError("computes no convolution in INT8 on this CPU")

    def keep(self, request, place):
        out, first, _ = place
        out[first:first + self.form.batch] = request.get_output_tensor(0).data

    def start(self, crops, out, first):
        """One batch into out[first:], done when the queue is; waits for a free stream alone. The
        queue holds the crops meanwhile, for the request reads them where they are."""
        self.queue.start_async([crops], (out, first, crops), share_inputs=True)

    def run(self, crops):
        request = self.queue[0]
        request.infer([crops], share_inputs=True)
        return request.get_output_tensor(0).data.copy()

    def scores(self, crops):
        if self.form.streams == 1:
            return super().scores(crops)
        out = numpy.empty((len(crops), 14), numpy.float32)
        for i in range(0, len(crops), self.form.batch):
            self.start(crops[i:i + self.form.batch], out, i)
        self.queue.wait_all()
        return out

    def kernels(self):
        """{name of the kernel chosen: how many convolutions}: shows whether a cap was honoured."""
        found = {}
        for op in self.compiled.get_runtime_model().get_ops():
            info = op.get_rt_info()
            if "layerType" in info and info["layerType"].astype(str) == "Convolution":
                name = info["primitiveType"].astype(str)
                found[name] = found.get(name, 0) + 1
        return found

    def settings(self):
        names = ("INFERENCE_PRECISION_HINT", "NUM_STREAMS", "INFERENCE_NUM_THREADS",
                 "ENABLE_CPU_PINNING", "EXECUTION_MODE_HINT")
        found = {name: str(self.compiled.get_property(name)) for name in names}
        return {"version": self.version, **found, "kernels": self.kernels()}


ENGINES = {"chexnet": Chexnet, "chexnet at avx2": ChexnetAtAvx2, "torch": Torch,
           "onnxruntime": OnnxRuntime, "openvino": OpenVino}
