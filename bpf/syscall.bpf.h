/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One program at the exit of every system call: the arguments are still in the saved registers, so no entry program and no state is needed. */
#ifndef TENANTRACE_SYSCALL_H
#define TENANTRACE_SYSCALL_H

static __always_inline struct traced_process *traced_process(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	return bpf_map_lookup_elem(&processes, &tgid);
}

static __always_inline void waited(void)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct thread_waited_record *r;
	struct traced_process *process;

	if (!bpf_map_lookup_elem(&readers, &tid))
		return;
	process = traced_process();
	bpf_map_delete_elem(&readers, &tid);
	r = bpf_ringbuf_reserve(&events, sizeof(*r), 0);
	if (!r) {
		count_drop(process, DROP_RINGBUF);
		return;
	}
	fill_header(&r->header, process, RECORD_THREAD_WAITED);
	submit(r);
}

static __always_inline void executable_mapped(struct pt_regs *regs, long ret)
{
	struct file *file;

	if (ret < 0 && ret > -4096)
		return;
	if (!(regs->SYSCALL_ARG2 & PROT_EXEC))
		return;
	file = file_of((int)regs->SYSCALL_ARG4);
	if (file)
		file_mapped(file);
}

/* A transfer of a traced process: the system call's arguments say where its bytes are. */
static __always_inline void transfer_exited(struct traced_process *process, struct pt_regs *regs, int number, long ret)
{
	struct transfer t = {.direction = DIRECTION_IN};
	int fd = (int)regs->SYSCALL_ARG0;
	struct user_msghdr m = {};

	switch (number) {
	case NR_SENDFILE:
		t.direction = DIRECTION_OUT;
		break;
	case NR_WRITE:
	case NR_SENDTO:
		t.direction = DIRECTION_OUT;
		t.buffer = regs->SYSCALL_ARG1;
		break;
	case NR_RECVFROM:
		if (regs->SYSCALL_ARG3 & MSG_PEEK)
			return;
		t.buffer = regs->SYSCALL_ARG1;
		break;
	case NR_WRITEV:
		t.direction = DIRECTION_OUT;
		t.iov = regs->SYSCALL_ARG1;
		t.iov_count = regs->SYSCALL_ARG2;
		break;
	case NR_READV:
		t.iov = regs->SYSCALL_ARG1;
		t.iov_count = regs->SYSCALL_ARG2;
		break;
	case NR_RECVMSG:
	case NR_SENDMSG:
		if (number == NR_SENDMSG)
			t.direction = DIRECTION_OUT;
		else if (regs->SYSCALL_ARG2 & MSG_PEEK)
			return;
		if (ret && bpf_probe_read_user(&m, sizeof(m), (void *)regs->SYSCALL_ARG1)) {
			count_drop(process, DROP_READ_FAULT);
			return;
		}
		t.iov = m.iov;
		t.iov_count = m.iov_count;
		break;
	default:
		t.buffer = regs->SYSCALL_ARG1;
	}
	if (ret)
		transferred(process, fd, &t, ret);
	else if (t.direction == DIRECTION_IN)
		end_of_stream(process, fd);
}

/* Runs for every system call of the host: what is of no interest must leave before the first look-up. */
static __always_inline void syscall_exited(struct pt_regs *regs, long ret)
{
	int number = (int)regs->SYSCALL_NUMBER;
	struct traced_process *process;
	struct socket_id id = {};

	switch (number) {
	case NR_MMAP:
		executable_mapped(regs, ret);
		return;
	case NR_POLL:
	case NR_PPOLL:
		if (regs->SYSCALL_ARG1 > 1)
			waited();
		return;
	case NR_EPOLL_WAIT:
	case NR_EPOLL_PWAIT:
	case NR_EPOLL_PWAIT2:
	case NR_SELECT:
	case NR_PSELECT6:
		waited();
		return;
	case NR_CONNECT:
		if (ret && ret != -EINPROGRESS)
			return;
		break;
	case NR_ACCEPT:
	case NR_ACCEPT4:
	case NR_READ:
	case NR_RECVFROM:
	case NR_READV:
	case NR_RECVMSG:
	case NR_WRITE:
	case NR_SENDTO:
	case NR_WRITEV:
	case NR_SENDMSG:
	case NR_SENDFILE:
		if (ret < 0)
			return;
		break;
	default:
		return;
	}
	process = traced_process();
	if (!process)
		return;
	switch (number) {
	case NR_CONNECT:
		if (socket_of((int)regs->SYSCALL_ARG0, &id))
			socket_seen(process, &id, ORIGIN_CONNECTED);
		return;
	case NR_ACCEPT:
	case NR_ACCEPT4:
		if (socket_of((int)ret, &id))
			socket_seen(process, &id, ORIGIN_ACCEPTED);
		return;
	}
	transfer_exited(process, regs, number, ret);
}

#endif
