/* IA-32e mode: 4-level paging with its large pages and process contexts, canonical addresses, gates and the interrupt
   stack table, compatibility mode and SYSCALL (SDM 3A chapters 4 to 6, SDM 2). */
#include "post.inc"

        .set    TEST, 0x800000          /* the page under test, at FRAME */
        .set    FRAME, 0x20000
        .set    PML4, 0x10000
        .set    POINTERS, 0x11000
        .set    DIRECTORY, 0x12000
        .set    TABLE, 0x13000
        .set    OTHER_PML4, 0x14000     /* with the test page at OTHER_FRAME */
        .set    OTHER_POINTERS, 0x15000
        .set    OTHER_DIRECTORY, 0x16000
        .set    OTHER_TABLE, 0x17000
        .set    OTHER_FRAME, 0x21000
        .set    IDT64, 0x18000
        .set    LAST_POINTERS, 0x19000  /* the pages around the end of the lower half */
        .set    LAST_DIRECTORY, 0x1a000
        .set    LAST_TABLE, 0x1b000
        .set    LAST_FRAME, 0x22000
        .set    IST_STACK, 0x6000
        .set    USER_STACK, 0x5000

        .set    USER64, FREE            /* SYSRET's order: data behind, code 16 behind STAR's */
        .set    USER_DATA, FREE + 8
        .set    USER_CODE64, FREE + 16
        .set    TSS64, FREE + 24
        .set    TSS32, FREE + 40
        .set    CALL_GATE64, FREE + 56

.macro MSR index, value
        movl    $\index, %ecx
        movl    $\value, %eax
        xorl    %edx, %edx
        wrmsr
.endm

.macro BEGIN64
        movl    $-1, got_vector
        movl    $-1, got_error
        movl    %esp, saved_sp
        movl    $8805f, resume
.endm

.macro END64 vector, error=-1
8805:
        EXPECT  \vector, got_vector
        EXPECT  \error, got_error
.endm

.macro USER64_AT label, flags=2
        pushq   $USER_DATA | 3
        pushq   $USER_STACK
        pushq   $\flags
        pushq   $USER_CODE64 | 3
        pushq   $\label
        iretq
.endm

.macro CR2 value
        movq    %cr2, %rax
        movabsq $\value, %rbx
        cmpq    %rbx, %rax
        CHECK   je
.endm

main16:
        STEP16  0x01
        ENTER_PROTECTED
        movl    $PML4, %edi
        xorl    %eax, %eax
        movl    $0x4000, %ecx
        rep stosl
        movl    $POINTERS | 7, PML4
        movl    $DIRECTORY | 7, POINTERS
        movl    $0x87, DIRECTORY                /* 2 MiB at 0 */
        movl    $TABLE | 7, DIRECTORY + 32
        movl    $FRAME | 7, TABLE
        movl    $0x83, POINTERS + 8             /* 1 GiB at 1 GiB, which is 0 */
        movl    $OTHER_POINTERS | 7, OTHER_PML4
        movl    $OTHER_DIRECTORY | 7, OTHER_POINTERS
        movl    $0x87, OTHER_DIRECTORY
        movl    $OTHER_TABLE | 7, OTHER_DIRECTORY + 32
        movl    $OTHER_FRAME | 7, OTHER_TABLE
        movl    $LAST_POINTERS | 7, PML4 + 255 * 8
        movl    $LAST_DIRECTORY | 7, LAST_POINTERS + 511 * 8
        movl    $LAST_TABLE | 7, LAST_DIRECTORY + 511 * 8
        movl    $LAST_FRAME | 7, LAST_TABLE + 511 * 8
        movl    $0x1111, FRAME
        movl    $0x2222, OTHER_FRAME
        movl    $0x30cd, FRAME + 16

        /* Handlers: the stubs are of 16 bytes. */
        movl    $stubs64, %eax
        movl    $IDT64, %edi
        movl    $64, %ecx
