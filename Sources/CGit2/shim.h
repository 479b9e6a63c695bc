// What Swift cannot import of libgit2 by itself: variadic calls, and structs that carry our context. No other code.
#pragma once
#include <git2.h>
#include <git2/sys/transport.h>

/// A transport's connection, with ours behind it: libgit2 gives back the address of the first member.
typedef struct {
    git_smart_subtransport parent;
    void *context;
} shim_git_subtransport;

typedef struct {
    git_smart_subtransport_stream parent;
    void *context;
} shim_git_stream;

static inline int shim_git_set_search_path(int level, const char *path) {
    return git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, path);
}
static inline int shim_git_set_flag(int option, int enabled) { return git_libgit2_opts(option, enabled); }
static inline int shim_git_set_size(int option, size_t value) { return git_libgit2_opts(option, value); }
