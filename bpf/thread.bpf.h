/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The threads of traced processes: which one created which, and when they end. */
#ifndef TENANTRACE_THREAD_H
#define TENANTRACE_THREAD_H

static __always_inline void emit_thread(struct traced_process *process, __u32 change, __u32 tid)
{
	struct thread_record *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

	if (!r) {
		count_drop(process, DROP_RINGBUF);
		return;
	}
	fill_header(&r->header, process, RECORD_THREAD);
	r->change = change;
	r->thread = tid;
	submit(r);
}

/* The current thread created another one, which has not run yet. */
static __always_inline void thread_started(__u32 tgid, __u32 tid)
{
	struct traced_process *process = bpf_map_lookup_elem(&processes, &tgid);

	if (process)
		emit_thread(process, THREAD_STARTED, tid);
}

#endif
