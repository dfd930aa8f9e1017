/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* CPython: for which request the running code works. A read of a request binds the context (PEP 567) that it happens in; what copies that context inherits; what
 * writes a statement is asked for its own. The lineage is kept here and not in Go: an asyncio request makes and frees ten contexts and more, each of which would be
 * two records, and a lost one would leave an inheritance that is no more. Here what is missed, full or unreadable is a statement without a task, never one with
 * another's. */
#ifndef TENANTRACE_TASK_H
#define TENANTRACE_TASK_H

/* Contexts of one process that are bound at a time. */
#define TASKS_PER_PROCESS 16384
/* int ctx_entered of a context (Include/internal/pycore_context.h, 3.7 to 3.13; Go has seen ctx_vars, two fields before it). */
#define CONTEXT_ENTERED 0x28
/* Chunks of a greenlet's stack that are gone through. */
#define CHUNKS_MAX 24

/* A context object, or a chunk of the stack of Python's frames, which each greenlet has of its own. */
struct task_key {
	__u64 address;
	__u32 tgid;
	__u32 chunk; /* 1: a chunk */
};

struct task_origin {
	struct task task;
	__u64 epoch; /* of the process, and of all: what another program, another process with this tgid, or a time of losses left is not in force */
};

/* Context -> for what it works. Deleted when the context is freed, overwritten when its address is copied to; what a dead process leaves is evicted. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct task_key);
	__type(value, struct task_origin);
} tasks SEC(".maps");

/* From a thread's state to what `which` says: its context, or the root of its frames' stack. 0: there is none; less than TASK_STATES: why it is not known. The
 * thread's state is that of the thread-specific key, not that of the interpreter's "current" one, which is another thread's as soon as the lock is given up for a
 * system call. */
enum place_of {
	PLACE_CONTEXT,
	PLACE_CHUNK,
};

static __always_inline __u64 find_place(__u32 which)
{
#if defined(__TARGET_ARCH_x86)
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 thread = BPF_CORE_READ(task, thread.fsbase), state = 0, id = 0, at = 0, before = 0;
	struct python *python = python_of_current();

	if (!python)
		return TASK_FOREIGN;
	if (!read_u64(&state, thread + python->slot))
		return TASK_UNREADABLE;
	if (!state)
		return TASK_FOREIGN;
	if (!read_u64(&id, state + python->thread_id))
		return TASK_UNREADABLE;
	if (id != thread)
		return TASK_FOREIGN;
	if (which == PLACE_CHUNK && !python->chunk)
		return 0;
	if (!read_u64(&at, state + (which == PLACE_CHUNK ? python->chunk : python->context)))
		return TASK_UNREADABLE;
	if (which != PLACE_CHUNK)
		return at;
	for (int i = 0; i < CHUNKS_MAX; i++) { /* to the first: that is the greenlet's for good */
		if (!at)
			break;
		before = at;
		if (!read_u64(&at, before))
			return TASK_UNREADABLE;
		at = forget(at);
		before = forget(before);
	}
	return at ? TASK_UNREADABLE : before;
#else
	return TASK_UNREADABLE;
#endif
}

/* A global function, which the verifier sees once in each program, whoever calls it (5.10: else half a million instructions). Where a program holds its processor, the
 * kernel has allowed to call one only since 6.15. */
__noinline __u64 place_global(__u32 which)
{
	return find_place(which);
}

static __noinline __u64 place_held(__u32 which)
{
	return find_place(which);
}

static __always_inline __u64 place_now(__u32 which)
{
	return can_hold ? place_held(which) : place_global(which);
}

static __always_inline bool known_place(__u64 place)
{
	return place == 0 || place >= TASK_STATES;
}

static __always_inline void key_of(struct task_key *key, __u64 address, __u32 chunk)
{
	key->address = address;
	key->tgid = bpf_get_current_pid_tgid() >> 32;
	key->chunk = chunk;
}

static __always_inline __u64 epoch_of(struct python *python)
{
	__u32 zero = 0;
	__u64 *all = bpf_map_lookup_elem(&task_epochs, &zero);

	return python->epoch + (all ? *all : 0);
}

static __always_inline void unbind(struct python *python, struct task_key *key)
{
	if (!bpf_map_delete_elem(&tasks, key))
		__sync_fetch_and_add(&python->bound, -1);
}

