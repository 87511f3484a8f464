/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile ONNX models: what readers of protobuf and of ONNX were hurt by, small models cut and
 * changed everywhere, and allocations that fail. */
#include "onnx_case.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "onnx/node.h"

static const char *const conv_inputs[] = { "x", "w", NULL };

static struct case_bytes model_with_node(struct case_bytes node)
{
    struct case_bytes graph = onnx_graph();
    pb_message(&graph, CXN_GRAPH_NODE, node);
    return onnx_model(graph);
}

static struct case_bytes model_with_tensor(struct case_bytes tensor)
{
    struct case_bytes graph = onnx_graph();
    pb_message(&graph, CXN_GRAPH_INITIALIZER, tensor);
    return onnx_model(graph);
}

/* ---- wire format -------------------------------------------------------------------------- */

/* A valid start and then these bytes. */
static void expect_bytes(const char *tail, size_t size, const char *text)
{
    struct case_bytes b = { 0 };
    pb_int(&b, CXN_MODEL_IR_VERSION, 8);
    put(&b, tail, size);
    onnx_expect(b, CXN_E_FORMAT, text);
}

static void test_wire(void **state)
{
    (void)state;
    expect_bytes("\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, "a number without end");
    expect_bytes("\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, "a number without end");
    expect_bytes("\x28", 1, "a number without end");
    expect_bytes("\x12\x05" "abc", 5, "field 2 has 5 bytes, 3 are left");
    expect_bytes("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "bytes, 0 are left");
    expect_bytes("\x02\x00", 2, "a field number that there cannot be");
    expect_bytes("\x80\x80\x80\x80\x10\x00", 6, "a field number that there cannot be");
    expect_bytes("\x2e\x00", 2, "a type of field that there is not");
    expect_bytes("\x2d\x00\x00", 3, "a number that is cut off");
    expect_bytes("\x08\x08", 2, "field 1 a second time");
    expect_bytes("\x10\x08", 2, "field 2 has wire type 0, expected 2");
    expect_bytes("\x12\x02\xc3\x28", 4, "not UTF-8");
    expect_bytes("\x12\x02" "a\0", 4, "holds a NUL");
    expect_bytes("\x3a\x00", 2, "no opset");
}

static void test_groups(void **state)
{
    (void)state;
    struct case_bytes b = { 0 };
    pb_int(&b, CXN_MODEL_IR_VERSION, 8);
    for (size_t i = 0; i < 100000; i++) put_number(&b, 0x0b, 1);
    onnx_expect(b, CXN_E_FORMAT, "a group");
}

static void test_amounts(void **state)
{
    (void)state;
    struct case_bytes b = { 0 };
    pb_int(&b, CXN_MODEL_IR_VERSION, 8);
    for (size_t i = 0; i < 5 << 20; i++) put(&b, "\x30\x00", 2); /* unknown, or not needed */
    onnx_expect(b, CXN_E_LIMIT, "more than 4194304 fields");

    struct cxn_error err;
    struct cxn_onnx_model *m = calloc(1, sizeof *m);
    const struct cxn_source source = cxn_source_memory("", (size_t)INT_MAX + 1);
    assert_non_null(m);
    assert_int_equal(cxn_onnx_model_read(m, NULL, &source, &err), CXN_E_LIMIT);
    cxn_onnx_model_close(m);
    free(m);

    struct case_bytes model = onnx_model(onnx_graph());
    for (size_t i = 0; i <= 4096; i++) { /* keys that are long alike */
        struct case_bytes pair = { 0 };
        char key[CXN_ONNX_NAME_BYTES];
        snprintf(key, sizeof key, "%0500zu", i);
        pb_text(&pair, CXN_ENTRY_KEY, key);
        pb_message(&model, CXN_MODEL_METADATA_PROPS, pair);
    }
    onnx_expect(model, CXN_E_LIMIT, "more than 4096 metadata entries");

    struct case_bytes graph = onnx_graph();
    for (size_t i = 0; i <= CXN_NODES_MAX; i++) {
        char name[16];
        const char *const inputs[] = { "c", NULL };
        snprintf(name, sizeof name, "v%zu", i);
        pb_message(&graph, CXN_GRAPH_NODE, onnx_node("Identity", inputs, name));
    }
    onnx_expect(onnx_model(graph), CXN_E_LIMIT, "more than 16384 nodes");
}

/* ---- tensors ------------------------------------------------------------------------------ */

static void test_shapes(void **state)
{
    (void)state;
    static const int64_t negative[] = { -1 }, huge[] = { INT64_C(1) << 62, 4, 4, 4 };
    static const int64_t nine[9] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, three[] = { 3 };
    onnx_expect(model_with_tensor(onnx_tensor("t", negative, 1, 0)), CXN_E_FORMAT,
                "tensor 't': a negative dimension");
    onnx_expect(model_with_tensor(onnx_tensor("t", huge, 4, 0)), CXN_E_FORMAT,
                "tensor 't': its size does not fit 64 bits");
    onnx_expect(model_with_tensor(onnx_tensor("t", nine, 9, 1)), CXN_E_LIMIT,
                "more than 8 integers");
    onnx_expect(model_with_tensor(onnx_tensor("t", three, 1, 2)), CXN_E_FORMAT,
                "values of 8 bytes, expected 12");
    onnx_expect(model_with_tensor(onnx_tensor("t", three, 1, 0)), CXN_E_FORMAT, "no values");
    onnx_expect(model_with_tensor(onnx_tensor("w", three, 1, 3)), CXN_E_FORMAT,
                "tensor 'w' is there twice");
}

static void test_values(void **state)
{
    (void)state;
    static const int64_t one[] = { 1 };
    const float number = 1.0f;
    struct case_bytes t = onnx_tensor("t", one, 1, 1);
    pb_bytes(&t, CXN_TENSOR_FLOAT_DATA, &number, sizeof number);
    onnx_expect(model_with_tensor(t), CXN_E_FORMAT, "tensor 't': values in two fields");
    t = onnx_tensor("t", one, 1, 0);
    pb_bytes(&t, CXN_TENSOR_FLOAT_DATA, &number, 3);
    onnx_expect(model_with_tensor(t), CXN_E_FORMAT, "values of 3 bytes, expected 4");
    t = onnx_tensor("t", one, 1, 0);
    pb_bytes(&t, CXN_TENSOR_INT32_DATA, "\1", 1);
    onnx_expect(model_with_tensor(t), CXN_E_FORMAT, "a field that is not read");
    t = onnx_tensor("t", one, 1, 0);
    pb_bytes(&t, CXN_TENSOR_SEGMENT, "", 0);
    onnx_expect(model_with_tensor(t), CXN_E_FORMAT, "segments");
}

/* Integers in the field of another type are none: another reader would see no values. */
static void test_integers(void **state)
{
    (void)state;
    static const uint32_t fields[] = { CXN_TENSOR_FLOAT_DATA, CXN_TENSOR_INT32_DATA,
                                       CXN_TENSOR_DOUBLE_DATA, CXN_TENSOR_UINT64_DATA };
    for (size_t i = 0; i <= CXN_COUNTOF(fields); i++) {
        struct case_bytes t = { 0 };
        pb_int(&t, CXN_TENSOR_DIMS, 2);
        pb_int(&t, CXN_TENSOR_DATA_TYPE, CXN_ONNX_INT64);
        pb_text(&t, CXN_TENSOR_NAME, "t");
        pb_bytes(&t, i > 0 ? fields[i - 1] : CXN_TENSOR_INT64_DATA, "\1\2\3", i > 0 ? 2 : 3);
        onnx_expect(model_with_tensor(t), CXN_E_FORMAT,
                    i > 0 ? "a field that is not read" : "another number of values");
    }
}

/* ---- external data ------------------------------------------------------------------------ */

static void add_pair(struct case_bytes *tensor, const char *key, const char *value)
{
    struct case_bytes entry = { 0 };
    pb_text(&entry, CXN_ENTRY_KEY, key);
    pb_text(&entry, CXN_ENTRY_VALUE, value);
    pb_message(tensor, CXN_TENSOR_EXTERNAL_DATA, entry);
}

/* A tensor of four bytes there. offset, length: NULL: not said. */
static struct case_bytes external(const char *location, const char *offset, const char *length)
{
    static const int64_t one[] = { 1 };
    struct case_bytes t = onnx_tensor("t", one, 1, 0);
    add_pair(&t, "location", location);
    if (offset) add_pair(&t, "offset", offset);
    if (length) add_pair(&t, "length", length);
    pb_int(&t, CXN_TENSOR_DATA_LOCATION, 1);
    return model_with_tensor(t);
}

static void test_external_refused(void **state)
{
    (void)state;
    static const char *const locations[] = { "../../../etc/passwd", "/etc/passwd", "/dev/zero",
                                             "folder/w", ".", "..", "*/_ORT_MEM_ADDR_/*" };
    for (size_t i = 0; i < CXN_COUNTOF(locations); i++)
        onnx_expect(external(locations[i], "0", "4"), CXN_E_FORMAT,
                    "expected a file in the model's folder");
    onnx_expect(external("w", "0", "4"), CXN_E_FORMAT, "no folder");
    onnx_expect(external("w", "-1", "4"), CXN_E_FORMAT, "expected decimal numbers");
    onnx_expect(external("w", "1e3", "4"), CXN_E_FORMAT, "expected decimal numbers");
    onnx_expect(external("w", "18446744073709551616", "4"), CXN_E_FORMAT, "expected decimal");
    static const int64_t one[] = { 1 };
    struct case_bytes t = onnx_tensor("t", one, 1, 0);
    add_pair(&t, "__class__", "x");
    onnx_expect(model_with_tensor(t), CXN_E_FORMAT, "external data '__class__' = 'x'");
    t = onnx_tensor("t", one, 1, 1);
    add_pair(&t, "location", "w");
    pb_int(&t, CXN_TENSOR_DATA_LOCATION, 1);
    onnx_expect(model_with_tensor(t), CXN_E_FORMAT, "external data and values of its own");
}

static void write_file(char path[96], const char *folder, const char *name,
                       struct case_bytes content)
{
    snprintf(path, 96, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(content.data, 1, content.size, f), content.size);
    assert_int_equal(fclose(f), 0);
}

/* Shapes and axes may lie there too; they are known as soon as the model is. */
static void check_external_integers(const char *folder)
{
    char path[96], data[96];
    struct case_bytes t = { 0 }, content = { 0 };
    struct cxn_onnx_file *file = calloc(1, sizeof *file);
    assert_non_null(file);
    pb_int(&t, CXN_TENSOR_DIMS, 2);
    pb_int(&t, CXN_TENSOR_DATA_TYPE, CXN_ONNX_INT64);
    pb_text(&t, CXN_TENSOR_NAME, "t");
    add_pair(&t, "location", "integers");
    add_pair(&t, "offset", "3");
    pb_int(&t, CXN_TENSOR_DATA_LOCATION, 1);
    put_number(&content, 0, 3);
    put_number(&content, UINT64_MAX, 8);
    put_number(&content, 1024, 8);
    write_file(data, folder, "integers", content);
    struct case_bytes model = model_with_tensor(t);
    write_file(path, folder, "m.onnx", model);
    assert_int_equal(cxn_onnx_file_open(file, NULL, path, NULL), CXN_OK);
    const struct cxn_onnx_tensor *got = &file->model.tensors[file->model.list.count - 1];
    assert_true(got->has_ints && got->int_count == 2);
    assert_true(got->ints[0] == -1 && got->ints[1] == 1024);
    cxn_onnx_file_close(file);
    free(file);
    put_free(&content);
    put_free(&model);
    unlink(path);
    unlink(data);
}

/* The status of opening the model, which stands as a file in the folder. */
static void expect_in(const char *folder, struct case_bytes model, enum cxn_status status,
                      const char *text)
{
    char path[96];
    struct cxn_error err = { "" };
    struct cxn_onnx_file *file = calloc(1, sizeof *file);
    assert_non_null(file);
    write_file(path, folder, "m.onnx", model);
    const enum cxn_status got = cxn_onnx_file_open(file, NULL, path, &err);
    cxn_onnx_file_close(file);
    free(file);
    put_free(&model);
    if (got != status || !strstr(err.text, text))
        fail_msg("expected %s with '%s', got %s with '%s'", cxn_status_name(status), text,
                 cxn_status_name(got), err.text);
    unlink(path);
}

static void test_external_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/cxn-test-onnx-XXXXXX", path[96];
    assert_non_null(mkdtemp(folder));
    const int in = open(folder, O_RDONLY | O_DIRECTORY);
    assert_true(in >= 0);
    check_external_integers(folder);
    const int data = openat(in, "data", O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(data, "12345678", 8), 8);
    close(data);
    assert_int_equal(symlinkat("data", in, "symbolic"), 0);
    assert_int_equal(mkfifoat(in, "pipe", 0600), 0);
    assert_int_equal(mkdirat(in, "folder", 0700), 0);
    expect_in(folder, external("data", "4", "4"), CXN_OK, "");
    expect_in(folder, external("data", NULL, NULL), CXN_OK, "");
    expect_in(folder, external("data", "5", "4"), CXN_E_FORMAT, "which has 8");
    expect_in(folder, external("data", "9223372036854775808", "4"), CXN_E_FORMAT, "which has 8");
    expect_in(folder, external("data", "0", "8"), CXN_E_FORMAT, "expected 4");
    expect_in(folder, external("none", "0", "4"), CXN_E_IO, "m.onnx: cannot open 'none'");
    expect_in(folder, external("symbolic", "0", "4"), CXN_E_IO, "symbolic");
    expect_in(folder, external("pipe", "0", "4"), CXN_E_IO, "not a regular file");
    expect_in(folder, external("folder", "0", "4"), CXN_E_IO, "not a regular file");
    assert_int_equal(linkat(in, "data", in, "second", 0), 0);
    expect_in(folder, external("data", "0", "4"), CXN_E_IO, "more names than one");
    static const char *const names[] = { "data", "second", "symbolic", "pipe" };
    for (size_t i = 0; i < CXN_COUNTOF(names); i++) unlinkat(in, names[i], 0);
    unlinkat(in, "folder", AT_REMOVEDIR);
    close(in);
    snprintf(path, sizeof path, "%s", folder);
    assert_int_equal(rmdir(path), 0);
}

/* ---- nodes -------------------------------------------------------------------------------- */

/* The first convolution with one attribute more, beside those that are right. */
static void expect_conv(const char *name, const int64_t *values, size_t count, const char *text)
{
    static const int64_t pads[] = { 3, 3, 3, 3 }, strides[] = { 2, 2 };
    struct case_bytes node = onnx_node("Conv", conv_inputs, "v");
    if (strcmp(name, "pads") != 0) onnx_add_ints(&node, "pads", pads, 4);
    if (strcmp(name, "strides") != 0) onnx_add_ints(&node, "strides", strides, 2);
    onnx_add_ints(&node, name, values, count);
    onnx_expect(model_with_node(node), CXN_E_FORMAT, text);
}

static void test_attributes(void **state)
{
    (void)state;
    static const int64_t seven[] = { 7, 7, 7 }, far[] = { INT64_C(1) << 31, INT64_C(1) << 31 };
    static const int64_t back[] = { -2, -2 }, none[] = { 0 }, many[9] = { 0 };
    expect_conv("kernel_shape", seven, 1, "'kernel_shape' is not 2 times 7");
    expect_conv("kernel_shape", seven, 3, "'kernel_shape' is not 2 times 7");
    expect_conv("strides", back, 2, "'strides' is not 2 times 2");
    expect_conv("dilations", far, 2, "'dilations' is not 2 times 1");
    expect_conv("pads", seven, 3, "'pads' is not 4 times 3");
    expect_conv("group", none, 1, "'group' is not 1");
    expect_conv("odd", none, 1, "attribute 'odd' is unexpected");
    expect_conv("dilations", seven, 0, "'dilations' is not 2 times 1");
    struct case_bytes node = onnx_node("Conv", conv_inputs, "v");
    onnx_expect(model_with_node(node), CXN_E_FORMAT, "'strides' is missing");
    node = onnx_node("Conv", conv_inputs, "v");
    onnx_add_ints(&node, "pads", many, 9);
    onnx_expect(model_with_node(node), CXN_E_LIMIT, "more than 8 integers");
    node = onnx_node("Conv", conv_inputs, "v");
    struct case_bytes graph = { 0 }, attribute = { 0 };
    pb_text(&attribute, CXN_ATTRIBUTE_NAME, "group");
    pb_int(&attribute, CXN_ATTRIBUTE_I, 1);
    pb_int(&attribute, CXN_ATTRIBUTE_INTS, 2);
    pb_int(&attribute, CXN_ATTRIBUTE_TYPE, CXN_ATTRIBUTE_TYPE_INT);
    pb_message(&node, CXN_NODE_ATTRIBUTE, attribute);
    onnx_expect(model_with_node(node), CXN_E_FORMAT, "or a value of another type");
    node = onnx_node("Conv", conv_inputs, "v");
    attribute = (struct case_bytes){ 0 };
    pb_text(&attribute, CXN_ATTRIBUTE_NAME, "body");
    pb_message(&attribute, 6, graph);
    pb_message(&node, CXN_NODE_ATTRIBUTE, attribute);
    onnx_expect(model_with_node(node), CXN_E_FORMAT,
                "node 0 'odd' (Conv): attribute 'body' has field 6: a graph");
}

static void test_operands(void **state)
{
    (void)state;
    static const int64_t pads[] = { 3, 3, 3, 3 }, strides[] = { 2, 2 }, five[] = { 2, 3, 7, 7, 1 };
    static const int64_t one[] = { 1 };
    static const struct {
        const char *inputs[4], *text;
    } cases[] = {
        { { "x", "deep" }, "input 1 is F32 [2][3][7][7][1], expected [2][3][7][7]" },
        { { "x", "c" }, "input 1 is F32 [2], expected [2][3][7][7]" },
        { { "x", "w", "short" }, "input 2 is F32 [1], expected [2]" },
        { { "x", "none" }, "input 'none' is not made before" },
        { { "x", "v" }, "input 'v' is not made before" },
        { { "w", "w" }, "its first input is not a map" },
        { { "x" }, "1 inputs, expected 2 to 3" },
    };
    for (size_t i = 0; i < CXN_COUNTOF(cases); i++) {
        struct case_bytes graph = onnx_graph();
        struct case_bytes node = onnx_node("Conv", cases[i].inputs, "v");
        onnx_add_ints(&node, "pads", pads, 4);
        onnx_add_ints(&node, "strides", strides, 2);
        pb_message(&graph, CXN_GRAPH_INITIALIZER, onnx_tensor("deep", five, 5, 294));
        pb_message(&graph, CXN_GRAPH_INITIALIZER, onnx_tensor("short", one, 1, 1));
        pb_message(&graph, CXN_GRAPH_NODE, node);
        onnx_expect(onnx_model(graph), CXN_E_FORMAT, cases[i].text);
    }
}

static void test_structure(void **state)
{
    (void)state;
    static const char *const operators[] = { "Where", "Slice", "Greater", "If", "Loop", "Scan",
                                             "QuantizeLinear", "Dropout", "" };
    for (size_t i = 0; i < CXN_COUNTOF(operators); i++)
        onnx_expect(model_with_node(onnx_node(operators[i], conv_inputs, "v")), CXN_E_FORMAT,
                    "an operator that DenseNet-121 does not have");
    onnx_expect(model_with_node(onnx_node("Conv", conv_inputs, NULL)), CXN_E_FORMAT,
                "node 0 'odd' (Conv): no output");
    onnx_expect(model_with_node(onnx_node("Conv", conv_inputs, "w")), CXN_E_FORMAT,
                "output 'w' is there already");
    onnx_expect(model_with_node(onnx_node("Conv", conv_inputs, "x")), CXN_E_FORMAT,
                "output 'x' is there already");
    onnx_expect(model_with_node(onnx_node("Relu", conv_inputs, "v")), CXN_E_FORMAT, "2 inputs");
    onnx_expect(model_with_node(onnx_node("Sigmoid", conv_inputs, "v")), CXN_E_FORMAT,
                "behind the input, where DenseNet-121 has the first convolution");
    onnx_expect(onnx_model(onnx_graph()), CXN_E_FORMAT,
                "output 'y' is not what a classifier gives");
    struct case_bytes node = onnx_node("Conv", conv_inputs, "v");
    pb_text(&node, CXN_NODE_DOMAIN, "com.microsoft");
    onnx_expect(model_with_node(node), CXN_E_FORMAT, "operators of 'com.microsoft'");
    struct case_bytes model = onnx_model(onnx_graph()), empty = { 0 };
    pb_message(&model, CXN_MODEL_FUNCTIONS, empty);
    onnx_expect(model, CXN_E_FORMAT, "functions or training");
    struct case_bytes graph = onnx_graph(), info = { 0 };
    pb_text(&info, CXN_VALUE_NAME, "second");
    pb_message(&graph, CXN_GRAPH_INPUT, info);
    onnx_expect(onnx_model(graph), CXN_E_FORMAT, "2 inputs and 1 outputs");
    graph = onnx_graph();
    info = (struct case_bytes){ 0 };
    pb_text(&info, CXN_VALUE_NAME, "y");
    pb_message(&graph, CXN_GRAPH_OUTPUT, info);
    onnx_expect(onnx_model(graph), CXN_E_FORMAT, "more than one output");
    model = onnx_model(onnx_graph());
    for (int i = 0; i < 2; i++) {
        struct case_bytes pair = { 0 };
        pb_text(&pair, CXN_ENTRY_KEY, "source_name");
        pb_message(&model, CXN_MODEL_METADATA_PROPS, pair);
    }
    onnx_expect(model, CXN_E_FORMAT, "metadata 'source_name' is there twice");
}

/* A graph whose input has that type, and nothing else. */
static void expect_input(struct case_bytes shape, int64_t type, const char *text)
{
    struct case_bytes tensor = { 0 }, info_type = { 0 }, info = { 0 }, graph = { 0 };
    pb_int(&tensor, CXN_TENSOR_TYPE_ELEM, type);
    pb_message(&tensor, CXN_TENSOR_TYPE_SHAPE, shape);
    pb_message(&info_type, CXN_TYPE_TENSOR, tensor);
    pb_text(&info, CXN_VALUE_NAME, "x");
    pb_message(&info, CXN_VALUE_TYPE, info_type);
    pb_bytes(&graph, CXN_GRAPH_INPUT, info.data, info.size);
    pb_message(&graph, CXN_GRAPH_OUTPUT, info);
    onnx_expect(onnx_model(graph), CXN_E_FORMAT, text);
}

static struct case_bytes shape_of(int64_t channels, size_t rank)
{
    struct case_bytes shape = { 0 };
    for (size_t i = 0; i < rank; i++) {
        struct case_bytes dim = { 0 };
        pb_int(&dim, CXN_DIM_VALUE, i == 1 ? channels : 64);
        pb_message(&shape, CXN_SHAPE_DIM, dim);
    }
    return shape;
}

static void test_input(void **state)
{
    (void)state;
    static const char refused[] = "input 'x' is not of type float", taken[] = "output 'x' is not";
    struct case_bytes dim = { 0 }, shape = { 0 };
    pb_int(&dim, CXN_DIM_VALUE, 64);
    pb_text(&dim, CXN_DIM_PARAM, "side");
    pb_message(&shape, CXN_SHAPE_DIM, dim);
    expect_input(shape, CXN_ONNX_FLOAT, "a dimension with more than one value");
    expect_input(shape_of(3, 0), CXN_ONNX_FLOAT, refused);
    expect_input(shape_of(3, 3), CXN_ONNX_FLOAT, refused);
    expect_input(shape_of(3, 5), CXN_ONNX_FLOAT, refused);
    expect_input(shape_of(2, 4), CXN_ONNX_FLOAT, refused);
    expect_input(shape_of(-1, 4), CXN_ONNX_FLOAT, refused);
    expect_input(shape_of(3, 4), CXN_ONNX_UINT8, refused);
    expect_input(shape_of(3, 4), CXN_ONNX_FLOAT16, taken);
    expect_input(shape_of(1, 4), CXN_ONNX_FLOAT, taken);
}

/* What is wrong is told behind names that fill every limit and are not printable. */
static void test_long_names(void **state)
{
    (void)state;
    char name[CXN_ONNX_NAME_BYTES];
    static const int64_t negative[] = { -1 };
    memset(name, 1, sizeof name);
    name[sizeof name - 1] = '\0';
    const char *const inputs[] = { name, NULL };
    struct case_bytes node = onnx_node("Conv", inputs, "v");
    onnx_expect(model_with_node(node), CXN_E_FORMAT, "is not made before");
    node = (struct case_bytes){ 0 };
    pb_text(&node, CXN_NODE_OUTPUT, "v");
    pb_text(&node, CXN_NODE_OP_TYPE, "If");
    pb_text(&node, CXN_NODE_NAME, name);
    onnx_expect(model_with_node(node), CXN_E_FORMAT, "an operator that DenseNet-121 does not");
    onnx_expect(model_with_tensor(onnx_tensor(name, negative, 1, 0)), CXN_E_FORMAT,
                "a negative dimension");
}

/* ---- whole files -------------------------------------------------------------------------- */

static const char *const files[] = { "torchscript_17.onnx", "torchscript_17_unfolded.onnx",
                                     "other_spelling.onnx", "ours.onnx" };

static struct cxn_bytes read_golden(const char *name)
{
    struct cxn_bytes bytes;
    char path[96];
    snprintf(path, sizeof path, "tests/golden/onnx/%s", name);
    assert_int_equal(cxn_file_read(NULL, path, 1 << 20, &bytes, NULL), CXN_OK);
    return bytes;
}

/* ours.onnx with other bytes of the same number in the place of some. */
static void expect_patched(const char *from, const char *to, size_t size, const char *text)
{
    struct cxn_bytes bytes = read_golden("ours.onnx");
    struct case_bytes file = { 0 };
    uint8_t *at = memmem(bytes.data, bytes.size, from, size);
    assert_non_null(at);
    memcpy(at, to, size);
    put(&file, bytes.data, bytes.size);
    cxn_free(bytes.data);
    onnx_expect(file, CXN_E_FORMAT, text);
}

static void test_flags(void **state)
{
    (void)state;
    expect_patched("transB\x18\x01", "transB\x18\x02", 8, "'transB' is not 0 or 1");
    expect_patched("transB\x18\x01", "transA\x18\x01", 8, "'transA' is not 0");
    expect_patched("transB\x18\x01", "transB\x18\x00", 8, "input 1 is not weights of");
}

/* The same maps in another order would take other weights for the network's. */
static void test_order_of_maps(void **state)
{
    (void)state;
    static const char first[] = "\x0a\x0e" "features.pool0";
    static const char second[] = "\x0a\x26" "features.denseblock1.denselayer1.conv2";
    const size_t a = sizeof first - 1, b = sizeof second - 1;
    char right[sizeof first + sizeof second] = "", turned[sizeof right] = "";
    memcpy(right, first, a);
    memcpy(right + a, second, b);
    memcpy(turned, second, b);
    memcpy(turned + b, first, a);
    expect_patched(right, turned, a + b,
                   "(Concat): input 1 is not the block's next map, number 2");
}

/* Loads that many bytes: a model or a refusal. *worst: the longest that any took. */
static enum cxn_status try_bytes(const struct cxn_bytes *bytes, size_t size, const cxn_net *net,
                                 struct cxn_mem *mem, double *worst)
{
    struct cxn_error err;
    float *block;
    const double start = case_seconds();
    const enum cxn_status status = onnx_load_bytes(bytes->data, size, net, mem, &block, &err);
    const double seconds = case_seconds() - start;
    cxn_free(block);
    if (status != CXN_OK && status != CXN_E_FORMAT && status != CXN_E_LIMIT)
        fail_msg("%zu of %zu bytes: %s", size, bytes->size, err.text);
    case_check_cost(mem, seconds, err.text);
    if (seconds > *worst) *worst = seconds;
    return status;
}

static void test_every_prefix(void **state)
{
    (void)state;
    cxn_net *net = case_net(&case_tiny);
    struct cxn_mem mem;
    double worst = 0;
    cxn_mem_init(&mem, 0);
    for (size_t f = 0; f < CXN_COUNTOF(files); f++) {
        struct cxn_bytes bytes = read_golden(files[f]);
        size_t loaded = 0;
        for (size_t size = 0; size < bytes.size; size++)
            loaded += try_bytes(&bytes, size, net, &mem, &worst) == CXN_OK;
        assert_true(loaded <= 8); /* those that lose nothing but whole pairs of metadata */
        cxn_free(bytes.data);
    }
    printf("the longest took %.4f s\n", worst);
    cxn_net_close(&net);
}

/* change: of the bits of one byte after the other. Behind these are mostly weights. */
enum { CHANGED_BYTES = 4096 };

static void change_every_byte(uint8_t change)
{
    cxn_net *net = case_net(&case_tiny);
    struct cxn_mem mem;
    size_t loaded = 0, refused = 0;
    double worst = 0;
    cxn_mem_init(&mem, 0);
    for (size_t f = 0; f < CXN_COUNTOF(files); f++) {
        struct cxn_bytes bytes = read_golden(files[f]);
        for (size_t at = 0; at < bytes.size && at < CHANGED_BYTES; at++) {
            bytes.data[at] ^= change;
            if (try_bytes(&bytes, bytes.size, net, &mem, &worst) == CXN_OK) loaded++;
            else refused++;
            bytes.data[at] ^= change;
        }
        cxn_free(bytes.data);
    }
    assert_true(mem.peak_bytes < 4 << 20); /* no change makes a small file large */
    printf("%zu changes refused, %zu loaded, the longest took %.4f s\n", refused, loaded, worst);
    assert_true(refused > loaded);
    cxn_net_close(&net);
}

static void test_bytes_changed(void **state)
{
    (void)state;
    static const uint8_t changes[] = { 0x01, 0x08, 0x80, 0xff };
    for (size_t i = 0; i < CXN_COUNTOF(changes); i++) change_every_byte(changes[i]);
}

static void test_failing_allocations(void **state)
{
    (void)state;
    cxn_net *net = case_net(&case_tiny);
    for (size_t f = 0; f < 2 * CXN_COUNTOF(files); f++) {
        struct cxn_bytes bytes = read_golden(files[f / 2]);
        struct cxn_error err;
        enum cxn_status status = CXN_E_NOMEM;
        size_t n = 0;
        while (status != CXN_OK) {
            struct cxn_mem mem;
            float *block;
            cxn_mem_init(&mem, 0);
            mem.fail_at = ++n;
            mem.fail_after = f % 2 == 1;
            status = onnx_load_bytes(bytes.data, bytes.size, net, &mem, &block, &err);
            cxn_free(block);
            assert_int_equal(mem.blocks, 0);
            if (status != CXN_OK && status != CXN_E_NOMEM)
                fail_msg("%s, allocation %zu: %s", files[f / 2], n, err.text);
        }
        assert_true(n > 10);
        cxn_free(bytes.data);
    }
    cxn_net_close(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire), cmocka_unit_test(test_groups),
        cmocka_unit_test(test_amounts), cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_values), cmocka_unit_test(test_integers),
        cmocka_unit_test(test_external_refused),
        cmocka_unit_test(test_external_files), cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_operands), cmocka_unit_test(test_structure),
        cmocka_unit_test(test_input), cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_order_of_maps), cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_bytes_changed),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
