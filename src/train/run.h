/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CXN_TRAIN_RUN_H
#define CXN_TRAIN_RUN_H

#include "model/safetensors.h"
#include "train/checkpoint.h"

/*
 * The folder of one training: run.json, log.jsonl, best.safetensors, last/ and before/, the
 * checkpoint before last. One process at a time writes it; a lock says so, which ends with the
 * process however that ends. Names that end in .tmp are unfinished and are removed by the next one.
 *
 * In a job of several ranks rank 0 alone has the run open.
 */

typedef struct cxn_run cxn_run;

/*
 * Begin a run: the folder is made (its parent exists) or is there and empty. about: run.json, an
 * object. CXN_E_ARG: about; CXN_E_IO: there is a run in it or something else, another process has
 * it locked, it cannot be made or written; CXN_E_NOMEM. path and env are borrowed for the life of
 * the run.
 */
enum cxn_status cxn_run_create(cxn_run **run, const struct cxn_env *env, const char *path,
                               const json_t *about, struct cxn_error *err);

/* Go on with a run. about: out, what run.json says; close it. CXN_E_IO: no run, locked;
 * CXN_E_FORMAT, CXN_E_LIMIT: a broken run.json; CXN_E_NOMEM. */
enum cxn_status cxn_run_resume(cxn_run **run, const struct cxn_env *env, const char *path,
                               struct cxn_json *about, struct cxn_error *err);
void cxn_run_close(cxn_run **run);

/*
 * The checkpoint to go on from: last/, or where that is missing or broken before/, which a note
 * tells; the next save then replaces what is broken and keeps before/. Cuts log.jsonl back to what
 * belongs to it. A best.safetensors that is missing or another than the checkpoint's is noted.
 * *found false, and the log cut to nothing: the run ended before its first
 * checkpoint. Where neither is whole the text is that of last/. As cxn_checkpoint_open().
 */
enum cxn_status cxn_run_load(cxn_run *run, const cxn_net *net, struct cxn_checkpoint *checkpoint,
                             bool *found, struct cxn_error *err);

/* Add one object to log.jsonl as one line. It is on the disk when the next save is. CXN_E_ARG: not
 * an object; CXN_E_IO: nothing of the line is left in the file; CXN_E_NOMEM. */
enum cxn_status cxn_run_log(cxn_run *run, const json_t *object, struct cxn_error *err);

/*
 * Put a checkpoint into last/; the one that was there becomes before/. Whatever happens on the way,
 * a whole one stays: the old or the new. On error it counts as not written and last/ is the old
 * one. As cxn_checkpoint_write(); content->log_bytes is not looked at.
 */
enum cxn_status cxn_run_save(cxn_run *run, const struct cxn_checkpoint_content *content,
                             struct cxn_error *err);

/* Write best.safetensors: float_count numbers, stored as F32. To be called before the save whose
 * place.best_auc tells of it, so that no checkpoint knows of a best that is not there. metadata:
 * what the file says of itself; keys must not begin with `chexnet_`, which is for other forms. */
enum cxn_status cxn_run_save_best(cxn_run *run, const cxn_net *net, const struct cxn_span *weights,
                                  const struct cxn_out_pair *metadata, size_t metadata_count,
                                  struct cxn_error *err);

#endif
