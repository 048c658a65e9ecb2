// The device through which firmware learns what machine it runs on, and gets its tables: fw_cfg, as
// QEMU has it, with the DMA interface. (QEMU, docs/specs/fw_cfg.rst)
#pragma once

#include "fw_cfg_items.h"
#include "ram_layout.h"

#include <backplane/sdk.h>

#include <string>
#include <vector>

namespace backplane::firmware {

class FwCfg final : public Device {
public:
    static void declare(Declaration<FwCfg>& d);

    Outcome start();
    void reset(ResetKind kind);

private:
    Outcome make_items();
    void add_numbers(const RamLayout& ram);
    Outcome add_files(const RamLayout& ram);

    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    void select(std::uint16_t key);
    std::uint8_t next_byte();

    void run_dma();
    bool transfer(std::uint32_t control, std::uint64_t address, std::uint32_t length);
    void read_into_memory(std::uint64_t address, std::uint32_t length);
    bool write_from_memory(std::uint64_t address, std::uint32_t length);

    bool dma_ = true, nographic_ = false, boot_menu_ = false;
    std::uint32_t boot_menu_wait_ = 0;
    std::uint32_t boot_fail_wait_ = 0xffffffff;
    std::string boot_order_, geometry_, uuid_;
    AddressSpace memory_;
    std::vector<Connection<backplane_cpu>> cpus_;
    std::vector<Connection<backplane_firmware_files>> providers_;

    FwCfgItems items_;
    std::uint16_t key_ = 0;
    std::uint64_t offset_ = 0;  // of the next byte
    std::uint64_t dma_address_ = 0;
    std::uint64_t bytes_read_ = 0, transfers_ = 0;
};

}  // namespace backplane::firmware
