#include "textflag.h"

// func mixSSE(dst, a, b *float32, n int, ca, cb float32)
//
// Loads of each round come before its stores, so that dst may be a or b.
TEXT ·mixSSE(SB), NOSPLIT, $0-40
	MOVQ   dst+0(FP), DI
	MOVQ   a+8(FP), SI
	MOVQ   b+16(FP), DX
	MOVQ   n+24(FP), CX
	MOVSS  ca+32(FP), X0
	SHUFPS $0, X0, X0
	MOVSS  cb+36(FP), X1
	SHUFPS $0, X1, X1
	XORQ   AX, AX
	SUBQ   $16, CX
	JLT    rest

sixteen:
	MOVUPS (SI)(AX*4), X2
	MOVUPS 16(SI)(AX*4), X3
	MOVUPS 32(SI)(AX*4), X4
	MOVUPS 48(SI)(AX*4), X5
	MOVUPS (DX)(AX*4), X6
	MOVUPS 16(DX)(AX*4), X7
	MOVUPS 32(DX)(AX*4), X8
	MOVUPS 48(DX)(AX*4), X9
	MULPS  X0, X2
	MULPS  X0, X3
	MULPS  X0, X4
	MULPS  X0, X5
	MULPS  X1, X6
	MULPS  X1, X7
	MULPS  X1, X8
	MULPS  X1, X9
	ADDPS  X6, X2
	ADDPS  X7, X3
	ADDPS  X8, X4
	ADDPS  X9, X5
	MOVUPS X2, (DI)(AX*4)
	MOVUPS X3, 16(DI)(AX*4)
	MOVUPS X4, 32(DI)(AX*4)
	MOVUPS X5, 48(DI)(AX*4)
	ADDQ   $16, AX
	CMPQ   AX, CX
	JLE    sixteen

rest:
	ADDQ $16, CX

one:
	CMPQ  AX, CX
	JGE   done
	MOVSS (SI)(AX*4), X2
	MOVSS (DX)(AX*4), X6
	MULSS X0, X2
	MULSS X1, X6
	ADDSS X6, X2
	MOVSS X2, (DI)(AX*4)
	INCQ  AX
	JMP   one

done:
	RET

// func clampSSE(x *float32, n int, bound float32)
//
// MINPS and MAXPS give their source where a value is NaN, so that is where x goes.
TEXT ·clampSSE(SB), NOSPLIT, $0-20
	MOVQ   x+0(FP), DI
	MOVQ   n+8(FP), CX
	MOVSS  bound+16(FP), X0
	SHUFPS $0, X0, X0
	XORPS  X1, X1
	SUBPS  X0, X1
	XORQ   AX, AX

four:
	CMPQ   AX, CX
	JGE    clamped
	MOVUPS (DI)(AX*4), X2
	MOVAPS X0, X3
	MINPS  X2, X3
	MOVAPS X1, X4
	MAXPS  X3, X4
	MOVUPS X4, (DI)(AX*4)
	ADDQ   $4, AX
	JMP    four

clamped:
	RET
