/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What Go asks of the maps while programs run. The bpf system call would do it too, but while it is in a map the kernel leaves out the programs of perf events
 * on its processor, also of threads that preempt it (bpf_disable_instrumentation, include/linux/bpf.h). A program of type syscall has no such effect. */
#ifndef TENANTRACE_CONTROL_H
#define TENANTRACE_CONTROL_H

static __always_inline void controlled(struct control *c)
{
	struct traced_process fresh = {.announced = 1}, *process;
	struct file_key key = {.inode = c->inode, .device = c->device};
	struct file_mark mark = {.state = c->state, .known = 1};
	struct python python, *known;
	struct file *file;
	__u32 pid = c->pid, zero = 0;
	__u64 *all;

	c->result = 0;
	switch (c->operation) {
	case CONTROL_TRACE:
		c->result = bpf_map_update_elem(&processes, &pid, &fresh, BPF_NOEXIST);
		break;
	case CONTROL_UNTRACE:
		c->result = bpf_map_delete_elem(&processes, &pid);
		break;
	case CONTROL_LOST:
		process = bpf_map_lookup_elem(&processes, &pid);
		if (process)
			c->lost = process->lost;
		else
			c->result = -ENOENT;
		break;
	case CONTROL_MARK_FILE:
		file = file_of(c->fd);
		if (!file || !identify(file, &key, &mark.generation)) {
			c->result = -EBADF;
			break;
		}
		c->inode = key.inode;
		c->device = key.device;
		c->result = bpf_map_update_elem(&files, &key, &mark, BPF_ANY);
		break;
	case CONTROL_PYTHON:
		if (!bpf_map_lookup_elem(&processes, &pid)) {
			c->result = -ENOENT;
			break;
		}
		python = c->python;
		known = bpf_map_lookup_elem(&pythons, &pid);
		if (known && same_python(known, &python))
			break; /* a fork has it of its parent, and contexts already */
		python.epoch = bpf_ktime_get_ns();
		python.bound = 0;
		c->result = bpf_map_update_elem(&pythons, &pid, &python, BPF_ANY);
		break;
	case CONTROL_NO_TASKS:
		all = bpf_map_lookup_elem(&task_epochs, &zero);
		if (all)
			*all += 1;
		break;
	case CONTROL_FORGET_FILE:
		c->result = bpf_map_delete_elem(&files, &key);
		break;
	case CONTROL_SEEK:
		process = bpf_map_lookup_elem(&processes, &pid);
		if (process)
			process->seeking = c->state;
		else
			c->result = -ENOENT;
		break;
	}
}

#endif
