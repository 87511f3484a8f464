/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_ONNX_ABOUT_H
#define CXN_ONNX_ABOUT_H

/* Texts of a model as written here; a reader keeps the two of its source. */
#define CXN_ONNX_PRODUCER "chexnet"
#define CXN_ONNX_DOC "DenseNet-121 for chest X-rays. Research use only, not a medical device."
#define CXN_ONNX_PREPROCESSING "preprocessing"
#define CXN_ONNX_SOURCE_NAME "source_name"
#define CXN_ONNX_SOURCE_SHA256 "source_sha256"
#define CXN_ONNX_RESIZED                                                                           \
    "shorter side resized to 256, bilinear with antialias; crops of 224x224; "
#define CXN_ONNX_TAKES_SAMPLES CXN_ONNX_RESIZED "samples of 0 to 255, grey or red, green, blue"
#define CXN_ONNX_TAKES_NORMALISED                                                                  \
    CXN_ONNX_RESIZED "(sample / 255 - mean) / deviation of red, green, blue, mean 0.485 0.456 "    \
                     "0.406, deviation 0.229 0.224 0.225"

#endif
