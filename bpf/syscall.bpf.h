/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One program at the exit of every system call: the arguments are still in the saved registers, so no entry program and no state is needed. */
#ifndef TENANTRACE_SYSCALL_H
#define TENANTRACE_SYSCALL_H

/* One saved register of the system call. */
#define SYSCALL_ARGUMENT(regs, field) saved_register(&(regs)->field)

static __always_inline __u64 saved_register(const void *at)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), at);
	return value;
}

static __always_inline void waited(struct traced_process *process)
{
	struct thread_waited_record *r;
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

	if (!bpf_map_lookup_elem(&readers, &tid))
		return;
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
	if (!(SYSCALL_ARGUMENT(regs, SYSCALL_ARG2) & PROT_EXEC))
		return;
	file = file_of((int)SYSCALL_ARGUMENT(regs, SYSCALL_ARG4));
	if (file)
		file_mapped(file);
}

static __always_inline void syscall_exited(struct pt_regs *regs, long ret)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct traced_process *process = bpf_map_lookup_elem(&processes, &tgid);
	struct transfer t = {.direction = DIRECTION_IN};
	struct socket_id id = {};
	struct user_msghdr m = {};
	int number = 0, fd;

	bpf_probe_read_kernel(&number, sizeof(number), &regs->SYSCALL_NUMBER);
	if (number == NR_MMAP) {
		executable_mapped(regs, ret);
		return;
	}
	if (!process)
		return;
	switch (number) {
	case NR_WRITE:
	case NR_SENDTO:
	case NR_WRITEV:
	case NR_SENDMSG:
	case NR_SENDFILE:
		t.direction = DIRECTION_OUT;
		break;
	case NR_READ:
	case NR_RECVFROM:
	case NR_READV:
	case NR_RECVMSG:
	case NR_CONNECT:
	case NR_ACCEPT:
	case NR_ACCEPT4:
	case NR_POLL:
	case NR_PPOLL:
		break;
	case NR_EPOLL_WAIT:
	case NR_EPOLL_PWAIT:
	case NR_EPOLL_PWAIT2:
	case NR_SELECT:
	case NR_PSELECT6:
		waited(process);
		return;
	default:
		return;
	}
	fd = (int)SYSCALL_ARGUMENT(regs, SYSCALL_ARG0);
	switch (number) {
	case NR_POLL:
	case NR_PPOLL:
		if (SYSCALL_ARGUMENT(regs, SYSCALL_ARG1) > 1)
			waited(process);
		return;
	case NR_CONNECT:
		if ((!ret || ret == -EINPROGRESS) && socket_of(fd, &id))
			socket_seen(process, &id, ORIGIN_CONNECTED);
		return;
	case NR_ACCEPT:
	case NR_ACCEPT4:
		if (ret >= 0 && socket_of((int)ret, &id))
			socket_seen(process, &id, ORIGIN_ACCEPTED);
		return;
	case NR_SENDFILE:
		break;
	case NR_READV:
	case NR_WRITEV:
		t.iov = SYSCALL_ARGUMENT(regs, SYSCALL_ARG1);
		t.iov_count = SYSCALL_ARGUMENT(regs, SYSCALL_ARG2);
		break;
	case NR_RECVMSG:
		if (SYSCALL_ARGUMENT(regs, SYSCALL_ARG2) & MSG_PEEK)
			return;
		/* fall through */
	case NR_SENDMSG:
		if (ret > 0 && bpf_probe_read_user(&m, sizeof(m), (void *)SYSCALL_ARGUMENT(regs, SYSCALL_ARG1))) {
			count_drop(process, DROP_READ_FAULT);
			return;
		}
		t.iov = m.iov;
		t.iov_count = m.iov_count;
		break;
	case NR_RECVFROM:
		if (SYSCALL_ARGUMENT(regs, SYSCALL_ARG3) & MSG_PEEK)
			return;
		/* fall through */
	default:
		t.buffer = SYSCALL_ARGUMENT(regs, SYSCALL_ARG1);
	}
	if (ret > 0)
		transferred(process, fd, &t, ret);
	else if (!ret && t.direction == DIRECTION_IN)
		end_of_stream(process, fd);
}

#endif
