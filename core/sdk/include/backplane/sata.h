// Places for drives at SATA ports (abi/sata.h) in C++.
#pragma once

#include <backplane/abi/sata.h>
#include <backplane/connection.h>

namespace backplane {

template <> inline constexpr const char* interface_id<backplane_sata_drive> = BACKPLANE_SATA;

}  // namespace backplane
