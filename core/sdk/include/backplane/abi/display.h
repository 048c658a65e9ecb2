/* A screen of the guest, for whoever shows it: windows, screenshots, tests. The graphics device
 * provides. Looking changes nothing that the guest could notice, and any number may look. */
#ifndef BACKPLANE_ABI_DISPLAY_H
#define BACKPLANE_ABI_DISPLAY_H

#include <stdint.h>

#define BACKPLANE_DISPLAY "backplane.display/1"

/* No frame is wider or higher. */
#define BACKPLANE_DISPLAY_LARGEST_SIDE 16384u

typedef enum backplane_display_kind {
    BACKPLANE_DISPLAY_BLANK = 0, /* the guest has switched the picture off: black */
    BACKPLANE_DISPLAY_TEXT,      /* character cells, which have pixels too */
    BACKPLANE_DISPLAY_GRAPHICS
} backplane_display_kind;

typedef struct backplane_display_mode {
    uint32_t struct_size; /* set by the caller; nothing beyond is written */
    uint32_t kind;        /* backplane_display_kind */
    /* Of the frame in pixels, 1 to LARGEST_SIDE; a blank one has a size too. One pixel is one dot
     * of one scan line: where the hardware repeats them, the frame does. */
    uint32_t width, height;
    /* TEXT, otherwise 0. The grid begins at the frame's upper left corner; a last row of cells may
     * be cut off by the lower edge. */
    uint32_t columns, rows;
    uint32_t cell_width, cell_height;
    uint32_t bits_per_pixel; /* GRAPHICS: of the guest's pixels, for people; otherwise 0 */
    uint32_t refresh_mhz;    /* frames in 1000 s of guest time; 0 = not known */
} backplane_display_mode;

typedef struct backplane_display_cell {
    uint16_t character; /* the glyph's number; code page 437 unless the guest loaded another font,
                           256 to 511 in its second font */
    uint8_t foreground; /* indices into the palette */
    uint8_t background;
    uint32_t flags;
} backplane_display_cell;

#define BACKPLANE_DISPLAY_CELL_BLINKS 1u
#define BACKPLANE_DISPLAY_CELL_UNDERLINED 2u

typedef struct backplane_display_text {
    uint32_t struct_size; /* set by the caller; nothing beyond is written */
    uint32_t columns, rows;
    /* The cell of the cursor; it may lie outside the grid. */
    int32_t cursor_column, cursor_row;
    uint32_t cursor_visible; /* 1 or 0; a blinking cursor stays visible */
    /* Lines of the cell that the cursor covers, from 0 at its top; last is included. */
    uint32_t cursor_first_line, cursor_last_line;
    uint32_t palette[16]; /* 0x00RRGGBB */
} backplane_display_text;

/* All with the machine lock held, as calls into a device are. */
typedef struct backplane_display {
    uint32_t struct_size;
    uint32_t reserved;
    void (*mode)(void* object, backplane_display_mode* mode);
    /* Bit i of `rows` becomes 1 when pixel row i may show something else than when `since` was
     * returned, and 0 when it does not; `count` rows are told, those below the frame as 0. All of
     * the frame's rows are 1 after a change of mode, and when `since` is 0. Gives what to say as
     * `since` next time. Takes time in proportion to the rows and to what the guest has written,
     * not to the pixels. */
    uint64_t (*changes)(void* object, uint64_t since, uint64_t* rows, uint32_t count);
    /* The pixels of a rectangle as they are now, 0x00RRGGBB in the host's byte order, each row
     * `stride` pixels after the one above. What lies outside the frame reads 0. */
    void (*read_pixels)(void* object, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                        uint32_t* pixels, uint64_t stride);
    /* The first `capacity` cells, row by row without gaps, and all of `text`. 0 and nothing written
     * unless the mode is TEXT. `cells` may be NULL when capacity is 0. */
    int32_t (*read_text)(void* object, backplane_display_text* text, backplane_display_cell* cells,
                         uint32_t capacity);
    /* Input to the guest: the size of frame that would be shown best from now on. A device that can
     * tells its guest, which may choose it or not. May be NULL. */
    void (*prefer_size)(void* object, uint32_t width, uint32_t height);
} backplane_display;

#endif
