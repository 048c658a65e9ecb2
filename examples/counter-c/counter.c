/* A counter in plain C: counts intervals of guest time and raises a line when it reaches its limit.
 *
 * Offset  Register  Bits
 * 0x0     CONTROL   0 ENABLE
 * 0x4     VALUE     31-0, counts up once per interval while enabled
 * 0x8     LIMIT     31-0, STATUS.REACHED is set when VALUE comes to it
 * 0xc     STATUS    0 REACHED, write 1 to clear; drives the line `reached`
 */
#include <backplane/abi.h>

#include <stdlib.h>
#include <string.h>

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof *(array)))

typedef struct counter {
    const backplane_host* host;
    backplane_timer* timer;
    backplane_link reached_line; /* functions are NULL when the machine file connects nothing */
    uint64_t interval;           /* nanoseconds */

    /* Saved state, see counter_state. */
    uint32_t value, limit;
    uint8_t enabled, reached;
    uint64_t deadline;
} counter;

/* ---- Declaration ---- */

static const backplane_property counter_properties[] = {
    {.struct_size = sizeof(backplane_property),
     .kind = BACKPLANE_DURATION,
     .name = "interval",
     .doc = "Guest time from one count to the next",
     .initial.u = 1000000,
     .minimum.u = 1000,
     .maximum.u = 1000000000},
};

enum { PORT_REGISTERS, PORT_REACHED };

static const backplane_port counter_ports[] = {
    [PORT_REGISTERS] = {.struct_size = sizeof(backplane_port),
                        .role = BACKPLANE_PROVIDES,
                        .count = 1,
                        .name = "registers",
                        .interface_id = BACKPLANE_PORT_WINDOW,
                        .doc = "Control, value, limit, status",
                        .size = 16},
    [PORT_REACHED] = {.struct_size = sizeof(backplane_port),
                      .role = BACKPLANE_REQUIRES,
                      .flags = BACKPLANE_OPTIONAL,
                      .count = 1,
                      .name = "reached",
                      .interface_id = BACKPLANE_LINE,
                      .doc = "High while STATUS.REACHED is set"},
};

#define FIELD(bit, width, mode, text)                                                              \
    {.struct_size = sizeof(backplane_register_field),                                              \
     .first_bit = (bit),                                                                           \
     .bits = (width),                                                                              \
     .access = (mode),                                                                             \
     .name = (text)}

static const backplane_register_field control_fields[] = {
    FIELD(0, 1, BACKPLANE_READ_WRITE, "ENABLE")};
static const backplane_register_field value_fields[] = {
    FIELD(0, 32, BACKPLANE_READ_WRITE, "VALUE")};
static const backplane_register_field limit_fields[] = {
    FIELD(0, 32, BACKPLANE_READ_WRITE, "LIMIT")};
static const backplane_register_field status_fields[] = {
    FIELD(0, 1, BACKPLANE_WRITE_ONE_TO_CLEAR, "REACHED")};

#define REGISTER(at, text, list)                                                                   \
    {.struct_size = sizeof(backplane_register),                                                    \
     .port = PORT_REGISTERS,                                                                       \
     .offset = (at),                                                                               \
     .width = 4,                                                                                   \
     .field_count = COUNT(list),                                                                   \
     .name = (text),                                                                               \
     .fields = (list)}

static const backplane_register counter_registers[] = {
    REGISTER(0x0, "CONTROL", control_fields),
    REGISTER(0x4, "VALUE", value_fields),
    REGISTER(0x8, "LIMIT", limit_fields),
    REGISTER(0xc, "STATUS", status_fields),
};

#define STATE(type, bytes, text)                                                                   \
    {.struct_size = sizeof(backplane_state_field),                                                 \
     .kind = (type),                                                                               \
     .element_size = (bytes),                                                                      \
     .count = 1,                                                                                   \
     .name = (text)}

enum { STATE_VALUE, STATE_LIMIT, STATE_ENABLED, STATE_REACHED, STATE_DEADLINE };

static const backplane_state_field counter_state[] = {
    [STATE_VALUE] = STATE(BACKPLANE_STATE_UNSIGNED, 4, "value"),
    [STATE_LIMIT] = STATE(BACKPLANE_STATE_UNSIGNED, 4, "limit"),
    [STATE_ENABLED] = STATE(BACKPLANE_STATE_BOOLEAN, 1, "enabled"),
    [STATE_REACHED] = STATE(BACKPLANE_STATE_BOOLEAN, 1, "reached"),
    [STATE_DEADLINE] = STATE(BACKPLANE_STATE_UNSIGNED, 8, "deadline"),
};

/* ---- Behaviour ---- */

static void drive_line(counter* self) {
    const backplane_line* line = self->reached_line.functions;
    if (line) line->set(self->reached_line.object, self->reached);
}

