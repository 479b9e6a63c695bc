// What Swift cannot see of glibc's process calls by itself, as inline functions. No other code.
#pragma once
#include <spawn.h>

int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *, const char *);

/// Closes every descriptor from `first` on in the child, so that it inherits nothing it was not given.
static inline int shim_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

static inline int shim_spawn_change_directory(posix_spawn_file_actions_t *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}

int pipe2(int *, int);

/// A pipe whose ends are closed in every other child.
static inline int shim_spawn_pipe(int *ends, int flags) { return pipe2(ends, flags); }
