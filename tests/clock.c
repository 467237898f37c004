/* A clock that stands wrong, for whoever is started with this library before the others: tests/test_survival.py.
   CLOCK_OFFSET is the seconds that it is wrong by; with CLOCK_WHEN, only from when that file is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void)
{
    const char *text = getenv("CLOCK_OFFSET"), *when = getenv("CLOCK_WHEN");
    return text == NULL || (when != NULL && access(when, F_OK) != 0) ? 0 : atol(text);
}

int clock_gettime(clockid_t id, struct timespec *at)
{
    static int (*genuine)(clockid_t, struct timespec *);
    if (genuine == NULL)
        genuine = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int done = genuine(id, at);
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
        at->tv_sec += offset();
    return done;
}

time_t time(time_t *at)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at != NULL)
        *at = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}
