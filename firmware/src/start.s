# From reset to run() of main.zig: the trap vector, the stack, and memory as the language expects it. All that changes is
# made anew from the image, so that a reset alone starts the firmware again.

    .section .text.start, "ax"
    .globl _start
_start:
    la      t0, trap
    csrw    mtvec, t0
    la      sp, stack_top

    la      t0, data_load
    la      t1, data_start
    la      t2, data_end
copy:
    bgeu    t1, t2, clear
    lw      t3, 0(t0)
    sw      t3, 0(t1)
    addi    t0, t0, 4
    addi    t1, t1, 4
    j       copy

clear:
    la      t1, bss_end
clear_word:
    bgeu    t2, t1, paint
    sw      zero, 0(t2)
    addi    t2, t2, 4
    j       clear_word

# The most that was ever on the stack can be told from what is left of the paint.
paint:
    la      t1, stack_bottom
    la      t0, stack_paint
paint_word:
    bgeu    t1, sp, begin
    sw      t0, 0(t1)
    addi    t1, t1, 4
    j       paint_word

begin:
    call    run

    .balign 4
trap:
    la      sp, stack_top
    call    trapped
