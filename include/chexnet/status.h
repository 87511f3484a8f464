/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHEXNET_STATUS_H
#define CHEXNET_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#define CXN_API __attribute__((visibility("default")))

/** What a call came to. Few codes for programs; cxn_error holds the sentence for people. */
enum cxn_status {
    CXN_OK = 0,
    CXN_E_INTERNAL, /**< a mistake of this library */
    CXN_E_ARG,      /**< the call or the command line is wrong */
    CXN_E_FORMAT,   /**< the content of a file is wrong */
    CXN_E_LIMIT,    /**< the content is over a documented limit */
    CXN_E_IO,       /**< a file is missing, unreadable or not writable */
    CXN_E_NOMEM,    /**< no memory, or over the memory limit */
    CXN_E_PEER,     /**< a peer process is lost */
    CXN_E_STOPPED,  /**< the caller's own function asked to stop */
    CXN_STATUS_COUNT
};

/** Bytes of cxn_error.text, the final NUL included. */
#define CXN_ERROR_BYTES 1024

/** One line of text: what, which file, where in it, what was expected. Owned by the caller. */
struct cxn_error {
    char text[CXN_ERROR_BYTES];
};

/** A short name of the code, e.g. "wrong content". Never NULL, static storage. */
CXN_API const char *cxn_status_name(enum cxn_status status);

/**
 * The exit status of a command that ends with this code: 0 done, 1 internal failure, 2 usage,
 * 3 content wrong or over a limit, 4 file, 5 memory, 6 peer lost; 1 also where it was stopped.
 */
CXN_API int cxn_status_exit(enum cxn_status status);

#ifdef __cplusplus
}
#endif
#endif
