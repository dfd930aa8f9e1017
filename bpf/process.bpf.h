/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which processes are traced: those that map a file with probes. */
#ifndef TENANTRACE_PROCESS_H
#define TENANTRACE_PROCESS_H

/* Executable file -> what Go found in it. The kernel evicts the oldest, which are then looked at again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct file_key);
	__type(value, struct file_mark);
} files SEC(".maps");

/* tgid -> 1: PROCESS_CANDIDATE was sent. Evicted when full. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u8);
} candidates SEC(".maps");

static __always_inline void emit_process(struct traced_process *process, __u32 tgid, __u32 change, __u32 parent)
{
	struct process_record *r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);

	if (!r) {
		count_drop(process, DROP_RINGBUF);
		return;
	}
	fill_header(&r->header, process, RECORD_PROCESS);
	r->header.tgid = tgid;
	r->change = change;
	r->parent = parent;
	bpf_get_current_comm(r->comm, sizeof(r->comm));
	submit(r);
}

/* The traced process of the current task; makes it one if it may be. NULL: not traced. */
static __always_inline struct traced_process *trace_current(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct traced_process fresh = {}, *process = bpf_map_lookup_elem(&processes, &tgid);
	__u8 one = 1;

	if (!process) {
		if (chosen_only) {
			if (!bpf_map_lookup_elem(&candidates, &tgid)) {
				bpf_map_update_elem(&candidates, &tgid, &one, BPF_ANY);
				emit_process(NULL, tgid, PROCESS_CANDIDATE, 0);
			}
			return NULL;
		}
		bpf_map_update_elem(&processes, &tgid, &fresh, BPF_NOEXIST);
		process = bpf_map_lookup_elem(&processes, &tgid);
		if (!process) {
			count_drop(NULL, DROP_MAP_FULL);
			return NULL;
		}
	}
	if (!process->announced) {
		process->announced = 1;
		emit_process(process, tgid, PROCESS_TRACED, 0);
	}
	return process;
}

/* Names a file by its numbers and tells the file that has them now from those that had them before. */
static __always_inline bool identify(struct file *file, struct file_key *key, __u32 *generation)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if (!inode)
		return false;
	key->inode = BPF_CORE_READ(inode, i_ino);
	key->device = BPF_CORE_READ(inode, i_sb, s_dev);
	*generation = BPF_CORE_READ(inode, i_generation);
	return true;
}

/* An executable mapping of file by the current task. */
static __always_inline void file_mapped(struct file *file)
{
	struct file_mark fresh = {.state = FILE_ANNOUNCED, .known = 1}, *mark;
	struct file_key key = {};
	struct file_record *r;

	if (!identify(file, &key, &fresh.generation))
		return;
	mark = bpf_map_lookup_elem(&files, &key);
	if (mark && !mark->known) {
		mark->generation = fresh.generation;
		mark->known = 1;
	}
	if (mark && mark->generation == fresh.generation && mark->state != FILE_ANNOUNCED) {
		if (mark->state == FILE_PROBED)
			trace_current();
		else if (mark->state == FILE_LOOP)
			loop_mapped();
		return;
	}
	bpf_map_update_elem(&files, &key, &fresh, BPF_ANY);
	r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	if (!r) {
		count_drop(NULL, DROP_RINGBUF);
		return;
	}
	fill_header(&r->header, NULL, RECORD_FILE);
	r->file = key;
	submit(r);
}

static __always_inline void process_forked(__u32 parent_tgid, __u32 tgid, __u32 tid)
{
	struct traced_process fresh = {.announced = 1};

	if (tgid == parent_tgid) {
		thread_started(tgid, tid);
		return;
	}
	if (!bpf_map_lookup_elem(&processes, &parent_tgid))
		return;
	if (bpf_map_update_elem(&processes, &tgid, &fresh, BPF_ANY)) {
		count_drop(NULL, DROP_MAP_FULL);
		return;
	}
	python_forked(parent_tgid, tgid);
	emit_process(NULL, tgid, PROCESS_FORKED, parent_tgid);
}

static __always_inline void process_executed(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct traced_process *process = bpf_map_lookup_elem(&processes, &tgid);
	struct file *exe;

	if (process) {
		bpf_map_delete_elem(&pythons, &tgid);
		if (chosen_only) {
			/* a chosen process stays chosen, whatever it runs */
			emit_process(process, tgid, PROCESS_EXECUTED, 0);
		} else {
			emit_process(process, tgid, PROCESS_EXITED, 0);
			bpf_map_delete_elem(&processes, &tgid);
		}
	}
	exe = BPF_CORE_READ(task, mm, exe_file);
	if (exe)
		file_mapped(exe);
}

static __always_inline void process_exited(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32, tid = (__u32)id;
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct traced_process *process = bpf_map_lookup_elem(&processes, &tgid);

	if (!process)
		return;
	bpf_map_delete_elem(&calls, &id);
	bpf_map_delete_elem(&readers, &tid);
	if (BPF_CORE_READ(task, signal, live.counter)) { /* its last thread ends a process, whichever that is */
		emit_thread(process, THREAD_ENDED, tid);
		return;
	}
	emit_process(process, tgid, PROCESS_EXITED, 0);
	bpf_map_delete_elem(&pythons, &tgid);
	bpf_map_delete_elem(&processes, &tgid);
}

#endif
