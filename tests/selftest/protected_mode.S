/* 386 protected mode: segments, limits, privileges and gates (SDM 3A chapters 3, 5 and 6). */
#include "post.inc"

        .set    SMALL, FREE             /* data, limit 0xfff */
        .set    DOWN, FREE + 8          /* expand-down data, limit 0xfff, 32-bit */
        .set    DOWN16, FREE + 16       /* the same with a 16-bit upper bound */
        .set    READ_ONLY, FREE + 24
        .set    EXECUTE_ONLY, FREE + 32
        .set    ABSENT, FREE + 40       /* data, not present */
        .set    CONFORMING, FREE + 48
        .set    CALL_GATE, FREE + 56    /* for privilege 3, to privilege 0, two parameters */
        .set    CALL_GATE0, FREE + 64   /* for privilege 0 only */
        .set    ABSENT_CODE, FREE + 72
        .set    LDT, FREE + 80
        .set    SHORT_CODE, FREE + 88   /* 32-bit code at short_code, eight bytes */
        .set    STACK16, FREE + 96      /* 16-bit stack, limit 0xffff */
        .set    ACCESSED, FREE + 104    /* data whose accessed bit is watched */
        .set    CALL_GATE16, FREE + 112 /* 16-bit gate to 16-bit code of privilege 0 */
        .set    BEYOND, 0x7f8

