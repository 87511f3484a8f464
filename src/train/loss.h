/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_LOSS_H
#define CXN_TRAIN_LOSS_H

#include "data/list.h"
#include "train/settings.h"

enum { CXN_LOSS_CLASSES_MAX = 16 }; /* bits of a label */

/*
 * What training makes small. With p the mean of the sigmoid outputs of an image's views and t its
 * label, 0 or 1, for one finding:
 *     bce           -(t log p + (1 - t) log(1 - p))
 *     weighted-bce  -(w+ t log p + w- (1 - t) log(1 - p)); w+ the share of negatives, w- that of
 *                   positives in the training list
 *     focal         -(1 - q)^gamma log q, where q is p for t = 1 and else 1 - p
 * and the loss of a set of images is the mean over images and findings, as torch's BCELoss. The
 * fourth, seed-ce, is torch's CrossEntropyLoss of p (not of a logarithm) with t as its targets:
 *     -sum over findings of t log softmax(p)
 * and its mean is over images alone.
 *
 * Logarithms are of the logits, never of a rounded p, so that nothing is lost where p is near 0 or
 * 1.
 */
struct cxn_loss {
    enum cxn_loss_kind kind;
    size_t classes; /* at most CXN_LOSS_CLASSES_MAX */
    double gamma;
    double positive[CXN_LOSS_CLASSES_MAX]; /* w+ and w-, used by weighted-bce */
    double negative[CXN_LOSS_CLASSES_MAX];
};

/* Weights from the labels of the list, which has at least one image. */
void cxn_loss_init(struct cxn_loss *loss, enum cxn_loss_kind kind, double gamma, size_t classes,
                   const cxn_list *list);

/*
 * Loss of `images` images of `views` views each (at most 10), and its derivative.
 * logits:  [images][views][classes]
 * labels:  [images], bit c: finding c is present
 * dlogits: out, the same shape; NULL where it is not wanted
 */
double cxn_loss_of_logits(const struct cxn_loss *loss, const double *logits, size_t images,
                          size_t views, const uint16_t *labels, double *dlogits);

/* Loss of one image from probabilities, as a validation has them: [classes]. A logarithm below -100
 * counts as -100, as in torch's BCELoss. */
double cxn_loss_of_probabilities(const struct cxn_loss *loss, const float *prob, uint16_t labels);

#endif
