/* SPDX-License-Identifier: Apache-2.0 */
#include "train/loss.h"

#include <math.h>

enum { VIEWS_MAX = 10 };

void cxn_loss_init(struct cxn_loss *loss, enum cxn_loss_kind kind, double gamma, size_t classes,
                   const cxn_list *list)
{
    *loss = (struct cxn_loss){ .kind = kind, .classes = classes, .gamma = gamma };
    for (size_t c = 0; c < classes; c++) {
        size_t positives = 0;
        for (size_t i = 0; i < list->count; i++) positives += list->items[i].labels >> c & 1;
        loss->positive[c] = (double)(list->count - positives) / (double)list->count;
        loss->negative[c] = (double)positives / (double)list->count;
    }
}

/* Loss of one finding of one image from log p and log(1 - p), and its derivatives by these two. */
struct term {
    double loss, by_log_p, by_log_q;
};

static struct term focal_term(double gamma, double log_hit, double log_miss, bool positive)
{
    const double weight = exp(gamma * log_miss);
    const double by_hit = -weight, by_miss = -gamma * weight * log_hit;
    return (struct term){ -weight * log_hit, positive ? by_hit : by_miss,
                          positive ? by_miss : by_hit };
}

static struct term finding_term(const struct cxn_loss *loss, size_t c, bool positive, double log_p,
                                double log_q)
{
    if (loss->kind == CXN_LOSS_FOCAL)
        return positive ? focal_term(loss->gamma, log_p, log_q, true)
                        : focal_term(loss->gamma, log_q, log_p, false);
    const bool weighted = loss->kind == CXN_LOSS_WEIGHTED_BCE;
    if (positive) {
        const double w = weighted ? loss->positive[c] : 1;
        return (struct term){ -w * log_p, -w, 0 };
    }
    const double w = weighted ? loss->negative[c] : 1;
    return (struct term){ -w * log_q, 0, -w };
}

/* Cross-entropy of softmax(p) with all labels of an image as targets. p is in 0..1, so the
 * exponentials need no shift. */
static double softmax_terms(size_t classes, uint16_t labels, const double *log_p,
                            struct term *terms)
{
    double e[CXN_LOSS_CLASSES_MAX], sum = 0, targets = 0, loss = 0;
    for (size_t c = 0; c < classes; c++) sum += e[c] = exp(exp(log_p[c]));
    for (size_t c = 0; c < classes; c++) {
        if (!(labels >> c & 1)) continue;
        targets++;
        loss += log(sum) - exp(log_p[c]);
    }
    for (size_t c = 0; c < classes; c++) {
        const double by_p = targets * e[c] / sum - (labels >> c & 1);
        terms[c] = (struct term){ .by_log_p = by_p * exp(log_p[c]) };
    }
    return loss;
}

/* Loss of one image, not yet divided by anything, and the derivatives for each finding. */
static double image_terms(const struct cxn_loss *loss, uint16_t labels, const double *log_p,
                          const double *log_q, struct term *terms)
{
    if (loss->kind == CXN_LOSS_SEED_CE)
        return softmax_terms(loss->classes, labels, log_p, terms);
    double sum = 0;
    for (size_t c = 0; c < loss->classes; c++) {
        terms[c] = finding_term(loss, c, labels >> c & 1, log_p[c], log_q[c]);
        sum += terms[c].loss;
    }
    return sum;
}

/* How many numbers the mean of one image is over. */
static double image_parts(const struct cxn_loss *loss)
{
    return loss->kind == CXN_LOSS_SEED_CE ? 1 : (double)loss->classes;
}

static double log_sigmoid(double z)
{
    return z < 0 ? z - log1p(exp(z)) : -log1p(exp(-z));
}

/* log of the mean of exp(x[v]) */
static double log_mean_exp(const double *x, size_t n)
{
    double most = x[0], sum = 0;
    if (n == 1) return most;
    for (size_t v = 1; v < n; v++) most = fmax(most, x[v]);
    for (size_t v = 0; v < n; v++) sum += exp(x[v] - most);
    return most + log(sum / (double)n);
}

/* One image: its views' logits to the loss and, scaled, to their derivatives. d log p / d z_v is
 * s(z_v) s(-z_v) / (views p), taken through logarithms; d log(1 - p) / d z_v alike. */
static double image_loss(const struct cxn_loss *loss, const double *logits, size_t views,
                         uint16_t labels, double scale, double *dlogits)
{
    const size_t n = loss->classes;
    double on[VIEWS_MAX][CXN_LOSS_CLASSES_MAX], off[VIEWS_MAX][CXN_LOSS_CLASSES_MAX];
    double log_p[CXN_LOSS_CLASSES_MAX], log_q[CXN_LOSS_CLASSES_MAX];
    struct term terms[CXN_LOSS_CLASSES_MAX];
    for (size_t c = 0; c < n; c++) {
        double x[VIEWS_MAX], y[VIEWS_MAX];
        for (size_t v = 0; v < views; v++) {
            x[v] = on[v][c] = log_sigmoid(logits[v * n + c]);
            y[v] = off[v][c] = log_sigmoid(-logits[v * n + c]);
        }
        log_p[c] = log_mean_exp(x, views);
        log_q[c] = log_mean_exp(y, views);
    }
    const double sum = image_terms(loss, labels, log_p, log_q, terms);
    for (size_t v = 0; dlogits && v < views; v++) {
        for (size_t c = 0; c < n; c++) {
            const double slope = on[v][c] + off[v][c];
            const double by_z = terms[c].by_log_p * exp(slope - log_p[c]) -
                                terms[c].by_log_q * exp(slope - log_q[c]);
            dlogits[v * n + c] = scale / (double)views * by_z;
        }
    }
    return sum;
}

double cxn_loss_of_logits(const struct cxn_loss *loss, const double *logits, size_t images,
                          size_t views, const uint16_t *labels, double *dlogits)
{
    const double scale = 1 / ((double)images * image_parts(loss));
    const size_t step = views * loss->classes;
    double sum = 0;
    for (size_t i = 0; i < images; i++)
        sum += image_loss(loss, logits + i * step, views, labels[i], scale,
                          dlogits ? dlogits + i * step : NULL);
    return sum * scale;
}

double cxn_loss_of_probabilities(const struct cxn_loss *loss, const float *prob, uint16_t labels)
{
    double log_p[CXN_LOSS_CLASSES_MAX], log_q[CXN_LOSS_CLASSES_MAX];
    struct term terms[CXN_LOSS_CLASSES_MAX];
    for (size_t c = 0; c < loss->classes; c++) {
        log_p[c] = fmax(log((double)prob[c]), -100);
        log_q[c] = fmax(log1p(-(double)prob[c]), -100);
    }
    return image_terms(loss, labels, log_p, log_q, terms) / image_parts(loss);
}
