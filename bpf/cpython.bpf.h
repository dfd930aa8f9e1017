/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which processes run CPython, and where it keeps what. */
#ifndef TENANTRACE_CPYTHON_H
#define TENANTRACE_CPYTHON_H

/* tgid -> where CPython keeps what. Set by Go once the process is proven to be as learned, and at a fork; deleted at exec and exit. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct python);
} pythons SEC(".maps");

static __always_inline struct python *python_of_current(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	return bpf_map_lookup_elem(&pythons, &tgid);
}

/* index 0 -> how often all contexts were forgotten. Go adds to it when programs were left out. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} task_epochs SEC(".maps");

/* tid -> the context in which the thread read a request last. Deleted at its next wait for several descriptors, and with uvloop at its next read; what a dead
 * thread leaves is evicted. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} loops SEC(".maps");

static __always_inline void loop_reads(__u64 context)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

	bpf_map_update_elem(&loops, &tid, &context, BPF_ANY);
}

static __always_inline void loop_turns(void)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&loops, &tid);
}

/* The thread has read something, before it read of any request in it. */
static __always_inline void loop_read(void)
{
	struct python *python = python_of_current();

	if (python && python->flags & PYTHON_LOOP_READS)
		loop_turns();
}

/* The process has loaded an event loop. */
static __always_inline void loop_mapped(void)
{
	struct python *python = python_of_current();

	if (python)
		python->flags |= PYTHON_LOOP_READS;
}

static __always_inline bool same_python(struct python *a, struct python *b)
{
	return a->slot == b->slot && a->thread_id == b->thread_id && a->context == b->context && a->chunk == b->chunk && a->flags == b->flags;
}

/* A fork has the interpreter of its parent; its contexts have parents of their own. */
static __always_inline void python_forked(__u32 parent, __u32 tgid)
{
	struct python *python = bpf_map_lookup_elem(&pythons, &parent), fresh;

	if (!python)
		return;
	fresh = *python;
	fresh.epoch = bpf_ktime_get_ns();
	fresh.bound = 0;
	bpf_map_update_elem(&pythons, &tgid, &fresh, BPF_ANY);
}

/* task.bpf.h */
static __noinline int task_begins(struct task *task);
static __noinline int task_now(struct task *task);
static __noinline int write_refused(int fd);

#endif
