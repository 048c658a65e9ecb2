/* Hardware task switches (SDM 3A chapter 8): by JMP, CALL, INT, exceptions and IRET, 32- and 16-bit, and what may go
   wrong with them (table 8-1). */
#include "post.inc"

        .set    TSS_A, FREE             /* entered by JMP and by the task gate */
        .set    TSS_B, FREE + 8         /* the faulty one */
        .set    TSS_16, FREE + 16
        .set    GATE_A, FREE + 24
        .set    TSS_SHORT, FREE + 32
        .set    TSS_ABSENT, FREE + 40
        .set    TASK_LDT, FREE + 48
        .set    ABSENT_LDT, FREE + 56
        .set    ABSENT, FREE + 64
        .set    READ_ONLY, FREE + 72
        .set    TSS_DF, FREE + 80
        .set    TSS_F, FREE + 88        /* handles the faults of others */

/* A descriptor for the TSS at \address. */
.macro TASK selector, address, limit, access
        movl    $\address, %eax
        movw    $\limit, gdt + \selector
        movw    %ax, gdt + \selector + 2
        shrl    $16, %eax
        movb    %al, gdt + \selector + 4
        movb    $\access, gdt + \selector + 5
.endm

.macro TYPE selector, access            /* fails unless this is the access byte */
        cmpb    $\access, gdt + \selector + 5
        CHECK   je
.endm

/* What a jump to TSS_B raises when \field of it is \value: in the new task, before its first instruction. As its stack may
   not be there yet, the handler is a task too (SDM 3A 6.15, interrupt 10). */
.macro BAD_TASK field, value, vector, error
        call    prepare_b
        movw    $\value, task_b + \field
        movb    $0x89, gdt + TSS_B + 5
        pushl   idt + \vector * 8
        pushl   idt + \vector * 8 + 4
        movw    $TSS_F, idt + \vector * 8 + 2
        movw    $0x8500, idt + \vector * 8 + 4
        movl    %esp, saved_sp
        movl    $8803f, resume
        ljmp    $TSS_B, $0
        call    failed
8803:
        cmpl    $\error, seen_error
        CHECK   je
        str     %ax
        cmpw    $TSS_F, %ax
        CHECK   je
        cmpw    $TSS_B, task_f
        CHECK   je
        cmpl    $task_b_entry, task_b + 0x20
        CHECK   je
        TYPE    TSS, 0x89
        TYPE    TSS_B, 0x8b
        popl    idt + \vector * 8 + 4
        popl    idt + \vector * 8
        call    back_to_main_task
.endm

main16:
        STEP16  0x01
        ENTER_PROTECTED
        TASK    TSS_A, task_a, 103, 0x89
        TASK    TSS_B, task_b, 103, 0x89
        TASK    TSS_16, task_16, 43, 0x81
        TASK    TSS_SHORT, task_a, 102, 0x89
        TASK    TSS_ABSENT, task_a, 103, 0x09
        TASK    TSS_DF, task_df, 103, 0x89
        TASK    TSS_F, task_f, 103, 0x89
        TASK    TASK_LDT, own_descriptors, 63, 0x82
        TASK    ABSENT_LDT, own_descriptors, 63, 0x02
        DESCRIPTOR gdt, GATE_A, TSS_A << 16, 0x0000e500
        DESCRIPTOR gdt, ABSENT, 0x0000ffff, 0x00cf1200
        DESCRIPTOR gdt, READ_ONLY, 0x0000ffff, 0x00cf9000

        /* JMP: everything is saved and loaded, the busy bits change, TS is set, no link. */
        STEP    0x02
        clts
        movl    $0x11111111, %ebx
        movl    $0x77777777, %edi
        movw    $0x5555, task_a
        ljmp    $TSS_A, $0
        /* back from task A, by JMP */
        cmpl    $0x11111111, %ebx
        CHECK   je
        cmpl    $0x77777777, %edi
        CHECK   je
        STEP    0x03
        TYPE    TSS, 0x8b
        TYPE    TSS_A, 0x89
        cmpw    $0x5555, task_a
        CHECK   je
        cmpl    $0xaaaa0001, seen_ebx
        CHECK   je
        movl    %cr0, %eax
        testb   $8, %al
        CHECK   jnz
        testl   $0x4000, seen_flags     /* NT is clear in a task that was jumped to */
        CHECK   jz

        /* CALL and IRET: NT, the link, both busy. */
        STEP    0x04
        clts
        movl    $task_a_nested, task_a + 0x20
        lcall   $TSS_A, $0
        TYPE    TSS, 0x8b
        TYPE    TSS_A, 0x89
        cmpw    $TSS, task_a
        CHECK   je
        testl   $0x4000, seen_flags
        CHECK   jnz
        testl   $0x4000, task_a + 0x24  /* IRET saves it clear */
        CHECK   jz
        cmpb    $0x8b, seen_busy        /* the outer task stayed busy */
        CHECK   je
        pushfl
        popl    %eax
        testl   $0x4000, %eax
        CHECK   jz

        /* INT through a task gate; the error code of an exception. */
        STEP    0x05
        movl    $task_a_nested, task_a + 0x20
        movl    $0, idt + 0x31 * 8
        movw    $TSS_A, idt + 0x31 * 8 + 2
        movl    $0x8500, idt + 0x31 * 8 + 4
        int     $0x31
        TYPE    TSS_A, 0x89
        STEP    0x06
        movl    $task_a_error, task_a + 0x20
        movl    $STACK - 0x2000, task_a + 0x38
        movw    $TSS_A, idt + 13 * 8 + 2
        movl    idt + 13 * 8, %esi
        movl    idt + 13 * 8 + 4, %ebp
        movl    $0x8500, idt + 13 * 8 + 4
        movl    $0x7f8, %eax
        movl    %eax, %es
