/* Records what a program does to its files, in order: loaded with LD_PRELOAD.

   Writes, truncations, syncs and removals of files below $POWER_FOLDER are appended to the file
   $POWER_LOG: kind, length of the name, offset, length of the data (8 bytes each), name, data.
   Shared memory of SQLite (-shm) is left out: it is made anew from the log after a crash. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 1024

static char *names[FILES];
static const char *folder;
static int output = -1;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("POWER_LOG");
    folder = getenv("POWER_FOLDER");
    if (path != NULL)
        output = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT, 0600);
}

static void note(int64_t kind, const char *name, int64_t offset, const void *data, int64_t size) {
    int64_t head[4] = {kind, (int64_t)strlen(name), offset, size};
    struct iovec parts[3] = {
        {head, sizeof head}, {(void *)name, strlen(name)}, {(void *)data, data ? size : 0}};
    if (output >= 0)
        syscall(SYS_writev, output, parts, 3);
}

static int opened(int handle, const char *path) {
    char real[PATH_MAX];
    size_t length;
    if (handle < 0 || handle >= FILES || folder == NULL || realpath(path, real) == NULL)
        return handle;
    length = strlen(real);
    free(names[handle]);
    names[handle] = NULL;
    if (strncmp(real, folder, strlen(folder)) == 0 &&
        (length < 4 || strcmp(real + length - 4, "-shm") != 0))
        names[handle] = strdup(real);
    return handle;
}

static const char *name_of(int handle) {
    return handle >= 0 && handle < FILES ? names[handle] : NULL;
}

#define REAL(type, name, ...)                                                                      \
    static type (*real)(__VA_ARGS__);                                                              \
    if (real == NULL)                                                                              \
        real = dlsym(RTLD_NEXT, name)

#define OPEN(function)                                                                             \
    int function(const char *path, int flags, ...) {                                               \
        REAL(int, #function, const char *, int, ...);                                              \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode_t mode = va_arg(more, mode_t);                                                        \
        va_end(more);                                                                              \
        return opened(real(path, flags, mode), path);                                              \
    }
OPEN(open)
OPEN(open64)

int close(int handle) {
    REAL(int, "close", int);
    if (name_of(handle) != NULL) {
        free(names[handle]);
        names[handle] = NULL;
    }
    return real(handle);
}

ssize_t write(int handle, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    const char *name = name_of(handle);
    off_t offset = name == NULL ? 0 : lseek(handle, 0, SEEK_CUR);
    ssize_t done = real(handle, data, size);
    if (name != NULL && done > 0)
        note('w', name, offset, data, done);
    return done;
}

#define PWRITE(function)                                                                           \
    ssize_t function(int handle, const void *data, size_t size, off64_t offset) {                  \
        REAL(ssize_t, #function, int, const void *, size_t, off64_t);                              \
        ssize_t done = real(handle, data, size, offset);                                           \
        if (name_of(handle) != NULL && done > 0)                                                   \
            note('w', name_of(handle), offset, data, done);                                        \
        return done;                                                                               \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define TRUNCATE(function)                                                                         \
    int function(int handle, off64_t length) {                                                     \
        REAL(int, #function, int, off64_t);                                                        \
        int failed = real(handle, length);                                                         \
        if (name_of(handle) != NULL && !failed)                                                    \
            note('t', name_of(handle), length, NULL, 0);                                           \
        return failed;                                                                             \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define SYNC(function)                                                                             \
    int function(int handle) {                                                                     \
        REAL(int, #function, int);                                                                 \
        int failed = real(handle);                                                                 \
        if (name_of(handle) != NULL && !failed)                                                    \
            note('s', name_of(handle), 0, NULL, 0);                                                \
        return failed;                                                                             \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    char name[PATH_MAX];
    int known = folder != NULL && realpath(path, name) != NULL &&
                strncmp(name, folder, strlen(folder)) == 0;
    int failed = real(path);
    if (known && !failed)
        note('u', name, 0, NULL, 0);
    return failed;
}