static void rearm(counter* self) {
    if (self->enabled)
        self->host->timer_start(self->timer, self->deadline);
    else
        self->host->timer_stop(self->timer);
}

static void expire(void* user) {
    counter* self = user;
    self->deadline += self->interval; /* from the last deadline, so that nothing drifts */
    rearm(self);
    if (++self->value != self->limit) return;
    self->reached = 1;
    drive_line(self);
}

/* The host never lets an access cross a register: see access_sizes. */
static uint64_t read_registers(void* object, uint64_t offset, uint32_t size) {
    const counter* self = object;
    const uint32_t registers[] = {self->enabled, self->value, self->limit, self->reached};
    const uint32_t value = registers[offset / 4] >> (offset % 4 * 8);
    return size == 4 ? value : value & ((1u << (size * 8)) - 1);
}

static void write_registers(void* object, uint64_t offset, uint32_t size, uint64_t value) {
    counter* self = object;
    const uint32_t shift = (uint32_t)(offset % 4 * 8);
    const uint32_t mask = (size == 4 ? UINT32_MAX : (1u << (size * 8)) - 1) << shift;
    const uint32_t written = (uint32_t)value << shift & mask;
    switch (offset / 4) {
    case 0:
        if (!(mask & 1)) break;
        self->enabled = written & 1;
        self->deadline = self->host->now(self->host->context) + self->interval;
        rearm(self);
        break;
    case 1: self->value = (self->value & ~mask) | written; break;
    case 2: self->limit = (self->limit & ~mask) | written; break;
    case 3:
        if (written & 1) self->reached = 0;
        drive_line(self);
        break;
    }
}

static const backplane_window registers_window = {.struct_size = sizeof(backplane_window),
                                                  .read = read_registers,
                                                  .write = write_registers,
                                                  .access_sizes = 1 | 2 | 4};

/* ---- Life ---- */

static backplane_status create(const backplane_host* host, const backplane_value* values,
                               void** device) {
    counter* self = calloc(1, sizeof *self);
    if (!self) {
        host->fail(host->context, "out of memory");
        return BACKPLANE_FAILED;
    }
    self->host = host;
    self->interval = values[0].u;
    self->timer = host->timer_create(host->context, "interval", expire, self);
    *device = self;
    return BACKPLANE_OK;
}

static backplane_link provide(void* device, uint32_t port, uint32_t element) {
    (void)port, (void)element; /* one port, one element */
    return (backplane_link){&registers_window, device};
}

static backplane_status connect(void* device, uint32_t port, uint32_t element,
                                backplane_link link) {
    (void)port, (void)element;
    ((counter*)device)->reached_line = link;
    return BACKPLANE_OK;
}

static void reset(void* device, uint32_t kind) {
    (void)kind; /* nothing here survives a reset */
    counter* self = device;
    self->value = self->limit = 0;
    self->enabled = self->reached = 0;
    self->deadline = 0;
    rearm(self);
    drive_line(self);
}

static void* state_address(void* device, uint32_t field) {
    counter* self = device;
    switch (field) {
    case STATE_VALUE: return &self->value;
    case STATE_LIMIT: return &self->limit;
    case STATE_ENABLED: return &self->enabled;
    case STATE_REACHED: return &self->reached;
    case STATE_DEADLINE: return &self->deadline;
    }
    return NULL;
}

static void restored(void* device) { rearm(device); }

/* ---- What the plugin offers ---- */

static const backplane_device_type counter_type = {
    .struct_size = sizeof(backplane_device_type),
    .name = "example.counter",
    .summary = "Counts intervals of guest time up to a limit",
    .property_count = COUNT(counter_properties),
    .properties = counter_properties,
    .port_count = COUNT(counter_ports),
    .ports = counter_ports,
    .register_count = COUNT(counter_registers),
    .registers = counter_registers,
    .state_count = COUNT(counter_state),
    .state = counter_state,
    .create = create,
    .destroy = free,
    .provide = provide,
    .connect = connect,
    .reset = reset,
    .state_address = state_address,
    .restored = restored,
};

static const backplane_device_type* const types[] = {&counter_type};
static const backplane_device_factory factory = {.struct_size = sizeof(backplane_device_factory),
                                                 .device_count = COUNT(types),
                                                 .devices = types};

static const void* get_factory(const char* id) {
    return strcmp(id, BACKPLANE_DEVICE_FACTORY) == 0 ? &factory : NULL;
}

BACKPLANE_EXPORT const backplane_plugin_descriptor backplane_plugin = {
    .magic = BACKPLANE_MAGIC,
    .abi_major = BACKPLANE_ABI_MAJOR,
    .abi_minor = BACKPLANE_ABI_MINOR,
    .struct_size = sizeof(backplane_plugin_descriptor),
    .id = "com.example.counter",
    .name = "Example counter in C",
    .version = "1.0.0",
    .vendor = "Example",
    .license = "Apache-2.0",
    .get_factory = get_factory,
};
