// A 16550A serial port with its FIFOs. (National Semiconductor PC16550D datasheet, June 1995)
//
// Unpaced, bytes leave at once and arrive as fast as the guest takes them; paced, both take their
// time on the wire. In neither case is a byte lost: what the far end does not take waits in the
// FIFO, what the guest does not take waits in the stream.
#pragma once

#include "uart16550_fifo.h"

#include <backplane/sdk.h>

namespace backplane::chipset {

class Uart16550 final : public Device {
public:
    static void declare(Declaration<Uart16550>& d);

    Outcome start();
    void reset(ResetKind);

    // The stream's side
    std::uint32_t room();
    void receive(const std::uint8_t* data, std::uint32_t length);
    void receive_break();
    void connection(std::int32_t connected);

private:
    enum class FlowControl : std::uint8_t { None, Rts };

    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint8_t read_rbr();
    std::uint8_t read_iir();
    std::uint8_t read_lsr();
    std::uint8_t read_msr();
    void write_thr(std::uint8_t value);
    void write_ier(std::uint8_t value);
    void write_fcr(std::uint8_t value);
    void write_lcr(std::uint8_t value);
    void write_mcr(std::uint8_t value);

    bool dlab() const;
    bool loopback() const;
    bool fifos_enabled() const;
    unsigned receive_trigger() const;
    Duration character_time() const;

    void transmit();
    void transmit_done();
    bool shift_out(std::uint8_t value);
    void accept(std::uint8_t value, std::uint8_t errors);
    void character_timed_out();
    void receive_paced();
    void ask_for_more();
    void update_modem_status();
    std::uint8_t interrupt_id() const;
    void update();

    Hertz clock_{1'843'200};
    bool paced_ = false;
    FlowControl flow_control_ = FlowControl::None;
    Connection<backplane_character> stream_;
    Line irq_;
    Timer transmit_timer_, receive_timer_, timeout_timer_;

    std::uint16_t divisor_ = 12;
    std::uint8_t ier_ = 0, fcr_ = 0, lcr_ = 0, mcr_ = 0, msr_ = 0, scr_ = 0;
    std::uint8_t lsr_errors_ = 0;   // OE, and in 16450 mode PE, FE, BI
    bool thre_pending_ = false;     // the transmitter interrupt, until IIR is read or THR written
    bool timeout_pending_ = false;  // the character timeout interrupt
    Uart16550Fifo receive_fifo_, transmit_fifo_;
    std::uint8_t shift_register_ = 0;
    bool shifting_ = false;   // TSR is not empty
    bool was_reset_ = false;  // bytes that came before the first reset would be lost in it
    bool connected_ = false;  // somebody is at the far end of the stream
    bool starved_ = false;    // the stream was told there is no room for all it may have
    std::uint64_t sent_ = 0, received_ = 0, interrupts_ = 0;
};

}  // namespace backplane::chipset
