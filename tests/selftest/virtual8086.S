/* Virtual-8086 mode with and without the extensions of CR4.VME, and the virtual interrupt flag of CR4.PVI (SDM 3A
   chapter 20). */
#include "post.inc"

        .set    V86_STACK, 0x5000
        .set    VIF, 0x80000
        .set    VIP, 0x100000
        .set    IF, 0x200
        .set    IOPL3, 0x3000
        .set    VM, 0x20000
        .set    RING0_FRAME, STACK - 0x800 - 9 * 4

/* To \label of segment f000 in virtual-8086 mode, with \flags. */
.macro V86 label, flags
        pushl   $0x4444                 /* GS, FS, DS, ES */
        pushl   $0x3333
        pushl   $0x2222
        pushl   $0x1111
        pushl   $0
        pushl   $V86_STACK
        pushl   $VM | 2 | (\flags)
        pushl   $0xf000
        pushl   $REAL(\label)
        iretl
.endm

/* \label at these flags ends with exception \vector and \error, at \ip if given. */
.macro V86_FAULT label, flags, vector, error=-1
        BEGIN_FAULT
        V86     \label, \flags
        END_FAULT \vector, \error
.endm

.macro FLAGS mask, value                /* of the frame that the last exception pushed */
        movl    got_flags, %eax
        andl    $\mask, %eax
        cmpl    $\value, %eax
        CHECK   je
.endm

.macro REDIRECT vector                  /* to the program: the bit is clear */
        andb    $~(1 << (\vector & 7)), tss + 104 + \vector / 8
.endm

main16:
        STEP16  0x01
        ENTER_PROTECTED
        movl    $0xffffffff, %eax
        movl    $tss + 104, %edi
        movl    $8, %ecx
        rep stosl

        /* What an exception pushes, and what it leaves. */
        STEP    0x02
        BEGIN_FAULT
        V86     v86_invalid, 0
        END_FAULT 6
        EXPECT  REAL(v86_invalid), got_ip
        EXPECT  0xf000, got_cs
        FLAGS   VM | 0x10000, VM | 0x10000
        EXPECT  (STACK - 0x800 - 24), got_sp
        EXPECT  V86_STACK, STACK - 0x800 - 24
        EXPECT  0, STACK - 0x800 - 20
        EXPECT  0x1111, STACK - 0x800 - 16
        EXPECT  0x2222, STACK - 0x800 - 12
        EXPECT  0x3333, STACK - 0x800 - 8
        EXPECT  0x4444, STACK - 0x800 - 4
        movw    %es, %ax
        testw   %ax, %ax                /* the data segments are null */
        CHECK   jz
        movw    %gs, %ax
        testw   %ax, %ax
        CHECK   jz

        /* Addresses, and what is not allowed. */
        STEP    0x03
        movl    $0x600d, 0x11110 + 0x10
        V86_FAULT v86_read, IOPL3, 0x30
        cmpw    $0x600d, %bx
        CHECK   je
        V86_FAULT v86_wrap, IOPL3, 13, 0
        V86_FAULT v86_lldt, IOPL3, 6
        V86_FAULT v86_hlt, IOPL3, 13, 0
        V86_FAULT v86_control, IOPL3, 13, 0

        /* IOPL below 3, without VME. */
        STEP    0x04
        V86_FAULT v86_cli, 0, 13, 0
        V86_FAULT v86_sti, 0, 13, 0
        V86_FAULT v86_pushf, 0, 13, 0
        V86_FAULT v86_popf, 0, 13, 0
        V86_FAULT v86_int, 0, 13, 0
        V86_FAULT v86_iret, 0, 13, 0
        V86_FAULT v86_int3, 0, 13, (3 * 8 + 2)  /* not sensitive to IOPL, but the gate's DPL counts */
        movb    $0xee, idt + 3 * 8 + 5
        V86_FAULT v86_int3, 0, 3
        movb    $0x8e, idt + 3 * 8 + 5

        /* IOPL 3, without VME. */
        STEP    0x05
        V86_FAULT v86_flags, IOPL3 | IF, 0x30
        FLAGS   IF | IOPL3, IF | IOPL3
        testl   $IF, %ebx               /* PUSHF behind CLI */
        CHECK   jz
        V86_FAULT v86_popf_iopl, IOPL3, 0x30
        FLAGS   IOPL3, IOPL3            /* POPF does not change IOPL */

        /* The I/O map is asked whatever IOPL is. */
        STEP    0x06
        V86_FAULT v86_port, IOPL3, 13, 0
        movb    $0xfe, io_map + 0x190 / 8
        V86_FAULT v86_port, 0, 13, 0    /* INT 30h: IOPL; but the port was let through */
        EXPECT  REAL(v86_port_end), got_ip
        V86_FAULT v86_port2, IOPL3, 13, 0
        EXPECT  REAL(v86_port2), got_ip
        movb    $0xff, io_map + 0x190 / 8

        /* VME: vectors the map keeps for the monitor. */
        STEP    0x10
        movl    %cr4, %eax
        orl     $1, %eax
        movl    %eax, %cr4
        V86_FAULT v86_int, 0, 13, 0
        V86_FAULT v86_int, IOPL3, 0x30

        /* Redirected, IOPL 3: IF itself. */
        STEP    0x11
        movw    $REAL(v86_handler), 0x21 * 4
        movw    $0xf000, 0x21 * 4 + 2
        REDIRECT 0x21
        V86_FAULT v86_redirected, IOPL3 | IF, 0x30
        FLAGS   IF | VIF, IF            /* after IRET */
        testl   $IF, %ebx               /* in the handler */
        CHECK   jz
        movzwl  V86_STACK - 2, %eax     /* the image it was left with */
        andl    $IF | IOPL3, %eax
        cmpl    $IF | IOPL3, %eax
        CHECK   je
        cmpw    $REAL(v86_behind_int), V86_STACK - 6
        CHECK   je

        /* Redirected, IOPL 0: VIF in the place of IF, and IOPL shown as 3. */
        STEP    0x12
        V86_FAULT v86_redirected, VIF, 13, 0    /* at the end INT 30h is not for it */
        EXPECT  REAL(v86_end), got_ip
        FLAGS   IF | VIF | IOPL3, VIF
        testl   $IF, %ebx
        CHECK   jz
        movzwl  V86_STACK - 2, %eax
        andl    $IF | IOPL3, %eax
        cmpl    $IF | IOPL3, %eax
        CHECK   je

        /* CLI, STI, PUSHF, POPF and IRET with VIF. */
        STEP    0x13
        V86_FAULT v86_flags, VIF, 13, 0
        EXPECT  REAL(v86_end), got_ip
        FLAGS   IF | VIF | IOPL3, VIF
        testl   $IF, %ebx
        CHECK   jz
        testl   $IOPL3, %ebx
        CHECK   jnz
        V86_FAULT v86_sti, VIP, 13, 0
        EXPECT  REAL(v86_sti), got_ip
        V86_FAULT v86_popf_if, VIP, 13, 0
        EXPECT  REAL(v86_popf_if_at), got_ip
        V86_FAULT v86_popf_if, 0, 13, 0
        EXPECT  REAL(v86_end), got_ip
        FLAGS   IF | VIF, VIF
        V86_FAULT v86_popf_tf, 0, 13, 0
        EXPECT  REAL(v86_popf_tf_at), got_ip
        V86_FAULT v86_pushf32, 0, 13, 0
        EXPECT  REAL(v86_pushf32), got_ip
        V86_FAULT v86_iret_if, VIP, 13, 0
        EXPECT  REAL(v86_iret_if_at), got_ip
        V86_FAULT v86_iret_if, 0, 13, 0
        EXPECT  REAL(v86_end), got_ip
        FLAGS   IF | VIF, VIF

        /* PVI. */
        STEP    0x20
        BEGIN_FAULT
        USER    user_sti
        END_FAULT 13, 0
        EXPECT  user_sti, got_ip
        movl    %cr4, %eax
        xorl    $3, %eax
        movl    %eax, %cr4
        BEGIN_FAULT
        USER    user_sti
        END_FAULT 0x30
        FLAGS   IF | VIF, VIF
        BEGIN_FAULT
        USER    user_cli, VIF | 2
        END_FAULT 0x30
        FLAGS   IF | VIF, 0
        BEGIN_FAULT
        USER    user_sti, VIP | 2
        END_FAULT 13, 0
        EXPECT  user_sti, got_ip

        /* Back to privilege 0 only. */
        STEP    0x30
        movb    $0xee, idt + 6 * 8 + 5
        DESCRIPTOR gdt, FREE, 0x0000ffff, 0x00cf9e00    /* conforming code */
        movw    $FREE, idt + 6 * 8 + 2
        V86_FAULT v86_invalid, IOPL3, 13, FREE + 1
        PASS