1:      movw    %ax, (%edi)
        movw    $CODE64, 2(%edi)
        movw    $0x8e00, 4(%edi)
        movl    %eax, %edx
        shrl    $16, %edx
        movw    %dx, 6(%edi)
        addl    $16, %eax
        addl    $16, %edi
        loop    1b
        movb    $0xee, IDT64 + 0x30 * 16 + 5
        movb    $1, IDT64 + 0x31 * 16 + 4       /* on the first of the interrupt stack table */

        DESCRIPTOR gdt, USER64, 0x0000ffff, 0x00cffa00
        DESCRIPTOR gdt, USER_DATA, 0x0000ffff, 0x00cff200
        DESCRIPTOR gdt, USER_CODE64, 0x0000ffff, 0x00affa00
        movl    $tss64, %eax
        movw    $tss64_end - tss64 - 1, gdt + TSS64
        movw    %ax, gdt + TSS64 + 2
        shrl    $16, %eax
        movb    %al, gdt + TSS64 + 4
        movb    $0x89, gdt + TSS64 + 5
        movl    $gate_target, %eax
        movw    %ax, gdt + CALL_GATE64
        movw    $CODE64, gdt + CALL_GATE64 + 2
        movw    $0xec00, gdt + CALL_GATE64 + 4
        shrl    $16, %eax
        movw    %ax, gdt + CALL_GATE64 + 6

        /* The order that the manual gives, and what it forbids. */
        STEP    0x02
        MSR     0xc0000080, 0x901               /* SCE, LME, NXE */
        movl    $PML4, %eax
        movl    %eax, %cr3
        BEGIN_FAULT
        movl    %cr0, %eax
        orl     $0x80000000, %eax
        movl    %eax, %cr0                      /* without PAE */
        END_FAULT 13, 0
        movl    %cr4, %eax
        orl     $0x220, %eax                    /* PAE, OSFXSR */
        movl    %eax, %cr4
        movl    %cr0, %eax
        orl     $0x80010000, %eax               /* PG, WP */
        movl    %eax, %cr0
        movl    $0xc0000080, %ecx
        rdmsr
        testl   $0x400, %eax                    /* LMA: this is compatibility mode */
        CHECK   jnz
        lidtl   idt64_pointer
        movw    $TSS64, %ax
        ltr     %ax
        ljmp    $CODE64, $in_long_mode
        .code64
        .set    BITS, 64