main16:
        STEP16  0x01
        ENTER_PROTECTED
        DESCRIPTOR gdt, SMALL, 0x00000fff, 0x00409200
        DESCRIPTOR gdt, DOWN, 0x00000fff, 0x00409600
        DESCRIPTOR gdt, DOWN16, 0x00000fff, 0x00009600
        DESCRIPTOR gdt, READ_ONLY, 0x0000ffff, 0x00cf9000
        DESCRIPTOR gdt, EXECUTE_ONLY, 0x0000ffff, 0x00cf9800
        DESCRIPTOR gdt, ABSENT, 0x0000ffff, 0x00cf1200
        DESCRIPTOR gdt, CONFORMING, 0x0000ffff, 0x00cf9e00
        DESCRIPTOR gdt, ABSENT_CODE, 0x0000ffff, 0x00cf1a00
        DESCRIPTOR gdt, STACK16, 0x0000ffff, 0x00009200
        DESCRIPTOR gdt, ACCESSED, 0x0000ffff, 0x00cf9200
        movl    $inner, %eax
        movw    %ax, gdt + CALL_GATE
        movw    %ax, gdt + CALL_GATE0
        movw    $CODE32, gdt + CALL_GATE + 2
        movw    $0xec02, gdt + CALL_GATE + 4
        movw    $CODE32, gdt + CALL_GATE0 + 2
        movw    $0x8c00, gdt + CALL_GATE0 + 4
        shrl    $16, %eax
        movw    %ax, gdt + CALL_GATE + 6
        movw    %ax, gdt + CALL_GATE0 + 6
        movw    $REAL(inner16), gdt + CALL_GATE16
        movw    $CODE16, gdt + CALL_GATE16 + 2
        movw    $0xe400, gdt + CALL_GATE16 + 4
        movl    $ldt, %eax
        movw    $15, gdt + LDT
        movw    %ax, gdt + LDT + 2
        shrl    $16, %eax
        movb    %al, gdt + LDT + 4
        movb    $0x82, gdt + LDT + 5
        movl    $short_code, %eax
        movw    $7, gdt + SHORT_CODE
        movw    %ax, gdt + SHORT_CODE + 2
        shrl    $16, %eax
        movb    %al, gdt + SHORT_CODE + 4
        movb    $0x9a, gdt + SHORT_CODE + 5
        movb    $0x40, gdt + SHORT_CODE + 6

        /* Limits: the last byte counts, and SS has its own exception. */
        STEP    0x02
        movl    $SMALL, %eax
        movl    %eax, %es
        movl    %es:0xffc, %ebx
        BEGIN_FAULT
        movl    %es:0xffd, %ebx
        END_FAULT 13, 0
        BEGIN_FAULT
        movb    %bl, %es:0x1000
        END_FAULT 13, 0
        BEGIN_FAULT
        movl    %eax, %ss
        movl    $0x800, %esp
        movl    %ss:0xffd, %ebx
        END_FAULT 12, 0
        STEP    0x03
        movl    $DOWN, %eax
        movl    %eax, %es
        movb    %es:0x1000, %bl
        movb    %es:0x100000, %bl
        BEGIN_FAULT
        movb    %es:0xfff, %bl
        END_FAULT 13, 0
        movl    $DOWN16, %eax
        movl    %eax, %es
        movb    %es:0xffff, %bl
        BEGIN_FAULT
        movw    %es:0xffff, %bx
        END_FAULT 13, 0
        BEGIN_FAULT
        movb    %es:0x10000, %bl
        END_FAULT 13, 0

        /* Types. */
        STEP    0x04
        movl    $READ_ONLY, %eax
        movl    %eax, %es
        BEGIN_FAULT
        movb    %bl, %es:0
        END_FAULT 13, 0
        BEGIN_FAULT
        movl    %eax, %ss
        END_FAULT 13, READ_ONLY
        movl    $EXECUTE_ONLY, %eax
        BEGIN_FAULT
        movl    %eax, %es
        END_FAULT 13, EXECUTE_ONLY
        BEGIN_FAULT
        movb    %bl, %cs:0x500
        END_FAULT 13, 0
        xorl    %eax, %eax
        movl    %eax, %es
        BEGIN_FAULT
        movb    %es:0, %bl
        END_FAULT 13, 0
        BEGIN_FAULT
        movl    %eax, %ss
        END_FAULT 13, 0
        movl    $ABSENT, %eax
        BEGIN_FAULT
        movl    %eax, %es
        END_FAULT 11, ABSENT
        BEGIN_FAULT
        movl    %eax, %ss
        END_FAULT 12, ABSENT
        movl    $BEYOND, %eax
        BEGIN_FAULT
        movl    %eax, %es
        END_FAULT 13, BEYOND
        STEP    0x05
        movl    $ACCESSED, %eax
        movl    %eax, %es
        testb   $1, gdt + ACCESSED + 5
        CHECK   jnz

        /* Where code may go. */
        STEP    0x06
        BEGIN_FAULT
        ljmp    $ABSENT_CODE, $0
        END_FAULT 11, ABSENT_CODE
        BEGIN_FAULT
        ljmp    $DATA32, $0
        END_FAULT 13, DATA32
        BEGIN_FAULT
        ljmp    $0, $0
        END_FAULT 13, 0
        BEGIN_FAULT
        ljmp    $SHORT_CODE, $8
        END_FAULT 13, 0
        STEP    0x07
        movl    $1, %ebx
        BEGIN_FAULT
        ljmp    $SHORT_CODE, $0         /* its second instruction reaches beyond the limit */
        END_FAULT 13, 0
        EXPECT  4, got_ip
        EXPECT  SHORT_CODE, got_cs
        cmpl    $2, %ebx
        CHECK   je
        BEGIN_FAULT
        ljmp    $SHORT_CODE, $1         /* skips an instruction, to end exactly at the limit */
        END_FAULT 13, 0
        EXPECT  4, got_ip

        /* LDT. */
        STEP    0x08
        movl    $LDT, %eax
        lldt    %ax
        movl    $0x04, %eax
        movl    %eax, %es
        movl    $0x14, %eax
        BEGIN_FAULT
        movl    %eax, %es
        END_FAULT 13, 0x14
        movl    $DATA32, %eax
        movl    %eax, %es
        BEGIN_FAULT
        lldt    %ax
        END_FAULT 13, DATA32
        BEGIN_FAULT
        movw    $TSS, %ax               /* busy */
        ltr     %ax
        END_FAULT 13, TSS

        /* LAR, LSL, VERR, VERW, ARPL. */
        STEP    0x09
        movl    $SMALL, %eax
        lsl     %eax, %ebx
        CHECK   jz
        cmpl    $0xfff, %ebx
        CHECK   je
        lar     %eax, %ebx
        CHECK   jz
        andl    $0xf0ff00, %ebx
        cmpl    $0x409300, %ebx
        CHECK   je
        movl    $CALL_GATE, %eax
        lsl     %eax, %ebx
        CHECK   jnz
        lar     %eax, %ebx
        CHECK   jz
        movl    $EXECUTE_ONLY, %eax
        verr    %ax
        CHECK   jnz
        movl    $READ_ONLY, %eax
        verr    %ax
        CHECK   jz
        verw    %ax
        CHECK   jnz
        movl    $0x10, %eax
        movl    $3, %ebx
        arpl    %bx, %ax
        CHECK   jz
        cmpw    $0x13, %ax
        CHECK   je

        /* Privilege 3 and back. */
        STEP    0x10
        BEGIN_FAULT
        USER    user_interrupt
        END_FAULT 0x30
        EXPECT  USER_CODE32, got_cs
        EXPECT  (STACK - 0x800 - 8), got_sp
        BEGIN_FAULT
        USER    user_kernel_interrupt
        END_FAULT 13, (0x31 * 8 + 2)
        BEGIN_FAULT
        USER    user_absent_interrupt
        END_FAULT 13, (0x50 * 8 + 2)
        STEP    0x11
        BEGIN_FAULT
        USER    user_cli
        END_FAULT 13, 0
        BEGIN_FAULT
        USER    user_hlt
        END_FAULT 13, 0
        BEGIN_FAULT
        USER    user_control
        END_FAULT 13, 0
        BEGIN_FAULT
        USER    user_kernel_data
        END_FAULT 13, DATA32
        BEGIN_FAULT
        USER    user_kernel_code
        END_FAULT 13, CODE32
        STEP    0x12
        BEGIN_FAULT
        USER    user_conforming
        END_FAULT 0x30
        EXPECT  (CONFORMING | 3), got_cs
        STEP    0x13
        movl    $0, %ebx
        BEGIN_FAULT
        USER    user_gate
        END_FAULT 0x30
        cmpl    $0x1234, %ebx
        CHECK   je
        cmpl    $STACK - 0x1000, %ecx   /* the outer stack after RET 8 */
        CHECK   je
        BEGIN_FAULT
        USER    user_closed_gate
        END_FAULT 13, CALL_GATE0
        STEP    0x14
        BEGIN_FAULT
        USER    user_gate16
        END_FAULT 0x30
        EXPECT  CODE16, got_cs
        EXPECT  (STACK - 0x800 - 8), got_sp     /* four words */
        cmpw    $0x1616, %bx
        CHECK   je
        PASS
user_interrupt:
        int     $0x30
user_kernel_interrupt:
        int     $0x31
user_absent_interrupt:
        int     $0x50
user_cli:
        cli
user_hlt:
        hlt
user_control:
        movl    %cr0, %eax
user_kernel_data:
        movl    $DATA32, %eax
        movl    %eax, %ds
user_kernel_code:
        ljmp    $CODE32, $0
user_conforming:
        ljmp    $CONFORMING, $user_interrupt
user_gate:
        pushl   $0x1000
        pushl   $0x234
        lcall   $CALL_GATE | 3, $0
        movl    %esp, %ecx
        int     $0x30
user_closed_gate:
        lcall   $CALL_GATE0 | 3, $0
user_gate16:
        lcall   $CALL_GATE16 | 3, $0
inner:
        movl    8(%esp), %ebx
        addl    12(%esp), %ebx
        lret    $8
        .code16
inner16:
        movw    $0x1616, %bx
        int     $0x30
        .code32
        .balign 4
ldt:
        .quad   0x00cf92000000ffff
        .quad   0x00cf92000000ffff
short_code:
        nop
        incl    %ebx
        nop
        nop
        .byte   0xb8, 0, 0, 0, 0        /* mov $0, %eax: one byte too long */

        END_OF_ROM
