/* A device type: its declaration in data, and the functions that bring an instance to life. */
#ifndef BACKPLANE_ABI_DEVICE_H
#define BACKPLANE_ABI_DEVICE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct backplane_host;

/* 0 is success; on failure the callee has said why with backplane_host::fail. */
typedef int32_t backplane_status;
#define BACKPLANE_OK 0
#define BACKPLANE_FAILED 1

/* ---- Properties: settings from the machine file ---- */

typedef enum backplane_property_kind {
    BACKPLANE_BOOLEAN = 1, /* true, false */
    BACKPLANE_INTEGER,     /* signed 64 bit; decimal, 0x, 0b */
    BACKPLANE_UNSIGNED,    /* unsigned 64 bit */
    BACKPLANE_TEXT,
    BACKPLANE_CHOICE,   /* one of `choices` */
    BACKPLANE_BYTES,    /* unsigned, written with B, KiB, MiB, GiB, TiB */
    BACKPLANE_HERTZ,    /* unsigned, written with Hz, kHz, MHz, GHz */
    BACKPLANE_DURATION, /* unsigned nanoseconds, written with ns, us, ms, s */
    BACKPLANE_PATH      /* a host file; relative ones are relative to the file that says so; given
                           absolute */
} backplane_property_kind;

typedef union backplane_value {
    uint64_t u; /* BOOLEAN (0, 1), UNSIGNED, BYTES, HERTZ, DURATION, CHOICE (index into choices) */
    int64_t i;  /* INTEGER */
    const char* text; /* TEXT, PATH; never NULL, "" when unset */
} backplane_value;

#define BACKPLANE_REQUIRED 1u /* the machine file must give it */

typedef struct backplane_property {
    uint32_t struct_size;
    uint32_t kind; /* backplane_property_kind */
    uint32_t flags;
    uint32_t choice_count;
    const char* name; /* kebab-case */
    const char* doc;  /* one sentence, no full stop */
    backplane_value initial;
    backplane_value minimum, maximum; /* of the numeric kinds; both 0 = no limit */
    const char* const* choices;
} backplane_property;

/* ---- Ports: typed connections to other components ---- */

typedef enum backplane_port_role {
    BACKPLANE_PROVIDES = 1, /* others connect to it; a window is mapped into an address space */
    BACKPLANE_REQUIRES      /* the machine file names who provides it */
} backplane_port_role;

#define BACKPLANE_OPTIONAL 1u /* a required port that may stay unconnected */
#define BACKPLANE_MULTIPLE 2u /* a required port that accepts a list of providers */
/* Since ABI 1.2: */
#define BACKPLANE_PLACED 4u    /* a window that the device places itself; not in the machine file */
#define BACKPLANE_EXCLUSIVE 8u /* a provided port each of whose elements takes one user at most */

typedef struct backplane_port {
    uint32_t struct_size;
    uint32_t role; /* backplane_port_role */
    uint32_t flags;
    uint32_t
        count; /* elements, 1 for most; an interrupt controller's inputs are one port of many */
    const char* name; /* kebab-case; element i of several is `name.i` or, for the only such port,
                         just `i` */
    const char* interface_id; /* the connection kind: "backplane.line/1" */
    const char* doc;
    const char* connect_to; /* REQUIRES: provider used when the machine file is silent, or NULL */
    uint64_t size;          /* windows: bytes; 0 = the device tells, by window_size */
} backplane_port;

/* A resolved connection: functions and the object they work on. The host may stand in between: only
 * of a component that is connected to itself is it certain that the object is what it provided. */
typedef struct backplane_link {
    const void* functions; /* struct of the port's interface_id; NULL when unconnected */
    void* object;
} backplane_link;

/* ---- Registers, for people, traces and tools ---- */

typedef struct backplane_register_field {
    uint32_t struct_size;
    uint8_t first_bit, bits;
    uint8_t access; /* backplane_access */
    uint8_t reserved;
    const char* name;
    const char* doc; /* may be NULL */
} backplane_register_field;