in_long_mode:
        STEP    0x03
        movabsq $0x123456789abcdef0, %rax
        movl    %eax, %eax
        shrq    $32, %rax
        CHECK   jz

        /* Permissions of all levels; NX. */
        STEP    0x04
        BEGIN64
        movl    TEST, %ebx
        END64   -1
        movb    $5, TABLE
        invlpg  TEST
        BEGIN64
        movl    %ebx, TEST
        END64   14, 3
        CR2     TEST
        movb    $7, TABLE
        movb    $5, DIRECTORY + 32              /* read-only from above */
        movq    %cr3, %rax
        movq    %rax, %cr3
        BEGIN64
        USER64_AT user_write64
        END64   14, 7
        movb    $7, DIRECTORY + 32
        movl    $0x80000000, DIRECTORY + 36     /* NX in the directory */
        movq    %cr3, %rax
        movq    %rax, %cr3
        BEGIN64
        USER64_AT TEST + 16
        END64   14, 0x15
        movl    $0, DIRECTORY + 36
        invlpg  TEST
        BEGIN64
        USER64_AT TEST + 16
        END64   0x30

        /* Large pages, and the reserved bits of each level. */
        STEP    0x05
        movl    0x40000000 + FRAME, %ebx
        cmpl    $0x1111, %ebx
        CHECK   je
        movl    $0x2083, POINTERS + 8
        movq    %cr3, %rax
        movq    %rax, %cr3
        BEGIN64
        movl    0x40000000, %ebx
        END64   14, 9
        movl    $POINTERS | 0x87, PML4 + 8      /* no page size bit here */
        movabsq $0x8000000000, %rsi
        BEGIN64
        movl    (%rsi), %ebx
        END64   14, 9
        movl    $0x00080000, TABLE + 4          /* beyond the physical width */
        invlpg  TEST
        BEGIN64
        movl    %ebx, TEST
        END64   14, 0xb
        movl    $0, TABLE + 4
        invlpg  TEST

        /* Canonical addresses. */
        STEP    0x06
        movabsq $0x7fffffffffff, %rsi
        BEGIN64
        movb    (%rsi), %bl
        END64   -1
        BEGIN64
        movw    (%rsi), %bx                     /* its second byte is not */
        END64   13, 0
        movabsq $0x800000000000, %rbp
        BEGIN64
        movb    (%rbp), %bl
        END64   12, 0
        BEGIN64
        movq    %rbp, %rsi
        movb    (%rsi), %bl
        END64   13, 0
        BEGIN64
        jmp     *%rbp
        END64   13, 0
        STEP    0x07                            /* a relative jump out of the lower half: the fault is its own */
        movw    $0x00eb, LAST_FRAME + 0xffe     /* jmp to 0x800000000000 */
        movabsq $0x7ffffffffffe, %rsi
        BEGIN64
        jmp     *%rsi
        END64   13, 0
        EXPECT  0xfffffffe, got_ip
        movl    $0xfa75c039, LAST_FRAME + 0xff0 /* cmp %eax, %eax; jne back; je out */
        movl    $0x90900874, LAST_FRAME + 0xff4
        movl    $0x90909090, LAST_FRAME + 0xff8
        movl    $0x74c03990, LAST_FRAME + 0xffa
        movl    $0x10, LAST_FRAME + 0xffe
        movabsq $0x7ffffffffffb, %rsi           /* cmp; je beyond, as one op */
        BEGIN64
        jmp     *%rsi
        END64   13, 0
        EXPECT  0xfffffffd, got_ip
        movb    $0xe8, LAST_FRAME + 0xff0       /* call */
        movl    $0x20, LAST_FRAME + 0xff1
        movabsq $0x7ffffffffff0, %rsi
        movl    $0x600d, -8(%rsp)
        BEGIN64
        jmp     *%rsi
        END64   13, 0
        EXPECT  0xfffffff0, got_ip

        /* Gates: the stack is aligned and always switched for IST; SS is pushed in any case. */
        STEP    0x08
        movl    $STACK - 5, %esp
        BEGIN64
        int     $0x32
        END64   0x32
        movl    $STACK, %esp
        EXPECT  STACK - 0x10 - 40 + 40, got_sp
        BEGIN64
        int     $0x31
        END64   0x31
        EXPECT  IST_STACK, got_sp
        BEGIN64
        USER64_AT user_interrupt64
        END64   0x30
        EXPECT  STACK - 0x800, got_sp
        EXPECT  USER_CODE64 | 3, got_cs
        BEGIN64
        USER64_AT user_kernel64
        END64   13, (0x32 * 8 + 2)

        /* Call gates of 16 bytes. */
        STEP    0x09
        xorl    %ebx, %ebx
        BEGIN64
        USER64_AT user_gate64
        END64   0x30
        cmpl    $0x6a7e, %ebx
        CHECK   je
        BEGIN64
        movw    $CODE32, %ax
        movw    %ax, %ss                        /* not a stack */
        END64   13, CODE32
        xorl    %eax, %eax
        movw    %ax, %ss                        /* null is allowed below privilege 3 */

        /* SYSCALL and SYSRET. */
        STEP    0x0a
        movl    $0xc0000081, %ecx
        movl    $0, %eax
        movl    $(USER64 | 3) << 16 | 0x40, %edx        /* CODE64, whose data would be behind it */
        wrmsr
        MSR     0xc0000082, system_call
        MSR     0xc0000084, 0x40000             /* clears AC */
        BEGIN64
        USER64_AT user_call, 0x40002
        END64   0x30
        EXPECT  USER_CODE64 | 3, got_cs
        testl   $0x40000, got_flags             /* AC is back */
        CHECK   jnz
        testl   $0x40000, %ebx                  /* and was not there */
        CHECK   jz
        EXPECT  user_called, seen_ip

        /* Compatibility mode: the same tables, 32-bit code. */
        STEP    0x0b
        pushq   $USER_DATA | 3
        pushq   $USER_STACK
        pushq   $2
        pushq   $USER64 | 3
        pushq   $user_compatible
        BEGIN64
        iretq
        END64   0x30
        EXPECT  USER64 | 3, got_cs
        EXPECT  1, seen_ip
        /* descriptors of hardware tasks are no longer known */
        BEGIN64
        ljmpl   *far_to_task
        END64   13, TSS

        /* Process contexts: what is kept of each, and what CR3's bit 63 says. */
        STEP    0x10
        movq    %cr4, %rax
        orl     $0x20000, %eax
        movq    %rax, %cr4
        movl    TEST, %ebx
        cmpl    $0x1111, %ebx
        CHECK   je
        movl    $OTHER_PML4 | 1, %eax
        movq    %rax, %cr3
        movl    TEST, %ebx
        cmpl    $0x2222, %ebx
        CHECK   je
        movl    $0, TABLE                       /* context 0 still remembers it */
        movl    $PML4, %eax
        btsq    $63, %rax
        movq    %rax, %cr3
        BEGIN64
        movl    TEST, %ebx
        END64   -1
        cmpl    $0x1111, %ebx
        CHECK   je
        movq    %cr3, %rax                      /* bit 63 is not stored */
        cmpq    $PML4, %rax
        CHECK   je
        movq    %rax, %cr3
        BEGIN64
        movl    TEST, %ebx
        END64   14, 0
        STEP    0x11
        movl    $OTHER_PML4 | 1, %eax
        btsq    $63, %rax
        movq    %rax, %cr3
        movl    TEST, %ebx
        cmpl    $0x2222, %ebx
        CHECK   je
        BEGIN64
        movq    %cr0, %rax
        btrl    $31, %eax
        movq    %rax, %cr0                      /* paging cannot end in 64-bit code */
        END64   13, 0
        movq    %cr4, %rax
        movq    %rax, %rbx
        btrl    $17, %eax
        movq    %rax, %cr4
        BEGIN64
        movq    %rbx, %cr4                      /* PCID is not 0 */
        END64   13, 0
        movl    $1, %eax
        shlq    $60, %rax
        BEGIN64
        movq    %rax, %cr3
        END64   13, 0
        BEGIN64
        movq    %rbx, %rax
        btrl    $5, %eax
        movq    %rax, %cr4                      /* PAE stays */
        END64   13, 0

        /* Alignment. */
        STEP    0x12
        movl    $PML4, %eax
        movq    %rax, %cr3
        movl    $FRAME | 7, TABLE
        invlpg  TEST
        movq    %cr0, %rax
        orl     $0x40000, %eax
        movq    %rax, %cr0
        BEGIN64
        USER64_AT user_unaligned, 0x40002
        END64   17, 0
        EXPECT  user_unaligned_at, got_ip
        BEGIN64
        USER64_AT user_unaligned, 2
        END64   0x30
        PASS

