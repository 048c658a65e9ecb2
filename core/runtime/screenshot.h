// What a display shows, taken at one moment: its pixels, or the text on it.
#pragma once

#include "runtime/png_image.h"

#include <backplane/connection.h>

#include <string>
#include <vector>

namespace backplane::runtime {

using DisplayConnection = Connection<backplane_display>;

// With the machine lock held, in time proportional to the pixels. Making a PNG of the picture needs
// no lock.
[[nodiscard]] Picture screenshot(const DisplayConnection& display);

// The rows of a text screen in UTF-8, without the blanks at their ends; nothing when the display is
// not in text mode. With the machine lock held.
[[nodiscard]] std::vector<std::string> screen_text(const DisplayConnection& display);

}  // namespace backplane::runtime
