/* SPDX-License-Identifier: Apache-2.0 */
#include "data/loader.h"

#include <assert.h>
#include <pthread.h>

#include "image/image.h"

/*
 * Slots circulate: free -> decoding -> ready -> the caller's -> free. Places that are claimed and
 * not yet delivered are the range delivered..claimed - 1, never longer than the number of slots, so
 * `ready` needs one entry for each slot, by place modulo slots.
 */
struct cxn_loader {
    const struct cxn_env *env;
    const cxn_images *images;
    const cxn_list *list;
    const uint32_t *order; /* NULL: the list's */
    size_t count;          /* places of the order */
    pthread_mutex_t lock;
    pthread_cond_t slot_free;  /* for decoding threads */
    pthread_cond_t slot_ready; /* for the caller */
    struct cxn_sample *samples; /* [slots] */
    struct cxn_sample **spare;  /* [slots], stack */
    struct cxn_sample **ready;  /* [slots], NULL: not decoded yet */
    size_t slots, spare_count;
    size_t claimed, delivered; /* places of the order */
    bool stop;
    unsigned threads; /* that were started */
    pthread_t *ids;
};

static void decode_sample(const cxn_loader *l, struct cxn_sample *s)
{
    s->error.text[0] = '\0';
    s->notes = 0;
    s->status = cxn_images_read(l->images, l->list->items[s->index].name, &s->picture, &s->notes,
                                &s->error);
}

/* The next place and a slot for it; both must be left. Holds the lock. */
static struct cxn_sample *claim_sample(cxn_loader *l)
{
    struct cxn_sample *s = l->spare[--l->spare_count];
    s->place = l->claimed++;
    s->index = l->order ? l->order[s->place] : s->place;
    return s;
}

static void *decode_main(void *arg)
{
    cxn_loader *l = arg;
    pthread_mutex_lock(&l->lock);
    for (;;) {
        while (!l->stop && l->claimed < l->count && l->spare_count == 0)
            pthread_cond_wait(&l->slot_free, &l->lock);
        if (l->stop || l->claimed == l->count) break;
        struct cxn_sample *s = claim_sample(l);
        pthread_mutex_unlock(&l->lock);
        decode_sample(l, s);
        pthread_mutex_lock(&l->lock);
        l->ready[s->place % l->slots] = s;
        pthread_cond_signal(&l->slot_ready);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static enum cxn_status open_slots(cxn_loader *l, const struct cxn_loader_options *options,
                                  struct cxn_error *err)
{
    struct cxn_mem *mem = l->env->mem;
    l->samples = cxn_alloc_zero(mem, l->slots, sizeof *l->samples);
    l->spare = cxn_alloc_zero(mem, l->slots, sizeof *l->spare);
    l->ready = cxn_alloc_zero(mem, l->slots, sizeof *l->ready);
    l->ids = cxn_alloc_zero(mem, options->threads, sizeof *l->ids);
    if (!l->samples || !l->spare || !l->ready || !l->ids)
        return cxn_fail_nomem(err, mem, l->slots * sizeof *l->samples, "reading ahead");
    for (size_t i = l->slots; i-- > 0;) l->spare[l->spare_count++] = &l->samples[i];
    return CXN_OK;
}

static enum cxn_status check_options(const struct cxn_loader_options *options,
                                     const cxn_list *list, struct cxn_error *err)
{
    if (options->threads < 1 || options->threads > CXN_THREADS_MAX || options->slots < 1)
        return cxn_fail(err, CXN_E_ARG, "loader: %u threads, %zu slots: expected 1..%d and some",
                        options->threads, options->slots, CXN_THREADS_MAX);
    for (size_t i = 0; options->order && i < options->order_count; i++)
        if (options->order[i] >= list->count)
            return cxn_fail(err, CXN_E_ARG, "loader: image %u at place %zu of the order, the list "
                            "has %zu", options->order[i], i, list->count);
    return CXN_OK;
}

enum cxn_status cxn_loader_open(cxn_loader **loader, const struct cxn_env *env,
                                const cxn_images *images, const cxn_list *list,
                                const struct cxn_loader_options *options, struct cxn_error *err)
{
    *loader = NULL;
    enum cxn_status status = check_options(options, list, err);
    if (status != CXN_OK) return status;
    cxn_loader *l = cxn_alloc_zero(env->mem, 1, sizeof *l);
    if (!l) return cxn_fail_nomem(err, env->mem, sizeof *l, "reading ahead");
    l->env = env;
    l->images = images;
    l->list = list;
    l->order = options->order;
    l->count = options->order ? options->order_count : list->count;
    l->slots = options->slots;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->slot_free, NULL);
    pthread_cond_init(&l->slot_ready, NULL);
    status = open_slots(l, options, err);
    if (status != CXN_OK) {
        cxn_loader_close(&l);
        return status;
    }
    while (l->threads < options->threads &&
           pthread_create(&l->ids[l->threads], NULL, decode_main, l) == 0)
        l->threads++;
    *loader = l;
    return CXN_OK;
}

/* Without a thread of its own the loader decodes when asked. */
static struct cxn_sample *decode_now(cxn_loader *l)
{
    struct cxn_sample *s = claim_sample(l);
    decode_sample(l, s);
    return s;
}

struct cxn_sample *cxn_loader_next(cxn_loader *l)
{
    pthread_mutex_lock(&l->lock);
    struct cxn_sample *s = NULL;
    if (l->delivered < l->count) {
        struct cxn_sample **ready = &l->ready[l->delivered % l->slots];
        assert(l->threads > 0 || l->spare_count > 0);
        if (l->threads == 0) *ready = decode_now(l);
        while (!*ready) pthread_cond_wait(&l->slot_ready, &l->lock);
        s = *ready;
        *ready = NULL;
        l->delivered++;
    }
    pthread_mutex_unlock(&l->lock);
    return s;
}

void cxn_loader_release(cxn_loader *l, struct cxn_sample *sample)
{
    if (!sample) return;
    cxn_picture_close(&sample->picture);
    pthread_mutex_lock(&l->lock);
    l->spare[l->spare_count++] = sample;
    pthread_cond_signal(&l->slot_free);
    pthread_mutex_unlock(&l->lock);
}

void cxn_loader_close(cxn_loader **loader)
{
    if (!loader || !*loader) return;
    cxn_loader *l = *loader;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->slot_free);
    pthread_mutex_unlock(&l->lock);
    for (unsigned i = 0; i < l->threads; i++) pthread_join(l->ids[i], NULL);
    for (size_t i = 0; l->samples && i < l->slots; i++) cxn_picture_close(&l->samples[i].picture);
    pthread_cond_destroy(&l->slot_ready);
    pthread_cond_destroy(&l->slot_free);
    pthread_mutex_destroy(&l->lock);
    cxn_free(l->ids);
    cxn_free(l->ready);
    cxn_free(l->spare);
    cxn_free(l->samples);
    cxn_free(l);
    *loader = NULL;
}