typedef enum backplane_access {
    BACKPLANE_READ_WRITE = 0,
    BACKPLANE_READ_ONLY,
    BACKPLANE_WRITE_ONLY,
    BACKPLANE_WRITE_ONE_TO_CLEAR,
    BACKPLANE_READ_TO_CLEAR,
    BACKPLANE_WRITE_ONE_TO_SET
} backplane_access;

typedef struct backplane_register {
    uint32_t struct_size;
    uint32_t port; /* index of the window it is in */
    uint64_t offset;
    uint32_t width; /* bytes */
    uint32_t field_count;
    const char* name; /* the datasheet's */
    const char* doc;  /* may be NULL */
    const backplane_register_field* fields;
} backplane_register;

/* ---- Statistics ---- */

typedef enum backplane_statistic_kind {
    BACKPLANE_COUNTER = 1,   /* only grows */
    BACKPLANE_GAUGE,         /* the value now */
    BACKPLANE_DURATION_TOTAL /* nanoseconds, only grows */
} backplane_statistic_kind;

typedef struct backplane_statistic {
    uint32_t struct_size;
    uint32_t kind;    /* backplane_statistic_kind */
    const char* name; /* "instructions", "jit.cache.used_bytes" */
    const char* unit; /* "instructions", "bytes" */
    const char* doc;
} backplane_statistic;

/* ---- Saved state ---- */

typedef enum backplane_state_kind {
    BACKPLANE_STATE_UNSIGNED = 1, /* element_size 1, 2, 4 or 8 */
    BACKPLANE_STATE_SIGNED,
    BACKPLANE_STATE_BOOLEAN, /* element_size 1 */
    BACKPLANE_STATE_BYTES    /* opaque, element_size bytes each */
} backplane_state_kind;

typedef struct backplane_state_field {
    uint32_t struct_size;
    uint32_t kind; /* backplane_state_kind */
    uint32_t element_size;
    uint32_t count; /* elements */
    const char* name;
} backplane_state_field;

/* ---- The type ---- */

typedef enum backplane_reset_kind {
    BACKPLANE_RESET_POWER_ON = 1, /* everything to its power-on value */
    BACKPLANE_RESET_MACHINE       /* the reset line: what the datasheet says survives, survives */
} backplane_reset_kind;

typedef struct backplane_device_type {
    uint32_t struct_size;
    uint32_t property_count, port_count, register_count, statistic_count, state_count;
    const char* name;    /* "family.chip", kebab-case: "chipset.pit8254" */
    const char* summary; /* one sentence, no full stop */
    const backplane_property* properties;
    const backplane_port* ports;
    const backplane_register* registers;
    const backplane_statistic* statistics;
    const backplane_state_field* state;

    /* Makes an instance in *device from property values in declared order. Nothing is connected
     * yet. */
    backplane_status (*create)(const struct backplane_host* host, const backplane_value* values,
                               void** device);
    void (*destroy)(void* device);

    /* Bytes of a window whose declared size is 0. May be NULL if there is none. */
    uint64_t (*window_size)(void* device, uint32_t port);

    /* PROVIDES ports: the functions and object behind element `element`. Asked before connect. */
    backplane_link (*provide)(void* device, uint32_t port, uint32_t element);
    /* REQUIRES ports: called once for each connected provider of each element. */
    backplane_status (*connect)(void* device, uint32_t port, uint32_t element, backplane_link link);

    /* All connections are made; called once before the first reset. May be NULL. */
    backplane_status (*start)(void* device);
    /* Providers are reset before those that require them. */
    void (*reset)(void* device, uint32_t kind);
    /* The machine is about to be torn down: stop threads and give the host's terminal back. May be
     * NULL. */
    void (*stop)(void* device);

    /* [any] Writes statistic_count values. */
    void (*read_statistics)(void* device, uint64_t* values);
    /* Where field `field`'s value lies; the host copies from it and, to restore, into it. */
    void* (*state_address)(void* device, uint32_t field);
    /* After every field was restored: rebuild what is derived. May be NULL. */
    void (*restored)(void* device);
} backplane_device_type;

#ifdef __cplusplus
}
#endif
#endif
