/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* One program at the exit of every system call: the arguments are still in the saved registers, so no state is kept. Only select must be met at its
 * entry: its result takes the place of what it waits for. */
#ifndef TENANTRACE_SYSCALL_H
#define TENANTRACE_SYSCALL_H

#define S_IFIFO 0010000
/* Polled descriptors that are looked at; a wait for more is one for sockets. */
#define POLL_PIPES 4
/* Descriptors of a select that are looked at: FD_SETSIZE of the C libraries. */
#define SELECT_MAX 1024

struct pollfd {
	int fd;
	short events;
	short revents;
};

static __always_inline struct traced_process *traced_process(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	return bpf_map_lookup_elem(&processes, &tgid);
}

static __always_inline bool has_read(void)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&readers, &tid);
}

static __always_inline void waited(void)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct thread_waited_record *r;
	struct traced_process *process;

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

/* More than one descriptor is registered: the registrations are the nodes of a tree. */
static __always_inline bool epoll_of_many(int fd)
{
	struct file *file = file_of(fd);
	struct eventpoll *poll;
	struct rb_node *root;

	if (!file)
		return true;
	poll = BPF_CORE_READ(file, private_data);
	root = BPF_CORE_READ(poll, rbr.rb_root.rb_node);
	return root && (BPF_CORE_READ(root, rb_left) || BPF_CORE_READ(root, rb_right));
}

/* Whether one of the polled descriptors may be a socket: a wait for pipes alone is for a child process, not for clients. */
static __always_inline bool polls_socket(__u64 fds, __u64 count)
{
	struct pollfd p;
	struct file *file;
	struct inode *inode;

	if (count > POLL_PIPES)
		return true;
#pragma unroll
	for (int i = 0; i < POLL_PIPES; i++) {
		if ((__u64)i >= count)
			return false;
		if (bpf_probe_read_user(&p, sizeof(p), (void *)(fds + i * sizeof(p))))
			return true;
		file = file_of(p.fd);
		if (!file)
			continue;
		inode = BPF_CORE_READ(file, f_inode);
		if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFIFO)
			return true;
	}
	return false;
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
	struct transfer t = {.direction = DIRECTION_IN}, same;
	int fd = (int)regs->SYSCALL_ARG0;
	struct user_msghdr m = {};
	struct task task = {};
	__u32 class;

	switch (number) {
	case NR_SENDFILE:
		t.direction = DIRECTION_OUT;
		break;
	case NR_WRITE:
	case NR_SENDTO:
		t.direction = DIRECTION_OUT;
		t.buffer = regs->SYSCALL_ARG1;
		t.asked = regs->SYSCALL_ARG2;
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
			count_drop(process, DROP_READ_FAULT); /* known by number only: the positions must go on */
			m.iov = 0;
		}
		t.iov = m.iov;
		t.iov_count = m.iov_count;
		break;
	default:
		t.buffer = regs->SYSCALL_ARG1;
	}
	if (t.direction == DIRECTION_IN)
		loop_read(); /* here, where least is known that the verifier would go on with */
	if (ret) {
		/* The same for all system calls to the verifier, so that what follows is verified once (before Linux 6.12 it was ten times). */
		bpf_probe_read_kernel(&same, sizeof(same), &t);
		class = transferred(process, fd, &same, ret);
		if (class) {
			if (python_of_current())
				transfer_task(&same, &task, class, ret);
			/* Again the same for all. In place: from one to the other costs a fourth more. */
			bpf_probe_read_kernel(&same, sizeof(same), &same);
			bpf_probe_read_kernel(&task, sizeof(task), &task);
			emit_transfer(process, &same, &task, ret);
		}
	} else if (t.direction == DIRECTION_IN)
		end_of_stream(process, fd);
}

/* Whether more than one descriptor is in the three sets of a select. None is a sleep (Python's, before 3.11), one a blocking wait. */
static __always_inline bool selects_many(struct pt_regs *regs)
{
	__u64 count = regs->SYSCALL_ARG0, set, word, any = 0;

	if (count > SELECT_MAX)
		return true;
	for (int i = 0; i < SELECT_MAX / 64; i++) {
		if ((__u64)i * 64 >= count)
			return false;
		word = 0;
#pragma unroll
		for (int k = 0; k < 3; k++) {
			__u64 from = k == 0 ? regs->SYSCALL_ARG1 : k == 1 ? regs->SYSCALL_ARG2 : regs->SYSCALL_ARG3;

			if (!from)
				continue;
			if (bpf_probe_read_user(&set, sizeof(set), (void *)(from + i * sizeof(set))))
				return true;
			word |= set;
		}
		if (word && (any || (word & (word - 1))))
			return true;
		any |= word;
	}
	return false;
}

static __always_inline void syscall_entered(struct pt_regs *regs, long number)
{
	if (number == NR_MUNMAP)
		memory_unmapped(regs->SYSCALL_ARG0);
	if (number == NR_SELECT || number == NR_PSELECT6)
		loop_turns();
	if ((number == NR_SELECT || number == NR_PSELECT6) && has_read() && selects_many(regs))
		waited();
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
			loop_turns();
		if (regs->SYSCALL_ARG1 > 1 && has_read() && polls_socket(regs->SYSCALL_ARG0, regs->SYSCALL_ARG1))
			waited();
		return;
	case NR_EPOLL_WAIT:
	case NR_EPOLL_PWAIT:
	case NR_EPOLL_PWAIT2:
		loop_turns();
		if (has_read() && epoll_of_many((int)regs->SYSCALL_ARG0))
			waited();
		return;
	case NR_CONNECT:
		if (ret && ret != -EINPROGRESS)
			return;
		break;
	case NR_WRITE:
	case NR_SENDTO:
	case NR_WRITEV:
	case NR_SENDMSG:
		if (ret == -EAGAIN)
			write_refused((int)regs->SYSCALL_ARG0);
		if (ret < 0)
			return;
		break;
	case NR_ACCEPT:
	case NR_ACCEPT4:
	case NR_READ:
	case NR_RECVFROM:
	case NR_READV:
	case NR_RECVMSG:
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
