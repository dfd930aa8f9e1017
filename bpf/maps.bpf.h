/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Maps and settings that several subjects share, and the counting of losses. */
#ifndef TENANTRACE_MAPS_H
#define TENANTRACE_MAPS_H

/* Only processes that Go puts into `processes` are traced, and their descendants. */
volatile const __u32 chosen_only = 0;
/* Kernels before 5.15 have no attach cookie: each library then has a load of its own, with the cookie as a constant. */
volatile const __u32 has_cookie = 1;
volatile const __u64 fixed_cookie = 0;
/* Kernels before 5.17 have no bpf_loop; Go takes its callbacks out of the programs, since the verifier refuses even those that nobody calls. */
volatile const __u32 has_loop = 1;

/* All records, in the order of their reservation. Go reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 * 1024 * 1024);
} events SEC(".maps");

/* tgid -> traced process. Added by Go, a uprobe, a mapping or a fork; deleted at exec and exit. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct traced_process);
} processes SEC(".maps");

/* enum drop -> number of records lost. Nobody deletes it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DROP_REASONS);
	__type(key, __u32);
	__type(value, __u64);
} drops SEC(".maps");

/* A TLS call in progress. */
struct call {
	__u64 ssl;
	__u64 buffer;
	__u64 length_pointer;
	__u64 stack; /* stack pointer at entry: an inner call's is lower */
	struct socket_id socket;
	__u64 record; /* where a BIO_read under way puts what it reads; 0 none */
	__u32 library;
	__u8 kind;
	__u8 length_from;
	__u8 depth; /* calls on the same SSL inside this one */
	__u8 by_ciphertext;
	__u8 after_header; /* the last BIO_read gave a record's header alone */
	__u8 pad[7];
};

/* pid_tgid -> the outermost TLS call of the thread. Deleted at its exit; what a dead thread leaves is evicted. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u64);
	__type(value, struct call);
} calls SEC(".maps");

/* tid -> 1: has read as a server since its last wait. Deleted at its wait and at its end. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, __u8);
} readers SEC(".maps");

/* The verifier must see the bound on the very register that is used (all kernels; clang 14 else keeps a second copy of the value). */
#define BOUND(n, max)                       \
	({                                  \
		asm volatile("" : "+r"(n)); \
		if ((n) > (max))            \
			(n) = (max);        \
		asm volatile("" : "+r"(n)); \
	})

static __always_inline void count_drop(struct traced_process *process, __u32 reason)
{
	__u64 *n = bpf_map_lookup_elem(&drops, &reason);

	if (n)
		*n += 1;
	if (process && reason == DROP_RINGBUF)
		__sync_fetch_and_add(&process->lost, 1);
}

/* Go looks every few milliseconds: a wake-up per record would cost the traced thread more than the record. A buffer that fills wakes it at once. */
#define WAKE_BYTES (2 * 1024 * 1024)
#define RING_AVAILABLE 0 /* BPF_RB_AVAIL_DATA */
#define RING_NO_WAKEUP 1
#define RING_FORCE_WAKEUP 2

static __always_inline void submit(void *record)
{
	bpf_ringbuf_submit(record, bpf_ringbuf_query(&events, RING_AVAILABLE) > WAKE_BYTES ? RING_FORCE_WAKEUP : RING_NO_WAKEUP);
}

static __always_inline void fill_header(struct record_header *h, struct traced_process *process, __u32 type)
{
	__u64 id = bpf_get_current_pid_tgid();

	h->time = bpf_ktime_get_boot_ns();
	h->type = type;
	h->tgid = id >> 32;
	h->tid = (__u32)id;
	h->lost = process ? process->lost : 0;
}

static __always_inline void mark_reader(void)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u8 one = 1;

	bpf_map_update_elem(&readers, &tid, &one, BPF_ANY);
}

#endif
