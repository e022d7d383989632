# memcpy and memset as the compiler calls them, by words where all is aligned. The compiler's own go by bytes.

    .section .text.copy, "ax"
    .globl memcpy
memcpy:
    mv      t0, a0
    add     t1, a0, a2
    or      t2, a0, a1
    andi    t2, t2, 3
    bnez    t2, copy_bytes
    andi    t2, a2, -16
    add     t2, t2, a0
copy_sixteen:
    bgeu    t0, t2, copy_bytes
    lw      a3, 0(a1)
    lw      a4, 4(a1)
    lw      a5, 8(a1)
    lw      a6, 12(a1)
    sw      a3, 0(t0)
    sw      a4, 4(t0)
    sw      a5, 8(t0)
    sw      a6, 12(t0)
    addi    a1, a1, 16
    addi    t0, t0, 16
    j       copy_sixteen
copy_bytes:
    bgeu    t0, t1, copied
    lbu     a3, 0(a1)
    sb      a3, 0(t0)
    addi    a1, a1, 1
    addi    t0, t0, 1
    j       copy_bytes
copied:
    ret

    .globl memset
memset:
    mv      t0, a0
    add     t1, a0, a2
    andi    t2, a0, 3
    bnez    t2, set_bytes
    andi    a1, a1, 255
    slli    a3, a1, 8
    or      a1, a1, a3
    slli    a3, a1, 16
    or      a1, a1, a3
    andi    t2, a2, -16
    add     t2, t2, a0
set_sixteen:
    bgeu    t0, t2, set_bytes
    sw      a1, 0(t0)
    sw      a1, 4(t0)
    sw      a1, 8(t0)
    sw      a1, 12(t0)
    addi    t0, t0, 16
    j       set_sixteen
set_bytes:
    bgeu    t0, t1, was_set
    sb      a1, 0(t0)
    addi    t0, t0, 1
    j       set_bytes
was_set:
    ret
