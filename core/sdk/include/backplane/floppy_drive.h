// Places for floppy disk drives (abi/floppy_drive.h) in C++.
#pragma once

#include <backplane/abi/floppy_drive.h>
#include <backplane/connection.h>

namespace backplane {

template <> inline constexpr const char* interface_id<backplane_floppy_drive> =
    BACKPLANE_FLOPPY_DRIVE;

}  // namespace backplane
