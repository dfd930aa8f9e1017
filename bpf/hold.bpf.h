/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Programs that are not preempted. */
#ifndef TENANTRACE_HOLD_H
#define TENANTRACE_HOLD_H

/* The kernel has bpf_preempt_disable (since 6.10). */
volatile const __u32 can_hold = 1;
extern void bpf_preempt_disable(void) __weak __ksym;
extern void bpf_preempt_enable(void) __weak __ksym;

/* Since Linux 6.13 programs can be preempted (uprobes before), and their stack is the processor's: a program of another thread that runs meanwhile would
 * overwrite it, and one of a tracepoint would be left out as a recursion. So each holds its processor from its first instruction to its last
 * (kernel/bpf/verifier.c, bpf_enable_priv_stack; kernel/trace/bpf_trace.c, __bpf_trace_run). */
#define HELD(work)                             \
	({                                     \
		if (can_hold)                  \
			bpf_preempt_disable(); \
		work;                          \
		if (can_hold)                  \
			bpf_preempt_enable();  \
		0;                             \
	})

#endif
