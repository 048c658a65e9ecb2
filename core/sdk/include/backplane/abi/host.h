/* What the host does for one component: log, time, events, host files, machine requests. */
#ifndef BACKPLANE_ABI_HOST_H
#define BACKPLANE_ABI_HOST_H

#include "backplane/abi/device.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum backplane_log_level {
    BACKPLANE_LOG_ERROR = 1,
    BACKPLANE_LOG_WARNING,
    BACKPLANE_LOG_INFO,
    BACKPLANE_LOG_DEBUG,
    BACKPLANE_LOG_TRACE
} backplane_log_level;

typedef struct backplane_timer backplane_timer;
typedef struct backplane_watch backplane_watch;

/* A kind of event. `subscribers` is read relaxed: 0 means publishing is pointless. */
typedef struct backplane_topic {
    const uint32_t* subscribers;
    void* handle;
} backplane_topic;

typedef struct backplane_subscription backplane_subscription;

/* One per component; valid from create until destroy has returned. */
typedef struct backplane_host {
    uint32_t struct_size;
    uint32_t log_level; /* most detailed level that is written for this component */
    void* context;      /* first argument of every function below */
    const char* name;   /* the component's name in the machine file */

    /* [any] */
    void (*log)(void* context, uint32_t level, const char* text);
    /* The reason why create, connect or start is about to return BACKPLANE_FAILED. */
    void (*fail)(void* context, const char* text);

    /* ---- Guest time: nanoseconds since power-on ---- */
    /* [any] */
    uint64_t (*now)(void* context);
    /* `expire` is called with guest time at or just after the deadline. Timers are the component's,
     * freed with it. */
    backplane_timer* (*timer_create)(void* context, const char* name, void (*expire)(void* user),
                                     void* user);
    void (*timer_start)(backplane_timer* timer, uint64_t deadline);
    void (*timer_stop)(backplane_timer* timer);

    /* ---- Requests about the whole machine. [any] Carried out soon after the call returns. ---- */
    void (*request_reset)(void* context, const char* why);
    /* Ends the program with this exit code and says why. */
    void (*request_power_off)(void* context, int32_t exit_code, const char* why);

    /* ---- Guest RAM ---- */
    /* Host memory for a window, zero-filled, committed as it is touched; freed with the component.
     * NULL: see fail. */
    void* (*allocate_memory)(void* context, uint64_t bytes);
    /* Notes from now on (1), or no longer (0), which 4 KiB pages of the block at `memory` anyone
     * writes. All start dirty. */
    void (*track_dirty)(void* context, void* memory, int32_t track);
    /* Bit i of `bitmap` becomes 1 when page first + i was written since it was last taken; then the
     * page is clean. */
    void (*take_dirty)(void* context, void* memory, uint64_t first, uint64_t pages,
                       uint64_t* bitmap);

    /* ---- Events ---- */
    /* The topic with this id; its payload is plain data of exactly payload_size bytes. Declaring
     * twice gives the same. */
    backplane_topic (*topic)(void* context, const char* id, uint32_t payload_size, const char* doc);
    /* [any] Never blocks. */
    void (*publish)(void* context, backplane_topic topic, const void* payload);
    /* `receive` runs on the publisher's thread with its lock state, and must be quick. */
    backplane_subscription* (*subscribe)(void* context, const char* id, uint32_t payload_size,
                                         void (*receive)(void* user, const void* payload),
                                         void* user);
    /* A bounded queue of `capacity` payloads, filled by any thread and emptied with
     * `receive_queued` on one. */
    backplane_subscription* (*subscribe_queued)(void* context, const char* id,
                                                uint32_t payload_size, uint32_t capacity);
    /* [any one thread] 1 and the oldest payload, or 0. */
    int32_t (*receive_queued)(backplane_subscription* subscription, void* payload);
    /* [any] Payloads that found the queue full. */
    uint64_t (*lost)(backplane_subscription* subscription);
    void (*unsubscribe)(backplane_subscription* subscription);

    /* ---- Host input and output ---- */
    /* Calls `ready` from the I/O loop while fd is readable. Not in deterministic machines: NULL,
     * see fail. */
    backplane_watch* (*watch_readable)(void* context, int fd, void (*ready)(void* user),
                                       void* user);
    void (*watch_stop)(backplane_watch* watch);
    /* [any] Calls `run` soon, with the machine lock held, on the I/O loop. */
    void (*post)(void* context, void (*run)(void* user), void* user);

    /* ---- The date ---- */
    /* [any] When guest time 0 was, in seconds since 1970 (UTC): by the host's clock, but always the
       same instant in deterministic machines. What a battery-backed clock starts from. */
    int64_t (*date_at_start)(void* context);

    /* ---- Since ABI 1.1 ---- */
    /* [vcpu, inside run, not inside a device access] Between the two no other CPU executes
       anything and no device acts: the machine lock is held. For what cannot be made atomic
       otherwise, such as a locked access that crosses a page. May be nested. Time may pass in
       begin_exclusive while other CPUs are exclusive. */
    void (*begin_exclusive)(void* context);
    void (*end_exclusive)(void* context);

    /* ---- Since ABI 1.3 ---- */
    /* [any, once the machine runs] How many CPUs there are. One alone need not make its locked
       instructions atomic. */
    uint32_t (*cpu_count)(void* context);

    /* ---- Since ABI 1.4 ---- */
    /* [vcpu, inside run; or with no CPU inside run; in realtime machines any] Guest time for who
       only looks: asking for `now` is part of what a deterministic machine does, and asking for
       this is not. */
    uint64_t (*peek_now)(void* context);
} backplane_host;

#ifdef __cplusplus
}
#endif
#endif