faulting = . - 2
        /* the task skipped the instruction */
        movl    %ebp, idt + 13 * 8 + 4
        movw    $CODE32, idt + 13 * 8 + 2
        cmpl    $0x7f8, seen_error
        CHECK   je
        cmpl    $faulting, seen_ip
        CHECK   je
        testl   $0x10000, seen_flags    /* RF, as for every fault */
        CHECK   jnz

        /* A task gate in the GDT. */
        STEP    0x07
        movl    $task_a_nested, task_a + 0x20
        lcall   $GATE_A, $0
        TYPE    TSS_A, 0x89
        DESCRIPTOR gdt, GATE_A, TSS_A << 16, 0x00006500
        BEGIN_FAULT
        lcall   $GATE_A, $0
        END_FAULT 11, GATE_A

        /* The 16-bit kind. */
        STEP    0x08
        movl    $0x12345678, %esi
        lcall   $TSS_16, $0
        TYPE    TSS_16, 0x81
        cmpl    $0x12345678, %esi
        CHECK   je
        cmpw    $TSS, task_16
        CHECK   je
        cmpw    $0xbbbb, seen_ebx
        CHECK   je

        /* The descriptor itself: nothing has happened yet. */
        STEP    0x10
        BEGIN_FAULT
        ljmp    $TSS, $0                /* busy */
        END_FAULT 13, TSS
        BEGIN_FAULT
        ljmp    $TSS_SHORT, $0
        END_FAULT 10, TSS_SHORT
        BEGIN_FAULT
        ljmp    $TSS_ABSENT, $0
        END_FAULT 11, TSS_ABSENT
        str     %ax
        cmpw    $TSS, %ax
        CHECK   je
        STEP    0x11
        BEGIN_FAULT
        pushfl
        orl     $0x4000, (%esp)
        popfl
        movw    $TSS_A, tss             /* the link: not busy */
        iretl
        END_FAULT 10, TSS_A
        BEGIN_FAULT
        movw    $DATA32, tss
        pushfl
        orl     $0x4000, (%esp)
        popfl
        iretl
        END_FAULT 10, DATA32
        STEP    0x12                    /* privilege 3 needs a DPL of 3 */
        BEGIN_FAULT
        USER    user_jump
        END_FAULT 13, TSS_A

        /* Segments of the new task. */
        STEP    0x20
        BAD_TASK 0x60, 0x7f8, 10, 0x7f8
        BAD_TASK 0x60, DATA32, 10, DATA32
        BAD_TASK 0x60, ABSENT_LDT, 10, ABSENT_LDT
        STEP    0x21
        BAD_TASK 0x4c, 0, 10, 0
        BAD_TASK 0x4c, DATA32, 10, DATA32
        BAD_TASK 0x4c, CODE32 + 3, 10, CODE32
        STEP    0x22
        BAD_TASK 0x50, 0, 10, 0
        BAD_TASK 0x50, READ_ONLY, 10, READ_ONLY
        BAD_TASK 0x50, ABSENT, 12, ABSENT
        BAD_TASK 0x50, USER_DATA32, 10, (USER_DATA32 & ~3)
        BAD_TASK 0x50, DATA32 + 1, 10, DATA32
        STEP    0x23
        BAD_TASK 0x54, 0x7f8, 10, 0x7f8
        BAD_TASK 0x54, TSS, 10, TSS
        BAD_TASK 0x54, ABSENT, 11, ABSENT
        BAD_TASK 0x5c, ABSENT, 11, ABSENT

        /* The debug trap bit. */
        STEP    0x30
        call    prepare_b
        movb    $1, task_b + 0x64
        movb    $0x89, gdt + TSS_B + 5
        xorl    %eax, %eax
        movl    %eax, %dr6
        movl    $0x155, %eax
        movl    %eax, %dr7
        BEGIN_FAULT
        ljmp    $TSS_B, $0
        END_FAULT 1, -1
        EXPECT  task_b_entry, got_ip
        movl    %dr6, %eax
        testl   $0x8000, %eax
        CHECK   jnz
        movl    %dr7, %eax
        cmpl    $0x400, %eax            /* the local enables are gone */
        CHECK   je
        call    back_to_main_task
        movb    $0, task_b + 0x64

        /* A double fault that only a task can handle: the stack is gone. */
        STEP    0x31
        movl    $0, idt + 8 * 8
        movw    $TSS_DF, idt + 8 * 8 + 2
        movl    $0x8500, idt + 8 * 8 + 4
        DESCRIPTOR gdt, READ_ONLY, 0x00000fff, 0x00409200
        movl    $READ_ONLY, %eax
        movl    %eax, %ss
        movl    $0x2000, %esp
        pushl   %eax
        ud2

