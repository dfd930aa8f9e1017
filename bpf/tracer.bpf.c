//go:build ignore
// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The programs: shims only. The logic is in <subject>.bpf.h. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "arch.h"
#include "events.h"
#include "maps.bpf.h"
#include "hold.bpf.h"
#include "emit.bpf.h"
#include "thread.bpf.h"
#include "cpython.bpf.h"
#include "process.bpf.h"
#include "classify.bpf.h"
#include "hello.bpf.h"
#include "socket.bpf.h"
#include "session.bpf.h"
#include "identity.bpf.h"
#include "ladder.bpf.h"
#include "tls.bpf.h"
#include "ciphertext.bpf.h"
#include "task.bpf.h"
#include "syscall.bpf.h"
#include "control.bpf.h"

/* bpf2go generates Go types for what the object's BTF holds: these keep them there. */
const struct record_header *unused_header __attribute__((unused));
const struct process_record *unused_process __attribute__((unused));
const struct file_record *unused_file __attribute__((unused));
const struct socket_record *unused_socket __attribute__((unused));
const struct socket_closed_record *unused_socket_closed __attribute__((unused));
const struct socket_data_record *unused_socket_data __attribute__((unused));
const struct tls_identity_record *unused_tls_identity __attribute__((unused));
const struct tls_data_record *unused_tls_data __attribute__((unused));
const struct tls_freed_record *unused_tls_freed __attribute__((unused));
const struct thread_waited_record *unused_thread_waited __attribute__((unused));
const struct thread_record *unused_thread __attribute__((unused));
const enum thread_change *unused_thread_change __attribute__((unused));
const struct task *unused_task __attribute__((unused));
const enum task_state *unused_task_state __attribute__((unused));
const struct python *unused_python __attribute__((unused));
const enum python_flags *unused_python_flags __attribute__((unused));
const struct control *unused_control __attribute__((unused));
const enum control_operation *unused_control_operation __attribute__((unused));
const enum record_type *unused_record_type __attribute__((unused));
const enum process_change *unused_process_change __attribute__((unused));
const enum file_state *unused_file_state __attribute__((unused));
const struct file_mark *unused_file_mark __attribute__((unused));
const enum socket_class *unused_socket_class __attribute__((unused));
const enum socket_origin *unused_socket_origin __attribute__((unused));
const enum direction *unused_direction __attribute__((unused));
const enum tls_flags *unused_tls_flags __attribute__((unused));
const enum length_from *unused_length_from __attribute__((unused));
const enum call_kind *unused_call_kind __attribute__((unused));
const enum drop *unused_drop __attribute__((unused));

_Static_assert(sizeof(struct record_header) == 24, "ABI");
_Static_assert(sizeof(struct process_record) == 48, "ABI");
_Static_assert(sizeof(struct thread_record) == 32, "ABI");
_Static_assert(sizeof(struct socket_record) == 200, "ABI");
_Static_assert(sizeof(struct socket_data_record) == 96, "ABI");
_Static_assert(sizeof(struct tls_identity_record) == 1664, "ABI");
_Static_assert(sizeof(struct tls_data_record) == 136, "ABI");

struct raw_tracepoint_args {
	__u64 args[3];
};

SEC("uprobe/tls_call")
int tls_call_enter(struct pt_regs *ctx)
{
	return HELD(call_entered(ctx));
}

SEC("uretprobe/tls_call")
int tls_call_exit(struct pt_regs *ctx)
{
	return HELD(call_exited(ctx));
}

SEC("uprobe/d2i_X509")
int d2i_x509_enter(struct pt_regs *ctx)
{
	return HELD(certificate_decoded(ctx));
}

SEC("uprobe/SSL_free")
int ssl_free_enter(struct pt_regs *ctx)
{
	return HELD(ssl_freed(ctx));
}

SEC("uprobe/BIO_read")
int bio_read_enter(struct pt_regs *ctx)
{
	return HELD(bio_read_entered(ctx));
}

SEC("uretprobe/BIO_read")
int bio_read_exit(struct pt_regs *ctx)
{
	return HELD(bio_read_exited(ctx));
}

SEC("uretprobe/PyContext_CopyCurrent")
int context_copy_exit(struct pt_regs *ctx)
{
	return HELD(context_copied(ctx));
}

SEC("uprobe/context_tp_dealloc")
int context_free_enter(struct pt_regs *ctx)
{
	return HELD(context_freed(ctx));
}

/* With BTF: the saved registers are read directly, not through a helper. */
SEC("tp_btf/sys_enter")
int sys_enter(__u64 *ctx)
{
	return HELD(syscall_entered((struct pt_regs *)ctx[0], (long)ctx[1]));
}

SEC("tp_btf/sys_exit")
int sys_exit(__u64 *ctx)
{
	return HELD(syscall_exited((struct pt_regs *)ctx[0], (long)ctx[1]));
}

SEC("raw_tracepoint/sched_process_fork")
int sched_process_fork(struct raw_tracepoint_args *ctx)
{
	struct task_struct *parent = (struct task_struct *)ctx->args[0], *child = (struct task_struct *)ctx->args[1];

	return HELD(process_forked(BPF_CORE_READ(parent, tgid), BPF_CORE_READ(child, tgid), BPF_CORE_READ(child, pid)));
}

SEC("raw_tracepoint/sched_process_exec")
int sched_process_exec(struct raw_tracepoint_args *ctx)
{
	return HELD(process_executed());
}

SEC("raw_tracepoint/sched_process_exit")
int sched_process_exit(struct raw_tracepoint_args *ctx)
{
	return HELD(process_exited());
}

SEC("raw_tracepoint/inet_sock_set_state")
int inet_sock_set_state(struct raw_tracepoint_args *ctx)
{
	return HELD(tcp_state_changed((struct sock *)ctx->args[0], (int)ctx->args[2]));
}

/* The same by perf events, for kernels that preempt programs of raw tracepoints: what another thread meets meanwhile would be left out, and holding the
 * processor leaves the moments before and after. The kernel runs these with preemption off. The other tracepoints are too rare for this to matter, and as
 * perf events would be left out where they interrupt one of these. */
SEC("tracepoint/raw_syscalls/sys_enter")
int sys_enter_event(struct trace_event_raw_sys_enter *ctx)
{
	syscall_entered((struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf()), ctx->id);
	return 0;
}

SEC("tracepoint/raw_syscalls/sys_exit")
int sys_exit_event(struct trace_event_raw_sys_exit *ctx)
{
	syscall_exited((struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf()), ctx->ret);
	return 0;
}

SEC("syscall")
int run_control(struct control *c)
{
	return HELD(controlled(c));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
