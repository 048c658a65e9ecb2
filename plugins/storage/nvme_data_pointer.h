// Where a command's data is in the guest's memory: what its PRP entries or its SGL say becomes a
// GuestBuffer.
#pragma once

#include "nvme_command.h"
#include "nvme_guest_buffer.h"

#include <backplane/address_space.h>

#include <cstdint>

namespace backplane::storage::nvme {

// Physical region pages: the first page is in `prp1`, the second, or a list of the others, in
// `prp2`. (NVM Express 1.4, 4.3)
Status add_prps(const AddressSpace& memory, std::uint64_t prp1, std::uint64_t prp2,
                std::uint64_t length, unsigned page_shift, GuestBuffer& buffer);

// A scatter gather list: its first descriptor is in the command. Its data may be longer than
// `length`, but not shorter. (NVM Express 1.4, 4.4)
Status add_sgl(const AddressSpace& memory, const Command& command, std::uint64_t length,
               Direction direction, GuestBuffer& buffer);

}  // namespace backplane::storage::nvme