static __always_inline void bind(struct python *python, struct task_key *key, struct task_origin *origin)
{
	origin->epoch = epoch_of(python);
	if (!bpf_map_lookup_elem(&tasks, key)) {
		if (python->bound >= TASKS_PER_PROCESS) {
			count_drop(NULL, DROP_TASKS);
			return;
		}
		__sync_fetch_and_add(&python->bound, 1);
	}
	if (bpf_map_update_elem(&tasks, key, origin, BPF_ANY))
		count_drop(NULL, DROP_TASKS);
}

static __always_inline struct task_origin *origin_of(struct python *python, struct task_key *key)
{
	struct task_origin *origin = key->address ? bpf_map_lookup_elem(&tasks, key) : NULL;

	return origin && origin->epoch == epoch_of(python) ? origin : NULL;
}

/* Whether the connection that a task is of still lives, and how many bytes were read from it so far. */
static __always_inline bool lives(struct task *task, __u32 tgid, __u64 *read)
{
	struct tls_key key = {.ssl = task->object, .tgid = tgid};
	struct tls_state *state;
	struct socket_state *s;

	if (task->tls) {
		state = bpf_map_lookup_elem(&tls_states, &key);
		if (!state || *(__u64 *)state->random != task->nonce)
			return false;
		*read = state->moved[DIRECTION_IN];
		return true;
	}
	s = bpf_map_lookup_elem(&sockets, &task->object);
	if (!s || s->inode != task->nonce)
		return false;
	*read = s->moved[DIRECTION_IN];
	return true;
}

/* The context read for a connection. One that reads for several which live at a time is that of a loop: it stands for none of them any more. */
static __always_inline void bind_one(struct python *python, struct task_key *key, struct task *task)
{
	struct task_origin *before = origin_of(python, key), fresh = {.task = *task};
	__u64 read = 0;

	if (before && before->task.state == TASK_DIRECT) {
		if (before->task.object == task->object && before->task.nonce == task->nonce) {
			if (!task->read) /* a further step of the handshake */
				return;
		} else if (lives(&before->task, key->tgid, &read)) {
			fresh.task.state = TASK_SHARED;
		}
	} else if (before && before->task.state == TASK_SHARED) {
		fresh.task.state = TASK_SHARED;
	}
	bind(python, key, &fresh);
}

/* A server read from a connection, or shook hands on it (read 0). */
static __noinline int task_begins(struct task *task)
{
	__u64 context = place_now(PLACE_CONTEXT), chunk;
	struct python *python = python_of_current();
	struct task_key key;
	__u32 entered = 0;

	if (!python) {
		task->read = 0;
		return 0;
	}
	if (!task->tls && python->flags & PYTHON_LOOP_READS)
		return 0;
	if (!known_place(context)) {
		task->state = context;
		return 0;
	}
	if (context) {
		/* A thread's own context, which nobody entered, is that of all it does: of a loop, for all connections. */
		task->state = read_u32(&entered, context + CONTEXT_ENTERED) && entered ? TASK_DIRECT : TASK_SHARED;
		key_of(&key, context, 0);
		bind_one(python, &key, task);
		loop_reads(context);
	}
	task->state = TASK_DIRECT;
	chunk = place_now(PLACE_CHUNK);
	if (!chunk || !known_place(chunk))
		return 0;
	key_of(&key, chunk, 1);
	if (!context || origin_of(python, &key))
		bind_one(python, &key, task);
	return 0;
}

/* What writes a statement now: for what it works. */
static __noinline int task_now(struct task *task)
{
	__u64 context = place_now(PLACE_CONTEXT), chunk;
	struct python *python = python_of_current();
	struct task_origin *origin;
	struct task_key key;

	if (!python)
		return 0;
	if (!known_place(context)) {
		task->state = context;
		return 0;
	}
	key_of(&key, context, 0);
	task->state = TASK_NONE;
	origin = origin_of(python, &key);
	if (origin)
		bpf_probe_read_kernel(task, sizeof(*task), &origin->task); /* all outcomes look alike to the verifier then */
	if (task->state == TASK_COPY)
		return 0;
	/* What a loop does in the context that it reads in may be for anybody; a greenlet's stack is its own. */
	chunk = place_now(PLACE_CHUNK);
	if (!known_place(chunk)) {
		task->state = chunk;
		return 0;
	}
	if (!context && !chunk) { /* a thread without either says nothing of what runs in it */
		task->state = TASK_UNKNOWN;
		return 0;
	}
	key_of(&key, chunk, 1);
	origin = origin_of(python, &key);
	if (origin && origin->task.state == TASK_DIRECT && (task->state == TASK_NONE || task->object == origin->task.object)) {
		bpf_probe_read_kernel(task, sizeof(*task), &origin->task);
		task->state = TASK_GREENLET;
	}
	return 0;
}

