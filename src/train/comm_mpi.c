/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/comm_module.h"

/* Where the module is, seen from the folder of the file that this code is in. */
static const char *const module_folders[] = {
    "chexnet",            /* of the shared library, installed and in the build tree */
    CXN_MODULES_FROM_BIN, /* of the command, installed */
    "src/chexnet",        /* of the command in the build tree */
};

/* The folder with its last '/', or "" where it cannot be told. */
static void own_folder(char path[static PATH_MAX])
{
    Dl_info info;
    struct link_map *map = NULL;
    path[0] = '\0';
    if (!dladdr1(&cxn_comm_self, &info, (void **)&map, RTLD_DL_LINKMAP) || !map) return;
    if (map->l_name[0] != '\0') {
        snprintf(path, PATH_MAX, "%s", map->l_name);
    } else { /* the program itself, whose name here is what it was called by */
        const ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
        path[length > 0 ? length : 0] = '\0';
    }
    char *slash = strrchr(path, '/');
    path[slash ? slash + 1 - path : 0] = '\0';
}

/* False where there is no such file. */
static bool find_module(const char *folder, char path[static PATH_MAX])
{
    for (size_t i = 0; folder[0] != '\0' && i < CXN_COUNTOF(module_folders); i++) {
        const int n = snprintf(path, PATH_MAX, "%s%s/" CXN_COMM_MPI_FILE, folder,
                               module_folders[i]);
        if (n < PATH_MAX && access(path, F_OK) == 0) return true;
    }
    return NULL;
}

/*
 * Never unloaded: MPI leaves threads and handlers behind. Global, because plug-ins of some MPIs
 * expect its symbols to be there. A program linked with the static library may be anywhere, so that
 * the linker's own path is the last place to look.
 */
enum cxn_status cxn_comm_mpi_load(const struct cxn_comm **comm, struct cxn_error *err)
{
    char folder[PATH_MAX], path[PATH_MAX];
    *comm = NULL;
    own_folder(folder);
    const bool found = find_module(folder, path);
    const char *file = found ? path : CXN_COMM_MPI_FILE;
    void *handle = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
    if (!handle && !found)
        return cxn_fail(err, CXN_E_IO,
                        "several ranks need " CXN_COMM_MPI_FILE ", which is neither near '%s' nor "
                        "in the linker's path: built without MPI, or not installed", folder);
    if (!handle) {
        const char *why = dlerror();
        return cxn_fail(err, CXN_E_IO, "cannot load '%s': %s", file, why ? why : "no reason given");
    }
    const struct cxn_comm_module *module = dlsym(handle, CXN_COMM_MPI_SYMBOL);
    if (!module)
        return cxn_fail(err, CXN_E_IO, "'%s' is not a module of chexnet", file);
    if (strcmp(module->version, CXN_VERSION) != 0)
        return cxn_fail(err, CXN_E_IO, "'%s' is of version %s, expected %s", file, module->version,
                        CXN_VERSION);
    *comm = module->row;
    return CXN_OK;
}

/*
 * The first of them that is set decides. Not SLURM_NTASKS, which the script of a job has as well:
 * what it starts without srun or mpirun is one process.
 */
const char *cxn_comm_launcher(void)
{
    static const char *const names[] = { "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS",
                                         "MPI_LOCALNRANKS" };
    for (size_t i = 0; i < CXN_COUNTOF(names); i++) {
        const char *text = getenv(names[i]);
        char *end;
        if (!text) continue;
        errno = 0;
        const long ranks = strtol(text, &end, 10);
        if (errno == 0 && end != text && *end == '\0') return ranks > 1 ? names[i] : NULL;
    }
    return NULL;
}
