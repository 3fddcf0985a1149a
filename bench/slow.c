/* A slower disk: every fsync and fdatasync waits KEPT_SLOW_US microseconds before it begins.
   cc -shared -fPIC -O2 -o slow.so slow.c -ldl; LD_PRELOAD=slow.so KEPT_SLOW_US=2000 ... */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait_a_little(void) {
    const char *given = getenv("KEPT_SLOW_US");
    long us = given ? atol(given) : 0;
    struct timespec span = {us / 1000000, us % 1000000 * 1000};
    if (us > 0) nanosleep(&span, NULL);
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_a_little();
    return real(file);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_a_little();
    return real(file);
}
