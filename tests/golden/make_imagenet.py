#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_imagenet.py FILE: torchvision's DenseNet-121 of 1000 classes with random weights, as its
weights of ImageNet are: PyTorch's old form, the old spelling, no counters of batches. 33 MB, so
made where it is needed (tests/cli_train_head.sh).
"""
import sys

import torch
from torchvision.models import densenet121

from make_model import old_spelling, renamed, without_counters


def main():
    torch.manual_seed(20260)
    net = densenet121()
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):  # not all 0 and 1
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.1, 0.1)
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 1.5)
    state = renamed(without_counters(net.state_dict()),
                    lambda k: old_spelling(k).replace("classifier.0.", "classifier."))
    torch.save(state, sys.argv[1], _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
