# SPDX-License-Identifier: Apache-2.0
"""The peers behind one face: `engine(crops)` gives probabilities of all crops, float32 [n][14].

crops: float32 [n][3][224][224], normalised, n a multiple of the form's batch. Each engine also has
`settings()`, what it really runs with. Nothing is imported before it is used, so that a process
holds one peer alone.
"""
import numpy


def sliced(crops, batch):
    return [crops[i:i + batch] for i in range(0, len(crops), batch)]


class Torch:
    def __init__(self, form, files, threads):
        import torch
        from model import load_model
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.torch, self.form = torch, form
        self.format = (torch.channels_last if form.layout == "channels-last"
                       else torch.contiguous_format)
        self.model = load_model(files.weights).to(memory_format=self.format)
        if form.compiled:
            self.model = torch.compile(self.model)

    def __call__(self, crops):
        torch = self.torch
        bf16 = self.form.precision == "bf16"
        parts = []
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            for part in sliced(crops, self.form.batch):
                x = torch.from_numpy(part).to(memory_format=self.format)
                parts.append(torch.sigmoid(self.model(x).float()).numpy())
        return numpy.concatenate(parts)

    def settings(self):
        torch = self.torch
        return {"version": torch.__version__, "threads": torch.get_num_threads(),
                "capability": torch.backends.cpu.get_cpu_capability()}


class OnnxRuntime:
    def __init__(self, form, files, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(files.onnx, options,
                                                    providers=["CPUExecutionProvider"])
        self.form, self.version, self.threads = form, onnxruntime.__version__, threads

    def __call__(self, crops):
        return numpy.concatenate([self.session.run(None, {"crops": part})[0]
                                  for part in sliced(crops, self.form.batch)])

    def settings(self):
        return {"version": self.version, "threads": self.threads, "optimisation": "all",
                "providers": self.session.get_providers()}


class OpenVino:
    HINT = {"fp32": "f32", "bf16": "bf16"}

    def __init__(self, form, files, threads):
        import openvino
        core = openvino.Core()
        model = core.read_model(files.onnx)
        model.reshape([form.batch, 3, 224, 224])
        self.compiled = core.compile_model(model, "CPU", {
            "INFERENCE_PRECISION_HINT": self.HINT[form.precision], "NUM_STREAMS": form.streams,
            "INFERENCE_NUM_THREADS": threads})
        self.form, self.version = form, openvino.__version__
        self.queue = openvino.AsyncInferQueue(self.compiled, form.streams)
        self.queue.set_callback(self.keep)

    def keep(self, request, place):
        out, first = place
        out[first:first + self.form.batch] = request.get_output_tensor(0).data

    def __call__(self, crops):
        out = numpy.empty((len(crops), 14), numpy.float32)
        if self.form.streams == 1:
            request = self.queue[0]
            for i in range(0, len(crops), self.form.batch):
                request.infer([crops[i:i + self.form.batch]], share_inputs=True)
                self.keep(request, (out, i))
            return out
        for i in range(0, len(crops), self.form.batch):
            self.queue.start_async([crops[i:i + self.form.batch]], (out, i), share_inputs=True)
        self.queue.wait_all()
        return out

    def convolution_kernels(self):
        """{name of the kernel chosen: how many convolutions}: shows whether a cap was honoured."""
        kernels = {}
        for op in self.compiled.get_runtime_model().get_ops():
            info = op.get_rt_info()
            if "layerType" in info and info["layerType"].astype(str) == "Convolution":
                name = info["primitiveType"].astype(str)
                kernels[name] = kernels.get(name, 0) + 1
        return kernels

    def settings(self):
        names = ("INFERENCE_PRECISION_HINT", "NUM_STREAMS", "INFERENCE_NUM_THREADS",
                 "ENABLE_CPU_PINNING", "EXECUTION_MODE_HINT")
        found = {name: str(self.compiled.get_property(name)) for name in names}
        return {"version": self.version, **found, "kernels": self.convolution_kernels()}


ENGINES = {"torch": Torch, "onnxruntime": OnnxRuntime, "openvino": OpenVino}
