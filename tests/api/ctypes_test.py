# SPDX-License-Identifier: Apache-2.0
"""ctypes_test.py LIBCHEXNET.SO: the public interface from Python's standard library alone."""
import ctypes
import json
import math
import pathlib
import sys
import tempfile

FINDINGS = ('Atelectasis Cardiomegaly Effusion Infiltration Mass Nodule Pneumonia Pneumothorax '
            'Consolidation Edema Emphysema Fibrosis Pleural_Thickening Hernia').split()
CXN_E_ARG, CXN_E_IO = 2, 5


class Error(ctypes.Structure):
    _fields_ = [('text', ctypes.c_char * 1024)]


class Options(ctypes.Structure):
    _fields_ = [('threads', ctypes.c_uint32), ('memory_limit_bytes', ctypes.c_uint64),
                ('cpu', ctypes.c_char_p), ('log', ctypes.c_void_p), ('log_ctx', ctypes.c_void_p)]


class Phantom(ctypes.Structure):
    _fields_ = [('out', ctypes.c_char_p), ('images', ctypes.c_size_t), ('size', ctypes.c_uint32),
                ('balanced', ctypes.c_int), ('seed', ctypes.c_uint64),
                ('progress', ctypes.c_void_p), ('progress_ctx', ctypes.c_void_p)]


class News(ctypes.Structure):
    _fields_ = [('rank', ctypes.c_uint32), ('validated', ctypes.c_int),
                ('validating', ctypes.c_int), ('step', ctypes.c_uint64),
                ('steps', ctypes.c_uint64), ('epoch', ctypes.c_uint64),
                ('epochs', ctypes.c_uint64), ('loss', ctypes.c_double), ('lr', ctypes.c_double),
                ('images_per_second', ctypes.c_double), ('seconds_left', ctypes.c_double),
                ('val_loss', ctypes.c_double), ('val_mean_auc', ctypes.c_double)]


class Setting(ctypes.Structure):
    _fields_ = [('name', ctypes.c_char_p), ('value', ctypes.c_char_p)]


Progress = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(News))


class Train(ctypes.Structure):
    _fields_ = [('images', ctypes.POINTER(ctypes.c_char_p)), ('image_count', ctypes.c_size_t),
                ('train', ctypes.c_char_p), ('val', ctypes.c_char_p),
                ('entries', ctypes.c_char_p), ('weights', ctypes.c_char_p),
                ('out', ctypes.c_char_p), ('resume', ctypes.c_char_p),
                ('settings', ctypes.POINTER(Setting)), ('setting_count', ctypes.c_size_t),
                ('progress', Progress), ('progress_ctx', ctypes.c_void_p)]


class Result(ctypes.Structure):
    _fields_ = [('rank', ctypes.c_uint32), ('ranks', ctypes.c_uint32),
                ('told_by_first', ctypes.c_int), ('end', ctypes.c_int),
                ('steps', ctypes.c_uint64), ('epochs', ctypes.c_uint64),
                ('best_epoch', ctypes.c_uint64), ('best_auc', ctypes.c_double),
                ('best_loss', ctypes.c_double), ('skipped', ctypes.c_uint64),
                ('seconds', ctypes.c_double), ('images_per_second', ctypes.c_double),
                ('views_per_image', ctypes.c_uint64)]


def text_of(function, *args):
    function.restype = ctypes.c_char_p
    text = function(*args)
    return text.decode() if text is not None else None


lib = ctypes.CDLL(sys.argv[1])
assert text_of(lib.cxn_version).count('.') == 2
assert [text_of(lib.cxn_finding_name, i) for i in range(14)] == FINDINGS
assert text_of(lib.cxn_finding_name, -1) is None and text_of(lib.cxn_finding_name, 14) is None

err, context = Error(), ctypes.c_void_p()
options = Options(threads=3, cpu=b'c')
assert lib.cxn_context_open(ctypes.byref(context), ctypes.byref(options), ctypes.byref(err)) == 0
assert lib.cxn_context_threads(context) == 3
assert text_of(lib.cxn_context_level, context) == 'c'

model = ctypes.c_void_p(1)
status = lib.cxn_model_open(ctypes.byref(model), context, b'missing.pth', b'auto',
                            ctypes.byref(err))
assert status == CXN_E_IO and b'missing.pth' in err.text and not model.value
lib.cxn_context_close(ctypes.byref(context))
assert not context.value

options = Options(cpu=b'nonsense')
status = lib.cxn_context_open(ctypes.byref(context), ctypes.byref(options), ctypes.byref(err))
assert status == CXN_E_ARG and b'nonsense' in err.text and not context.value
assert lib.cxn_status_exit(status) == 2


def train(folder, settings):
    """cxn_train() on a few phantoms: status, result, the text of an error, what was told."""
    told, result, err = [], Result(), Error()

    def progress(_, news):
        news = news.contents
        told.append((news.step, news.steps, news.epoch, news.validating, news.validated,
                     news.loss))
        return 0

    images = (ctypes.c_char_p * 1)(bytes(folder / 'set' / 'images'))
    rows = (Setting * len(settings))(*(Setting(k.encode(), v.encode())
                                       for k, v in settings.items()))
    options = Train(images=images, image_count=1, train=bytes(folder / 'list.txt'),
                    val=bytes(folder / 'list.txt'), out=bytes(folder / 'run'), settings=rows,
                    setting_count=len(settings), progress=Progress(progress))
    status = lib.cxn_train(context, ctypes.byref(options), ctypes.byref(result),
                           ctypes.byref(err))
    return status, result, err.text.decode(), told


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    options = Options(threads=2)
    assert lib.cxn_context_open(ctypes.byref(context), ctypes.byref(options), None) == 0
    phantom = Phantom(out=bytes(folder / 'set'), images=10, size=256, balanced=1, seed=3)
    assert lib.cxn_phantom(context, ctypes.byref(phantom), ctypes.byref(err)) == 0, err.text
    lines = (folder / 'set' / 'train_list.txt').read_text().splitlines(keepends=True)
    (folder / 'list.txt').write_text(''.join(lines[:4]))
    settings = {'batch': '2', 'max-steps': '2', 'freeze': 'backbone', 'crops': 'center'}

    status, result, text, told = train(folder, {**settings, 'lr': 'much'})
    assert (status, result.steps, told) == (CXN_E_ARG, 0, []), status
    assert text.startswith("--lr 'much': expected a number") and not (folder / 'run').exists()

    status, result, text, told = train(folder, settings)
    assert status == 0, text
    assert (result.rank, result.ranks, result.end, result.steps, result.epochs) == (0, 1, 0, 2, 1)
    assert (result.best_epoch, result.skipped, result.views_per_image) == (1, 0, 1)
    assert 0 < result.best_loss < 2 and 0 < result.images_per_second and 0 < result.seconds
    assert math.isnan(result.best_auc) or 0 <= result.best_auc <= 1
    losses = [json.loads(line).get('loss') for line in (folder / 'run' / 'log.jsonl').open()]
    steps = [t for t in told if not t[3] and not t[4]]
    assert [t[:3] for t in steps] == [(1, 2, 1), (2, 2, 1)], steps
    assert [t[5] for t in steps] == [v for v in losses if v is not None]
    assert told[-1][4] and (folder / 'run' / 'best.safetensors').stat().st_size > 27e6
    lib.cxn_context_close(ctypes.byref(context))
print('ctypes: all as declared')
