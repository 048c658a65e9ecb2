/* The debug registers, TF, RF and what DR6 says of it all (SDM 3B chapter 17). */
#include "post.inc"

        .set    BS, 0x4000
        .set    BD, 0x2000
        .set    RF, 0x10000
        .set    TF, 0x100
        .set    SPARE, 0x8000           /* memory to watch */

/* What stands between BEGIN and END_TRAP raises #DB that leaves \dr6 and returns to \ip. */
.macro BEGIN
        xorl    %eax, %eax
        movl    %eax, %dr6
        BEGIN_FAULT
.endm

.macro END_TRAP dr6, ip
        END_FAULT 1
        EXPECT  \ip, got_ip
        movl    %dr6, %eax
        cmpl    $0xffff0ff0 | (\dr6), %eax
        CHECK   je
.endm

/* Breakpoint \number at \address; \kind is length (0, 4, 8, 12 for 1, 2, 8, 4 bytes) and type (0 code, 1 write, 2 I/O,
   3 access). */
.macro ARM number, address, kind
        movl    $\address, %eax
        movl    %eax, %dr\number
        movl    $(2 << (2 * \number)) | (\kind << (16 + 4 * \number)), %eax
        movl    %eax, %dr7
.endm

.macro DISARM
        xorl    %eax, %eax
        movl    %eax, %dr7
.endm

.macro STEP_FLAG                        /* TF, from behind the next instruction but one */
        pushfl
        orl     $TF, (%esp)
        popfl
.endm

main16:
        STEP16  0x01
        ENTER_PROTECTED
        movl    %cr4, %eax
        orl     $8, %eax                /* DE */
        movl    %eax, %cr4
        movl    $0x1234, %ebx

        /* Instructions: a fault, before it is executed. */
        STEP    0x02
        ARM     0, at_code, 0
        BEGIN
        incl    %ebx
at_code:
        incl    %ebx
        END_TRAP 1, at_code
        cmpl    $0x1235, %ebx
        CHECK   je
        testl   $RF, got_flags          /* the handler sets it, or it hits again */
        CHECK   jz
        /* with RF it does not */
        STEP    0x03
        BEGIN
        pushl   $RF | 2
        pushl   $CODE32
        pushl   $at_code2
        movl    $at_code2, %eax
        movl    %eax, %dr0
        iretl
at_code2:
        incl    %ebx
        jmp     at_code2                /* the second time round */
        END_TRAP 1, at_code2
        cmpl    $0x1236, %ebx
        CHECK   je
        /* nor behind MOV SS; RF lasts one instruction */
        STEP    0x04
        ARM     3, at_code3, 0
        BEGIN
        movw    %ss, %dx
        movw    %dx, %ss
at_code3:
        incl    %ebx
        END_FAULT -1
        cmpl    $0x1237, %ebx
        CHECK   je
        /* a fault of the instruction pushes RF, so that its breakpoint is not met twice */
        STEP    0x05
        ARM     1, at_code4, 0
        BEGIN
        pushl   $RF | 2
        pushl   $CODE32
        pushl   $at_code4
        iretl
at_code4:
        ud2
        END_FAULT 6
        testl   $RF, got_flags
        CHECK   jnz

        /* Data: a trap, behind the access. */
        STEP    0x10
        ARM     0, SPARE + 4, 13                /* four bytes, written */
        BEGIN
        movl    SPARE + 4, %ecx
        movb    %cl, SPARE + 3
        movb    %cl, SPARE + 8
        movb    %cl, SPARE + 7
after_write:
        incl    %ebx
        END_TRAP 1, after_write
        cmpl    $0x1237, %ebx
        CHECK   je
        STEP    0x11
        ARM     1, SPARE + 4, 15                /* read or written */
        BEGIN
        cmpl    %ecx, SPARE + 1                 /* with its last byte, and a branch behind */
        jmp     after_read
after_compare:
        nop
after_read:
        END_TRAP 2, (after_compare - 2)
        STEP    0x12
        ARM     2, SPARE + 0xfff, 1
        BEGIN
        movl    %ecx, SPARE + 0xffe             /* across two pages */
after_split:
        nop
        END_TRAP 4, after_split
        ARM     2, SPARE + 0x1000, 1
        BEGIN
        movl    %ecx, SPARE + 0xffe
after_split2:
        nop
        END_TRAP 4, after_split2
        STEP    0x13                            /* the stack, and what CALL pushes */
        ARM     3, STACK - 4, 13
        BEGIN
        call    called
called: nop
        END_TRAP 8, called
        STEP    0x14                            /* each of REP's iterations */
        ARM     0, SPARE + 2, 1
        movl    $SPARE, %edi
        movl    $8, %ecx
        BEGIN
repeated:
        rep stosb
        END_TRAP 1, repeated
        cmpl    $5, %ecx
        CHECK   je
        testl   $RF, got_flags
        CHECK   jnz
        movl    $SPARE, %edi
        movl    $3, %ecx
        BEGIN
        rep stosb
