/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What differs between architectures: registers and system call numbers. At sys_exit x86 still holds all arguments in their registers; arm64 has
 * overwritten the first with the return value and keeps it in orig_x0. */
#ifndef TENANTRACE_ARCH_H
#define TENANTRACE_ARCH_H

#if defined(__TARGET_ARCH_x86)

#define CALL_ARG0(context) ((context)->di)
#define CALL_ARG1(context) ((context)->si)
#define CALL_ARG2(context) ((context)->dx)
#define CALL_ARG3(context) ((context)->cx)
#define CALL_ARG4(context) ((context)->r8)
#define CALL_RETURN(context) ((context)->ax)
#define CALL_STACK(context) ((context)->sp)

#define SYSCALL_NUMBER orig_ax
#define SYSCALL_ARG0 di
#define SYSCALL_ARG1 si
#define SYSCALL_ARG2 dx
#define SYSCALL_ARG3 r10
#define SYSCALL_ARG4 r8

enum {
	NR_READ = 0,
	NR_WRITE = 1,
	NR_POLL = 7,
	NR_MMAP = 9,
	NR_MUNMAP = 11,
	NR_READV = 19,
	NR_WRITEV = 20,
	NR_SELECT = 23,
	NR_SENDFILE = 40,
	NR_CONNECT = 42,
	NR_ACCEPT = 43,
	NR_SENDTO = 44,
	NR_RECVFROM = 45,
	NR_SENDMSG = 46,
	NR_RECVMSG = 47,
	NR_EPOLL_WAIT = 232,
	NR_PSELECT6 = 270,
	NR_PPOLL = 271,
	NR_EPOLL_PWAIT = 281,
	NR_ACCEPT4 = 288,
	NR_EPOLL_PWAIT2 = 441,
};

#elif defined(__TARGET_ARCH_arm64)

#define CALL_ARG0(context) ((context)->regs[0])
#define CALL_ARG1(context) ((context)->regs[1])
#define CALL_ARG2(context) ((context)->regs[2])
#define CALL_ARG3(context) ((context)->regs[3])
#define CALL_ARG4(context) ((context)->regs[4])
#define CALL_RETURN(context) ((context)->regs[0])
#define CALL_STACK(context) ((context)->sp)

#define SYSCALL_NUMBER syscallno
#define SYSCALL_ARG0 orig_x0
#define SYSCALL_ARG1 regs[1]
#define SYSCALL_ARG2 regs[2]
#define SYSCALL_ARG3 regs[3]
#define SYSCALL_ARG4 regs[4]

/* arm64 has no poll, select and epoll_wait: numbers that never occur keep the switch the same. */
enum {
	NR_EPOLL_PWAIT = 22,
	NR_READ = 63,
	NR_WRITE = 64,
	NR_READV = 65,
	NR_WRITEV = 66,
	NR_SENDFILE = 71,
	NR_PSELECT6 = 72,
	NR_PPOLL = 73,
	NR_ACCEPT = 202,
	NR_CONNECT = 203,
	NR_SENDTO = 206,
	NR_RECVFROM = 207,
	NR_SENDMSG = 211,
	NR_RECVMSG = 212,
	NR_MUNMAP = 215,
	NR_MMAP = 222,
	NR_ACCEPT4 = 242,
	NR_EPOLL_PWAIT2 = 441,
	NR_POLL = 100001,
	NR_SELECT = 100002,
	NR_EPOLL_WAIT = 100003,
};

#else
#error "unsupported architecture"
#endif

#endif