user_write64:
        movl    %ebx, TEST
        int     $0x30
user_interrupt64:
        int     $0x30
user_kernel64:
        int     $0x32
user_gate64:
        lcalll  *far_to_gate
        int     $0x30
gate_target:
        movl    $0x6a7e, %ebx
        lretq
user_call:
        syscall
user_called:
        int     $0x30
system_call:
        movl    %ecx, seen_ip
        pushfq
        popq    %rbx
        sysretq
user_unaligned:
        movl    TEST + 8, %eax
        movb    TEST + 1, %al
        movw    TEST + 2, %ax
        movq    TEST + 8, %rax
user_unaligned_at:
        movq    TEST + 4, %rax
        int     $0x30
        .code32
user_compatible:
        xorl    %eax, %eax
        decl    %eax                            /* 0x48: REX in 64-bit code */
        negl    %eax
        movl    %eax, %ss:seen_ip
        int     $0x30

        .code64
        .balign 16
stubs64:
        .set    vector64, 0
        .rept   64
        .balign 16
        .if     (vector64 == 8) || (vector64 == 17) || ((vector64 >= 10) && (vector64 <= 14))
        .else
        pushq   $-1
        .endif
        pushq   $vector64
        jmp     record64
        .set    vector64, vector64 + 1
        .endr

record64:
        popq    %rdx
        movl    %edx, got_vector
        popq    %rdx
        movl    %edx, got_error
        popq    %rdx
        movl    %edx, got_ip
        popq    %rdx
        movl    %edx, got_cs
        popq    %rdx
        movl    %edx, got_flags
        leaq    16(%rsp), %rdx
        movl    %edx, got_sp
        movl    $DATA32, %edx
        movl    %edx, %ss
        movl    %edx, %ds
        movl    saved_sp, %esp
        movl    resume, %edx
        jmp     *%rdx
        .code32

        .balign 8
far_to_task:
        .long   0
        .word   TSS
        .balign 8
far_to_gate:
        .long   0
        .word   CALL_GATE64 | 3
idt64_pointer:
        .word   64 * 16 - 1
        .long   IDT64, 0
seen_ip:
        .long   0
        .balign 16
tss64:
        .long   0
        .quad   STACK - 0x800, 0, 0, 0
        .quad   IST_STACK
        .fill   104 - 44, 1, 0
tss64_end:
        END_OF_ROM
