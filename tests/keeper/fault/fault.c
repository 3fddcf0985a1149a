/* Faults below the process: preloaded into the keeper by the tests, never part of what is shipped.
 *
 * KEPT_FAULT names a file that is mapped and shared with the test (struct control; fault.py packs it). The
 * nth call of one of the kinds in `calls`, on a path that starts with `prefix` and ends with `suffix`, meets
 * `action`. KEPT_FAULT_DELAY_MS delays every fsync and fdatasync, for benchmarks of slow disks.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, TRUNCATE = 4, RENAME = 8, UNLINK = 16 };
enum { NOTHING, FAIL, FAIL_DONE, SHORT, KILL_BEFORE, KILL_AFTER, TEAR, LOSE };

struct control {
    volatile int64_t clock_ms;  /* added to CLOCK_REALTIME */
    volatile int32_t delay_ms;  /* before every sync */
    volatile int32_t armed;
    volatile int32_t calls;     /* kinds that count */
    volatile int32_t nth;       /* from 1 */
    volatile int32_t action;
    volatile int32_t error;     /* errno of FAIL and FAIL_DONE */
    volatile int32_t sticky;    /* every later call meets it too (a disk that stays full) */
    volatile int32_t seen;      /* calls counted since it was armed */
    volatile int32_t fired;
    volatile int32_t losing;    /* LOSE: writes are dropped until a sync has said so */
    volatile int32_t is_full;   /* no block of any disk is free */
    char prefix[512];
    char suffix[64];
};

_Static_assert(sizeof(struct statvfs) == sizeof(struct statvfs64), "one layout (64-bit)");

static struct control none, *control = &none;
static int (*real_clock)(clockid_t, struct timespec *);

__attribute__((constructor)) static void map(void)
{
    const char *path = getenv("KEPT_FAULT"), *delay = getenv("KEPT_FAULT_DELAY_MS");
    if (delay)
        none.delay_ms = atoi(delay);
    if (!path)
        return;
    int handle = open(path, O_RDWR | O_CLOEXEC);
    if (handle < 0)
        _exit(125);
    void *there = mmap(0, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    close(handle);
    if (there == MAP_FAILED)
        _exit(125);
    control = there;
}

static void die(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        pause();
}

static int fits(const char *path)
{
    size_t length = strlen(path), end = strlen(control->suffix), start = strlen(control->prefix);
    static const char deleted[] = " (deleted)";
    if (length > sizeof deleted && !strcmp(path + length - sizeof deleted + 1, deleted))
        length -= sizeof deleted - 1;
    return length >= start && length >= end && !strncmp(path, control->prefix, start)
        && !strncmp(path + length - end, control->suffix, end);
}

/* What this call meets: an action when its turn has come. */
static int turn(int kind, const char *path)
{
    if (!control->armed || !(control->calls & kind) || !fits(path))
        return NOTHING;
    int number = __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST);
    if (number != control->nth && !(control->sticky && number > control->nth))
        return NOTHING;
    __atomic_store_n(&control->fired, 1, __ATOMIC_SEQ_CST);
    if (control->action == KILL_BEFORE)
        die();
    return control->action;
}

static int turn_of(int kind, int handle, char *path)
{
    char link[64];
    if (!control->armed)
        return NOTHING;
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = 0;
    return turn(kind, path);
}

/* Finish a call that was done, or not, as the action wants it. */
static long end(int action, long result)
{
    if (action == KILL_AFTER || action == TEAR)
        die();
    if (action == FAIL || action == FAIL_DONE) {
        errno = control->error;
        return -1;
    }
    return result;
}

static ssize_t put(int handle, const void *bytes, size_t count, off64_t offset, int is_positioned)
{
    char path[PATH_MAX];
    int action = turn_of(WRITE, handle, path);
    if (action == LOSE)
        control->losing = 1;
    if (control->losing && fits(path))
        return (ssize_t)count;
    if (action == FAIL)
        return end(action, 0);
    if ((action == SHORT || action == TEAR) && count > 1)
        count /= 2;
    long done = is_positioned ? syscall(SYS_pwrite64, handle, bytes, count, offset)
                              : syscall(SYS_write, handle, bytes, count);
    return end(action, done);
}

ssize_t write(int handle, const void *bytes, size_t count)
{
    return put(handle, bytes, count, 0, 0);
}

ssize_t pwrite(int handle, const void *bytes, size_t count, off_t offset)
{
    return put(handle, bytes, count, offset, 1);
}

ssize_t pwrite64(int handle, const void *bytes, size_t count, off64_t offset)
{
    return put(handle, bytes, count, offset, 1);
}

ssize_t writev(int handle, const struct iovec *parts, int count)
{
    char path[PATH_MAX];
    int action = turn_of(WRITE, handle, path);
    if (action == FAIL)
        return end(action, 0);
    if (action == SHORT || action == TEAR)
        return end(action, syscall(SYS_write, handle, parts[0].iov_base, parts[0].iov_len / 2));
    return end(action, syscall(SYS_writev, handle, parts, count));
}

static int sync_with(long number, int handle)
{
    char path[PATH_MAX];
    if (control->delay_ms > 0) {
        struct timespec wait = {control->delay_ms / 1000, control->delay_ms % 1000 * 1000000L};
        nanosleep(&wait, 0);
    }
    int action = turn_of(SYNC, handle, path);
    if (control->losing && fits(path)) {
        /* What Linux does after a failed write-back: it says so once, and the data is gone. */
        control->losing = 0;
        errno = EIO;
        return -1;
    }
    if (action == FAIL)
        return (int)end(action, 0);
    return (int)end(action, syscall(number, handle));
}

int fsync(int handle)
{
    return sync_with(SYS_fsync, handle);
}

int fdatasync(int handle)
{
    return sync_with(SYS_fdatasync, handle);
}

int ftruncate64(int handle, off64_t length)
{
    char path[PATH_MAX];
    int action = turn_of(TRUNCATE, handle, path);
    if (action == FAIL)
        return (int)end(action, 0);
    return (int)end(action, syscall(SYS_ftruncate, handle, length));
}

int ftruncate(int handle, off_t length)
{
    return ftruncate64(handle, length);
}

static int moved(const char *from, const char *to)
{
    int action = turn(RENAME, to);
    if (action == FAIL)
        return (int)end(action, 0);
    return (int)end(action, syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

int rename(const char *from, const char *to)
{
    return moved(from, to);
}

int unlink(const char *path)
{
    int action = turn(UNLINK, path);
    if (action == FAIL)
        return (int)end(action, 0);
    return (int)end(action, syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

static int (*real_statvfs)(const char *, struct statvfs *);

int statvfs(const char *path, struct statvfs *found)
{
    if (!real_statvfs)
        *(void **)&real_statvfs = dlsym(RTLD_NEXT, "statvfs");
    int result = real_statvfs(path, found);
    if (control->is_full)
        found->f_bavail = 0;
    return result;
}

int statvfs64(const char *path, struct statvfs64 *found)
{
    return statvfs(path, (struct statvfs *)found);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!real_clock)
        *(void **)&real_clock = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real_clock(clock, now);
    int64_t ahead = control->clock_ms;
    if (clock == CLOCK_REALTIME && result == 0 && ahead) {
        int64_t whole = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + ahead * 1000000;
        now->tv_sec = whole / 1000000000;
        now->tv_nsec = whole % 1000000000;
    }
    return result;
}