after_repeated:
        nop
        END_TRAP 1, after_repeated
        testl   $RF, got_flags
        CHECK   jz
        STEP    0x15                            /* MOV SS holds its own trap back */
        movl    $DATA32, SPARE + 0x20
        ARM     0, SPARE + 0x20, 3
        BEGIN
        movw    SPARE + 0x20, %ss
        incl    %ebx
after_shadow:
        incl    %ebx
        END_TRAP 1, after_shadow
        cmpl    $0x1238, %ebx
        CHECK   je
        STEP    0x16                            /* locked, read-modify-write */
        ARM     0, SPARE + 0x20, 1
        BEGIN
        lock incl SPARE + 0x1f
after_locked:
        nop
        END_TRAP 1, after_locked
        DISARM
        BEGIN
        incl    SPARE + 0x20
        END_FAULT -1

        /* I/O. */
        STEP    0x20
        ARM     1, 0x191, 2
        BEGIN
        outb    %al, $0x80
        movw    $0x190, %dx
        outb    %al, %dx
        outw    %ax, %dx
after_port:
        nop
        END_TRAP 2, after_port
        BEGIN
        movw    $0x18e, %dx
        inl     %dx, %eax
after_port2:
        nop
        END_TRAP 2, after_port2
        DISARM

        /* TF. */
        STEP    0x30
        BEGIN
        STEP_FLAG
        incl    %ebx
stepped:
        incl    %ebx
        END_TRAP BS, stepped
        testl   $TF, got_flags
        CHECK   jnz
        STEP    0x31                            /* behind STI too, but not behind MOV SS */
        BEGIN
        STEP_FLAG
        movw    %ss, %dx
stepped2:
        nop
        END_TRAP BS, stepped2
        BEGIN
        movw    %ss, %dx
        STEP_FLAG
        movw    %dx, %ss
        incl    %ebx
stepped3:
        nop
        END_TRAP BS, stepped3
        STEP    0x32                            /* LSS holds nothing */
        movl    $STACK, SPARE
        movw    $DATA32, SPARE + 4
        BEGIN
        STEP_FLAG
        lss     SPARE, %esp
stepped4:
        nop
        END_TRAP BS, stepped4
        STEP    0x33                            /* INT n does not trap in its handler */
        BEGIN
        STEP_FLAG
        int     $0x30
        END_FAULT 0x30
        testl   $TF, got_flags
        CHECK   jnz
        STEP    0x34                            /* POPF that clears TF still traps, IRET that sets it does not */
        BEGIN
        pushl   $2
        STEP_FLAG
        popfl
stepped5:
        nop
        END_TRAP BS, stepped5
        BEGIN
        pushl   $TF | 2
        pushl   $CODE32
        pushl   $stepped6
        iretl
stepped6:
        nop
stepped7:
        nop
        END_TRAP BS, stepped7
        STEP    0x35                            /* a data breakpoint as well: one exception says both */
        ARM     2, SPARE, 1
        BEGIN
        STEP_FLAG
        movb    %al, SPARE
stepped8:
        nop
        END_TRAP (BS | 4), stepped8
        DISARM
        STEP    0x36                            /* into privilege 3 and back */
        BEGIN
        USER    user_stepped, TF | 2
        END_TRAP BS, user_stepped_end

        /* ICEBP says nothing in DR6. */
        STEP    0x40
        BEGIN
        .byte   0xf1
after_icebp:
        nop
        END_TRAP 0, after_icebp

        /* General detection: a fault, and GD is gone in the handler. */
        STEP    0x50
        movl    $BD, %eax
        movl    %eax, %dr7
        BEGIN_FAULT
guarded:
        movl    %dr3, %ecx
        END_FAULT 1
        EXPECT  guarded, got_ip
        movl    %dr6, %eax
        testl   $BD, %eax
        CHECK   jnz
        movl    %dr7, %eax
        cmpl    $0x400, %eax
        CHECK   je
        testl   $RF, got_flags
        CHECK   jnz

        /* DR4 and DR5 are others' names without CR4.DE. */
        STEP    0x51
        BEGIN_FAULT
        .byte   0x0f, 0x21, 0xe1                /* mov %dr4, %ecx */
        END_FAULT 6
        movl    %cr4, %eax
        xorl    $8, %eax
        movl    %eax, %cr4
        BEGIN_FAULT
        .byte   0x0f, 0x21, 0xe9                /* mov %dr5, %ecx */
        END_FAULT -1
        cmpl    $0x400, %ecx
        CHECK   je
        BEGIN_FAULT
        USER    user_debug
        END_FAULT 13, 0
        PASS

user_stepped:
        nop
user_stepped_end:
        nop
user_debug:
        movl    %dr7, %eax
        END_OF_ROM
