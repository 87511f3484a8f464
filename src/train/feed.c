/* SPDX-License-Identifier: Apache-2.0 */
#include "train/feed.h"

#include "image/image.h"

/* One image of the pass that was delivered last. */
struct delivered {
    struct cxn_sample *sample;       /* the loader's, or NULL where it was replaced */
    struct cxn_picture replacement;
};

struct cxn_feed {
    const struct cxn_env *env;
    struct cxn_feed_options options;
    struct cxn_layout layout;
    struct cxn_augment augment;
    uint64_t epoch, skipped;
    bool noted;              /* the first replacement of all was told */
    uint32_t *order;         /* [list->count], of this epoch */
    uint32_t *places;        /* in `order`: what is still to be delivered, in turn */
    uint32_t *images;        /* in the list: what stands at these places */
    size_t at;               /* places delivered */
    cxn_loader *loader;
    struct delivered *pass;  /* [images of a pass] */
    size_t pass_count;
};

enum cxn_status cxn_feed_open(cxn_feed **out, const struct cxn_feed_options *options,
                              const struct cxn_env *env, struct cxn_error *err)
{
    const struct cxn_settings *s = options->settings;
    *out = NULL;
    cxn_feed *f = cxn_alloc_zero(env->mem, 1, sizeof *f);
    if (!f) return cxn_fail_nomem(err, env->mem, sizeof *f, "the order of the images");
    f->env = env;
    f->options = *options;
    f->layout = (struct cxn_layout){ .batch = s->batch, .shards = s->shards,
                                     .accumulate = s->accumulate, .rank = options->rank,
                                     .ranks = options->ranks };
    f->augment = (struct cxn_augment){ .crops = (enum cxn_train_crops)s->crops,
                                       .on = s->augment == CXN_SWITCH_ON, .seed = s->seed };
    const size_t room = options->list->count / options->ranks;
    f->order = cxn_alloc(env->mem, options->list->count, sizeof *f->order);
    f->places = cxn_alloc(env->mem, room, sizeof *f->places);
    f->images = cxn_alloc(env->mem, room, sizeof *f->images);
    f->pass = cxn_alloc_zero(env->mem, cxn_layout_shard_images(&f->layout), sizeof *f->pass);
    if (!f->order || !f->places || !f->images || !f->pass) {
        cxn_feed_close(&f);
        return cxn_fail_nomem(err, env->mem, options->list->count * sizeof *f->order,
                              "the order of the images");
    }
    *out = f;
    return CXN_OK;
}

static void give_back(cxn_feed *f)
{
    for (size_t i = 0; i < f->pass_count; i++) {
        if (f->pass[i].sample) cxn_loader_release(f->loader, f->pass[i].sample);
        cxn_picture_close(&f->pass[i].replacement);
    }
    f->pass_count = 0;
}

void cxn_feed_close(cxn_feed **feed)
{
    if (!feed || !*feed) return;
    cxn_feed *f = *feed;
    give_back(f);
    cxn_loader_close(&f->loader);
    cxn_free(f->pass);
    cxn_free(f->images);
    cxn_free(f->places);
    cxn_free(f->order);
    cxn_free(f);
    *feed = NULL;
}

/* The rank's places of the epoch from an update on, in the order of its passes. */
static size_t list_places(cxn_feed *f, uint64_t step)
{
    const struct cxn_layout *l = &f->layout;
    const uint64_t steps = cxn_settings_epoch_steps(f->options.settings, f->options.list->count);
    size_t count = 0;
    for (; step < steps; step++)
        for (size_t own = 0; own < cxn_layout_own_shards(l); own++)
            for (size_t pass = 0; pass < l->accumulate; pass++)
                for (size_t i = 0; i < cxn_layout_shard_images(l); i++)
                    f->places[count++] = (uint32_t)(cxn_layout_place(l, step, own, pass) + i);
    return count;
}

enum cxn_status cxn_feed_seek(cxn_feed *f, uint64_t epoch, uint64_t step, struct cxn_error *err)
{
    const struct cxn_settings *s = f->options.settings;
    const cxn_list *list = f->options.list;
    give_back(f);
    cxn_loader_close(&f->loader);
    cxn_order_epoch(f->order, list->count, s->seed, epoch, s->shuffle);
    const size_t count = list_places(f, step);
    for (size_t i = 0; i < count; i++) f->images[i] = f->order[f->places[i]];
    f->epoch = epoch;
    f->at = 0;
    const size_t images = cxn_layout_shard_images(&f->layout);
    const unsigned threads = cxn_pool_threads(f->env->pool);
    const struct cxn_loader_options how = { .threads = threads,
                                            .slots = 2 * images + 2 * threads,
                                            .order = f->images, .order_count = count };
    return cxn_loader_open(&f->loader, f->env, f->options.images, list, &how, err);
}

/* The next image of the order that can be read, instead of the one at `place`. */
static enum cxn_status replace(cxn_feed *f, size_t place, struct cxn_picture *picture,
                               size_t *image, struct cxn_error *err)
{
    const cxn_list *list = f->options.list;
    enum cxn_status status = CXN_E_FORMAT;
    for (size_t i = 1; i < list->count; i++) {
        *image = f->order[(place + i) % list->count];
        status = cxn_images_read(f->options.images, list->items[*image].name, picture, NULL, err);
        if (status == CXN_OK || status == CXN_E_NOMEM) return status;
    }
    return cxn_fail_in(err, status, "none of the images can be read");
}

/* One image of a pass: its views and its label. */
static enum cxn_status deliver(cxn_feed *f, struct delivered *d, struct cxn_train_view *views,
                               uint16_t *label, struct cxn_error *err)
{
    const size_t place = f->places[f->at++];
    size_t image = f->order[place];
    const struct cxn_picture *picture = &d->replacement;
    *d = (struct delivered){ .sample = cxn_loader_next(f->loader) };
    f->pass_count++;
    if (d->sample->status == CXN_OK) {
        picture = &d->sample->picture;
    } else {
        const enum cxn_status why = d->sample->status;
        const struct cxn_error text = d->sample->error;
        cxn_loader_release(f->loader, d->sample);
        d->sample = NULL;
        if (!f->options.settings->skip_bad || why == CXN_E_NOMEM)
            return cxn_fail(err, why, "%s", text.text);
        const enum cxn_status status = replace(f, place, &d->replacement, &image, err);
        if (status != CXN_OK) return status;
        f->skipped++;
        if (!f->noted)
            cxn_note(f->options.notes, "%s; replaced by %s", text.text,
                     f->options.list->items[image].name);
        f->noted = true;
    }
    *label = f->options.list->items[image].labels;
    cxn_augment_views(&f->augment, f->epoch, image, picture, views);
    return CXN_OK;
}

static enum cxn_status next_pass(void *ctx, struct cxn_train_view *views, uint16_t *labels,
                                 struct cxn_error *err)
{
    cxn_feed *f = ctx;
    const size_t per_image = cxn_settings_views(f->options.settings);
    enum cxn_status status = CXN_OK;
    give_back(f);
    for (size_t i = 0; status == CXN_OK && i < cxn_layout_shard_images(&f->layout); i++)
        status = deliver(f, &f->pass[i], views + i * per_image, &labels[i], err);
    return status;
}

static uint64_t take_skipped(void *ctx)
{
    cxn_feed *f = ctx;
    const uint64_t skipped = f->skipped;
    f->skipped = 0;
    return skipped;
}

struct cxn_shard_source cxn_feed_source(cxn_feed *feed)
{
    return (struct cxn_shard_source){ .next = next_pass, .take_skipped = take_skipped,
                                      .ctx = feed };
}