/* For whom a statement is written to a plain socket. What waited for room is written by a loop, in the context of whoever waited first, until nothing waits. */
static __always_inline void write_task(struct transfer *t, struct socket_state *state, struct task *task, __u32 length)
{
	struct user_iovec v = {};

	if (t->iov && t->iov_count == 1 && !bpf_probe_read_user(&v, sizeof(v), (void *)t->iov))
		t->asked = v.length;
	task_now(task);
	if (state->backlog || t->asked != length) {
		if (task->state)
			task->state = TASK_BACKLOG;
		state->backlog = t->asked != length;
	}
}

static __noinline int transfer_task(struct transfer *t, struct task *task, __u32 class, __u32 length)
{
	struct socket_state *state = bpf_map_lookup_elem(&sockets, &t->id.sk);

	if (!state)
		return 0;
	if (class >= CLASS_POSTGRESQL && t->direction == DIRECTION_OUT) {
		write_task(t, state, task, length);
	} else if (class == CLASS_HTTP && t->direction == DIRECTION_IN) {
		task->object = t->id.sk;
		task->nonce = t->id.inode;
		task->read = state->moved[DIRECTION_IN] + 1;
		task_begins(task);
	}
	return 0;
}

/* There is no room for what was to be written to a socket: the loop will write it later. */
static __noinline int write_refused(int fd)
{
	struct socket_id id = {};
	struct socket_state *state;

	if (!python_of_current() || !socket_of(fd, &id))
		return 0;
	state = bpf_map_lookup_elem(&sockets, &id.sk);
	if (state && state->inode == id.inode)
		state->backlog = 1;
	return 0;
}

/* Whether what copies a context works for what it is bound to. In the context that reads a loop may do anything later: it works for what it read until its thread
 * waits for several descriptors. That of uvloop's loop runs the callbacks of all connections, and works for one until the thread reads again. */
static __always_inline bool inherits(struct python *python, struct task_origin *origin, __u64 context)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u64 *reading;

	if (origin->task.state == TASK_COPY)
		return true;
	if (origin->task.state == TASK_SHARED && !(python->flags & PYTHON_LOOP_READS))
		return false;
	reading = bpf_map_lookup_elem(&loops, &tid);
	return reading && *reading == context;
}

/* PyContext_CopyCurrent returned a context, at an address that another one may have had. */
static __always_inline void context_copied(struct pt_regs *ctx)
{
	struct python *python = python_of_current();
	__u64 to_address = CALL_RETURN(ctx), context;
	struct task_origin *origin = NULL, copy;
	struct task_key from, to;

	if (!python || !to_address)
		return;
	context = place_now(PLACE_CONTEXT);
	key_of(&to, to_address, 0);
	if (context && known_place(context)) {
		key_of(&from, context, 0);
		origin = origin_of(python, &from);
	}
	if (!origin || !inherits(python, origin, context)) {
		unbind(python, &to);
		return;
	}
	copy = *origin;
	copy.task.state = TASK_COPY;
	if (!copy.task.read) /* the connection's own: what it begins is for what was read by now */
		lives(&copy.task, to.tgid, &copy.task.read);
	bind(python, &to, &copy);
}

/* The context type's destructor was called. */
static __always_inline void context_freed(struct pt_regs *ctx)
{
	struct python *python = python_of_current();
	struct task_key key = {.address = CALL_ARG0(ctx), .tgid = bpf_get_current_pid_tgid() >> 32};

	if (python)
		unbind(python, &key);
}

/* Memory was given back: it may have been a greenlet's stack. */
static __always_inline void memory_unmapped(__u64 address)
{
	struct python *python = python_of_current();
	struct task_key key = {.address = address, .tgid = bpf_get_current_pid_tgid() >> 32, .chunk = 1};

	if (python && python->chunk)
		unbind(python, &key);
}

#endif