user_sti:
        sti
        int     $0x30
user_cli:
        cli
        int     $0x30

        .code16
v86_invalid:
        ud2
v86_read:
        movw    %es:0x10, %bx
        int     $0x30
v86_wrap:
        movw    %es:0xffff, %bx
v86_lldt:
        lldt    %ax
v86_hlt:
        hlt
v86_control:
        movl    %cr0, %eax
v86_cli:
        cli
        int     $0x30
v86_sti:
        sti
        int     $0x30
v86_pushf:
        pushfw
        int     $0x30
v86_popf:
        popfw
        int     $0x30
v86_int:
        int     $0x30
v86_iret:
        iretw
v86_int3:
        int3
v86_flags:
        cli
        pushfw
        popw    %bx
        sti
        jmp     v86_end
v86_popf_iopl:
        pushw   $2
        popfw
        int     $0x30
v86_port:
        movw    $0x190, %dx
        inb     %dx, %al
v86_port_end:
        int     $0x30
v86_port2:
        inw     $0x80, %ax
v86_redirected:
        int     $0x21
v86_behind_int:
        jmp     v86_end
v86_handler:
        pushfw
        popw    %bx
        iretw
v86_popf_if:
        pushw   $0x202
v86_popf_if_at:
        popfw
        jmp     v86_end
v86_popf_tf:
        pushw   $0x102
v86_popf_tf_at:
        popfw
        jmp     v86_end
v86_pushf32:
        pushfl
v86_iret_if:
        pushw   $0x202
        pushw   %cs
        pushw   $REAL(v86_end)
v86_iret_if_at:
        iretw
v86_end:
        int     $0x30
        END_OF_ROM