double_fault:
        cmpl    $0, (%esp)              /* the error code */
        CHECK   je
        cmpw    $TSS, task_df
        CHECK   je
        EXPECT  0x2000, tss + 0x38      /* ESP of the victim */
        PASS

user_jump:
        ljmp    $TSS_A, $0

task_a_entry:
        movl    %ebx, seen_ebx
        pushfl
        popl    seen_flags
        ljmp    $TSS, $0
task_a_nested:
        pushfl
        popl    seen_flags
        movb    gdt + TSS + 5, %al
        movb    %al, seen_busy
        iretl
task_a_error:
        popl    seen_error
        movl    tss + 0x24, %eax
        movl    %eax, seen_flags
        movl    tss + 0x20, %eax
        movl    %eax, seen_ip
        addl    $2, tss + 0x20
        iretl

task_f_entry:
        popl    seen_error
        movl    saved_sp, %esp
        jmp     *resume

task_b_entry:
        call    failed                  /* each of its switches faults or traps */

        .code16
task_16_entry:
        movl    $seen_ebx, %eax
        movl    %ebx, (%eax)
        iretw
        .code32

/* Task B as it would be entered well. */
prepare_b:
        movl    $task_b_entry, task_b + 0x20
        movl    $2, task_b + 0x24
        movl    $STACK - 0x3000, task_b + 0x38
        movl    $DATA32, %eax
        movw    %ax, task_b + 0x48
        movw    %ax, task_b + 0x50
        movw    %ax, task_b + 0x54
        movw    $0, task_b + 0x58
        movw    $0, task_b + 0x5c
        movw    $0, task_b + 0x60
        movw    $CODE32, task_b + 0x4c
        ret

/* Makes TSS the current task again, without a switch. */
back_to_main_task:
        movl    $DATA32, %eax
        movl    %eax, %es
        movb    $0x89, gdt + TSS + 5
        movb    $0x89, gdt + TSS_F + 5
        pushfl
        andl    $~0x4000, (%esp)
        popfl
        movw    $TSS, %ax
        ltr     %ax
        xorl    %eax, %eax
        lldt    %ax
        clts
        ret

        .balign 4
seen_ebx:   .long 0
seen_flags: .long 0
seen_error: .long 0
seen_ip:    .long 0
seen_busy:  .long 0

        .balign 4
task_a:
        .fill   8, 4, 0                         /* link, stacks, CR3 */
        .long   task_a_entry, 2                 /* EIP, EFLAGS */
        .long   1, 2, 3, 0xaaaa0001             /* EAX, ECX, EDX, EBX */
        .long   STACK - 0x2000, 5, 6, 7         /* ESP, EBP, ESI, EDI */
        .long   DATA32, CODE32, DATA32, DATA32, 0, 0
        .long   0, 0x680000
task_b:
        .fill   26, 4, 0
task_f:
        .fill   8, 4, 0
        .long   task_f_entry, 2
        .fill   4, 4, 0
        .long   STACK - 0x4000, 0, 0, 0
        .long   DATA32, CODE32, DATA32, DATA32, 0, 0
        .long   0, 0x680000
task_df:
        .fill   8, 4, 0
        .long   double_fault, 2
        .fill   4, 4, 0
        .long   STACK - 0x2000, 0, 0, 0
        .long   DATA32, CODE32, DATA32, DATA32, 0, 0
        .long   0, 0x680000
task_16:
        .word   0, 0, 0, 0, 0, 0, 0             /* link, stacks */
        .word   REAL(task_16_entry), 2
        .word   1, 2, 3, 0xbbbb
        .word   STACK - 0x3000, 5, 6, 7
        .word   DATA16, CODE16, DATA16, DATA32, 0

        END_OF_ROM
