/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/text_case.h"

#include <float.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "base/random.h"
#include "data/lines.h"
#include "data/predictions.h"

#define HEADER                                                                                 \
    "image,Atelectasis,Cardiomegaly,Effusion,Infiltration,Mass,Nodule,Pneumonia,Pneumothorax," \
    "Consolidation,Edema,Emphysema,Fibrosis,Pleural_Thickening,Hernia\n"
#define HALVES13 ",.5,.5,.5,.5,.5,.5,.5,.5,.5,.5,.5,.5,.5"
#define HALVES14 HALVES13 ",.5"

static const struct cxn_env env;

static enum cxn_status read_predictions(const struct cxn_env *e, const void *data, size_t size,
                                        struct cxn_error *err)
{
    cxn_predictions *p = NULL;
    const enum cxn_status status = cxn_predictions_parse(&p, e, "p", data, size, err);
    assert_true((status == CXN_OK) == (p != NULL));
    cxn_predictions_close(&p);
    return status;
}

static const struct text_case bad[] = {
    { "", CXN_E_FORMAT, "p: empty, expected a header and a row an image" },
    { HEADER, CXN_E_FORMAT, "p: no rows, expected a header and a row an image" },
    { "a.png" HALVES14 "\nb.png" HALVES14, CXN_E_FORMAT,
      "p:1: header field 1 is 'a.png', expected image" },
    { "image,Cardiomegaly\na", CXN_E_FORMAT,
      "p:1: header field 2 is 'Cardiomegaly', expected Atelectasis" },
    { "image,Atelectasis\na", CXN_E_FORMAT, "p:1: header field 3 is '', expected Cardiomegaly" },
    { HEADER "a.png" HALVES13, CXN_E_FORMAT, "p:2: 14 fields, expected 15" },
    { HEADER "a.png" HALVES14 ",1", CXN_E_FORMAT, "p:2: 16 fields, expected 15" },
    { HEADER "a.png" HALVES14 "\nb.png" HALVES13 ",", CXN_E_FORMAT,
      "p:3: Hernia is '', expected a finite number" },
    { HEADER "a.png" HALVES13 ",nan", CXN_E_FORMAT,
      "p:2: Hernia is 'nan', expected a finite number" },
    { HEADER "a.png" HALVES13 ",1e39", CXN_E_FORMAT,
      "p:2: Hernia is '1e39', expected a finite number" },
    { HEADER "a.png" HALVES13 ", 1", CXN_E_FORMAT,
      "p:2: Hernia is ' 1', expected a finite number" },
    { HEADER "a.png" HALVES13 ",0x1", CXN_E_FORMAT,
      "p:2: Hernia is '0x1', expected a finite number" },
    { HEADER "a.png" HALVES13 ",1.2.3", CXN_E_FORMAT,
      "p:2: Hernia is '1.2.3', expected a finite number" },
    { HEADER HALVES14, CXN_E_FORMAT, "p:2: no image name, expected one such as a.png" },
    { HEADER "a/b.png" HALVES14, CXN_E_FORMAT,
      "p:2: image name 'a/b.png', expected a file name with no folder" },
    { HEADER "a.png" HALVES14 "\nb.png" HALVES14 "\na.png" HALVES14, CXN_E_FORMAT,
      "p:4: image 'a.png' is already on line 2" },
};

static void refused(void **state)
{
    (void)state;
    check_refused(read_predictions, bad, CXN_COUNTOF(bad));
}

static void allocation_failures(void **state)
{
    (void)state;
    check_allocation_failures(read_predictions, HEADER "a.png" HALVES14 "\nb.png" HALVES14);
}

/* Any finite float, subnormals and both zeros among them. */
static float draw_float(struct cxn_random *random)
{
    for (;;) {
        const uint32_t bits = cxn_random_u32(random);
        float value;
        memcpy(&value, &bits, sizeof value);
        if (value - value == 0) return value;
    }
}

static void write_file(const char *path, const char *const *names, const float *scores,
                       size_t count)
{
    cxn_out *out = NULL;
    assert_int_equal(cxn_out_open(&out, path, NULL), CXN_OK);
    cxn_predictions_write_header(out);
    for (size_t i = 0; i < count; i++)
        cxn_predictions_write_row(out, names[i], scores + i * CXN_FINDING_COUNT);
    assert_int_equal(cxn_out_commit(&out, NULL), CXN_OK);
}

/* What is written is read again to the bit, whatever the floats and names. */
static void round_trip(void **state)
{
    (void)state;
    enum { ROWS = 4 };
    static const char *const names[ROWS] = { "b.png", "a,b.png", "say \"x\".png",
                                              "00000061_012.png" };
    float scores[ROWS * CXN_FINDING_COUNT] = { FLT_MIN, -0.0f, FLT_MAX, 1e-45f, 0.1f };
    struct cxn_random random = cxn_random_make(3, 0);
    for (size_t i = 5; i < CXN_COUNTOF(scores); i++) scores[i] = draw_float(&random);
    char path[] = "/tmp/cxn-predictions-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_file(path, names, scores, ROWS);
    cxn_predictions *p = NULL;
    struct cxn_error err = { "" };
    assert_int_equal(cxn_predictions_open(&p, &env, path, &err), CXN_OK);
    assert_int_equal(p->count, ROWS);
    assert_memory_equal(p->scores, scores, sizeof scores);
    for (size_t i = 0; i < ROWS; i++) {
        assert_string_equal(p->names[i], names[i]);
        assert_int_equal(cxn_predictions_find(p, names[i]), i);
    }
    assert_int_equal(cxn_predictions_find(p, "c.png"), SIZE_MAX);
    cxn_predictions_close(&p);
    unlink(path);
    assert_int_equal(cxn_predictions_open(&p, &env, path, &err), CXN_E_IO);
    assert_null(p);
}

static void nine_digits_are_enough(void **state)
{
    (void)state;
    struct cxn_random random = cxn_random_make(4, 0);
    for (int i = 0; i < 20000; i++) {
        const float value = draw_float(&random);
        char text[CXN_FLOAT_TEXT_BYTES];
        float again = 0;
        cxn_float_print(text, value);
        assert_true(cxn_float_parse(text, &again));
        assert_memory_equal(&again, &value, sizeof value);
    }
}

/* A host program whose locale writes 0,5 gets and gives points all the same. */
static void foreign_locale(void **state)
{
    (void)state;
    static const char *const candidates[] = { "de_DE.UTF-8", "de_DE", "fr_FR.UTF-8" };
    locale_t comma = (locale_t)0;
    for (size_t i = 0; i < CXN_COUNTOF(candidates) && !comma; i++)
        comma = newlocale(LC_ALL_MASK, candidates[i], (locale_t)0);
    if (!comma) {
        print_message("skipped: decimal comma (no German or French locale here)\n");
        skip();
    }
    const locale_t before = uselocale(comma);
    char text[CXN_FLOAT_TEXT_BYTES], host[CXN_FLOAT_TEXT_BYTES];
    float value = 0;
    cxn_float_print(text, 0.5f);
    const bool parsed = cxn_float_parse("0.25", &value);
    snprintf(host, sizeof host, "%.1f", 0.5);
    uselocale(before);
    freelocale(comma);
    assert_string_equal(host, "0,5");
    assert_string_equal(text, "0.5");
    assert_true(parsed && value == 0.25f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),
        cmocka_unit_test(allocation_failures),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(nine_digits_are_enough),
        cmocka_unit_test(foreign_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
