/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The ABI between the eBPF programs and Go: every record of the ring buffer and every value that Go writes into a map. bpf2go generates the Go
 * side from these declarations. Explicit padding only; multi-byte fields are in host order unless their comment says otherwise. */
#ifndef TENANTRACE_EVENTS_H
#define TENANTRACE_EVENTS_H

/* Bytes of payload in one data record: the three sizes that a record comes in. A longer payload is cut into chunks. */
#define DATA_SMALL 512
#define DATA_MEDIUM 4096
#define DATA_LARGE 16384
/* Chunks of DATA_LARGE bytes captured of one call; what is beyond is counted in `length` only. */
#define DATA_CHUNKS 4
/* The same of a database session where the kernel has bpf_loop: between its messages nothing may be missing. */
#define DATA_CHUNKS_LOOP 64
#define SIGNATURE_MAX 1024
#define RANDOM_SIZE 32
#define UNIX_PATH_SIZE 108
/* TLSEXT_MAXLEN_host_name and a zero byte. */
#define HOST_NAME_SIZE 256

enum record_type {
	RECORD_PROCESS = 1,
	RECORD_FILE,
	RECORD_SOCKET,
	RECORD_SOCKET_CLOSED,
	RECORD_SOCKET_DATA,
	RECORD_TLS_IDENTITY,
	RECORD_TLS_DATA,
	RECORD_TLS_FREED,
	RECORD_THREAD_WAITED,
	RECORD_THREAD,
};

/* Every record starts with this. */
struct record_header {
	__u64 time; /* CLOCK_BOOTTIME, ns */
	__u32 type; /* enum record_type */
	__u32 tgid;
	__u32 tid;
	__u32 lost; /* records of this process lost so far, modulo 2^32 */
};

enum process_change {
	PROCESS_FORKED = 1, /* child of a traced process */
	PROCESS_EXECUTED,   /* a traced process runs another program */
	PROCESS_EXITED,
	PROCESS_TRACED,	   /* first call into a known library */
	PROCESS_CANDIDATE, /* the same, while only chosen processes are traced: Go decides */
};

struct process_record {
	struct record_header header;
	__u32 change; /* enum process_change */
	__u32 parent; /* of a forked one: tgid */
	__u8 comm[16];
};

/* An executable file that has not been looked at yet was mapped. */
struct file_key {
	__u64 inode;
	__u32 device; /* kernel's dev_t: major << 20 | minor */
	__u32 pad;
};

struct file_record {
	struct record_header header;
	struct file_key file;
};

enum file_state {
	FILE_IGNORED = 1, /* exports nothing of interest */
	FILE_PROBED,	  /* probes are attached: processes that map it are traced */
	FILE_LOOP,	  /* an event loop that reads plain sockets outside of the contexts of its connections (uvloop) */
	FILE_ANNOUNCED,	  /* Go was asked to look at it, and will be until it has */
};

/* What was found in a file. Its number is another's once it is deleted, so that the file itself must be told apart. */
struct file_mark {
	__u32 state; /* enum file_state */
	__u32 generation;
	__u32 known; /* the generation is; else that of the next mapping is taken for it */
};

/* What a socket carries. TLS: its bytes are of no use outside the library. */
enum socket_class {
	CLASS_UNKNOWN = 0,
	CLASS_OTHER,
	CLASS_TLS,
	CLASS_HTTP,
	CLASS_POSTGRESQL,
	CLASS_MYSQL,
};

enum socket_origin {
	ORIGIN_LATE = 0, /* first seen at a read or write */
	ORIGIN_CONNECTED,
	ORIGIN_ACCEPTED,
};

/* A socket's identity is the pair: pointers are reused within milliseconds. */
struct socket_id {
	__u64 sk;
	__u64 inode;
};

struct socket_record {
	struct record_header header;
	struct socket_id socket;
	__u32 class;  /* enum socket_class */
	__u32 origin; /* enum socket_origin */
	__u16 family; /* AF_INET 2, AF_INET6 10, AF_UNIX 1 */
	__u16 local_port;
	__u16 remote_port;
	__u16 pad;
	__u8 local[16]; /* network order; IPv4 in the first four */
	__u8 remote[16];
	__u8 path[UNIX_PATH_SIZE]; /* AF_UNIX: of the listening side */
	__u32 pad2;
};

struct socket_closed_record {
	struct record_header header;
	struct socket_id socket;
};

enum direction {
	DIRECTION_IN = 0, /* read by the process */
	DIRECTION_OUT,
};

enum task_state {
	TASK_UNKNOWN = 0, /* not asked: no CPython, or no statement and no request; or the thread has no context */
	TASK_NONE,	  /* nothing that works for a request runs */
	TASK_DIRECT,	  /* the very context that read */
	TASK_GREENLET,	  /* the same, and the greenlet that read: nothing else runs in it */
	TASK_COPY,	  /* one that descends from it */
	TASK_SHARED,	  /* one that read for several connections, or may: a loop's, a thread's own */
	TASK_UNREADABLE,  /* user memory was not resident */
	TASK_FOREIGN,	  /* not a thread of the interpreter */
	TASK_BACKLOG,	  /* what was written had waited for room, and may be another's */
	TASK_STATES,
};

/* For which request the running code of a CPython process works: that of the connection whose last byte until then came with the read of this number. */
struct task {
	__u64 object; /* the SSL object, or the sk of a plain socket */
	__u64 nonce;  /* the first bytes of the client's random, or the inode */
	__u64 read;   /* 1 + bytes of the connection before the read; 0: the connection's handshake, before any read */
	__u32 state;  /* enum task_state */
	__u32 tls;
};

/* A piece of one call's payload. The call moved `length` bytes in all pieces from `offset`; the stream offset of this piece is `offset`. */
struct socket_data_record {
	struct record_header header;
	struct socket_id socket;
	__u64 offset;	 /* bytes of this direction before this piece */
	__u32 length;	 /* bytes that this piece stands for; captured <= length */
	__u32 captured;	 /* bytes in data */
	__u32 direction; /* enum direction */
	__u32 class;	 /* enum socket_class */
	struct task task;
};

enum tls_flags {
	TLS_SERVER = 1,
	TLS_HAS_PEER = 2,
	TLS_UNREADABLE = 4, /* a read from the SSL object failed: the fields are not known */
	TLS_FROM_D2I = 8,   /* DER of the whole certificate from d2i_X509; verification is not known */
	TLS_ROLE_UNKNOWN = 16,
	TLS_RESUMED = 32, /* the handshake resumed a session */
	/* how the socket is known, if there is one; neither: its bytes were received inside of a call on the SSL object */
	TLS_SOCKET_BY_RANDOM = 0x10000,
	TLS_SOCKET_BY_CIPHERTEXT = 0x20000,
	TLS_SOCKET_REFUSED = 0x40000, /* another connection's random was shown */
};

struct tls_identity_record {
	struct record_header header;
	__u64 ssl;
	struct socket_id socket; /* zero while not known */
	__s64 verify_result;
	__s64 session_result; /* that of the handshake that made the session; 0 also while not known */
	__u64 session_time;   /* ns since the Unix epoch, when a resumed session was made; 0 not known */
	__u32 verify_mode;
	__u32 version; /* TLS1_2_VERSION 0x0303, … */
	__u32 flags;   /* enum tls_flags */
	__u32 length;  /* bytes of the TBSCertificate (or certificate) */
	__u32 captured;
	__u32 signature_length; /* bytes of the signature; over SIGNATURE_MAX none is captured */
	__u8 random[RANDOM_SIZE];
	__u8 signature[SIGNATURE_MAX];
	__u8 server_name[HOST_NAME_SIZE];  /* of this handshake, ends with a zero byte */
	__u8 session_name[HOST_NAME_SIZE]; /* of the one that made the session that was resumed */
};

struct tls_data_record {
	struct record_header header;
	__u64 ssl;
	struct socket_id socket;
	__u64 offset;
	__u32 length;
	__u32 captured;
	__u32 direction;
	__u32 flags; /* enum tls_flags */
	__u8 random[RANDOM_SIZE];
	struct task task;
};

struct tls_freed_record {
	struct record_header header;
	__u64 ssl;
};

struct thread_waited_record {
	struct record_header header;
};

enum thread_change {
	THREAD_STARTED = 1, /* header.tid created it */
	THREAD_ENDED,	    /* and the process goes on */
};

struct thread_record {
	struct record_header header;
	__u32 change; /* enum thread_change */
	__u32 thread; /* its id */
};

/* Where a call's length is found. */
enum length_from {
	LENGTH_NONE = 0,
	LENGTH_RETURN,	 /* the int returned */
	LENGTH_ARGUMENT, /* size_t behind a pointer argument, if 1 was returned */
};

enum call_kind {
	CALL_HANDSHAKE = 0,
	CALL_READ,
	CALL_WRITE,
	CALL_PEEK,
};

/* What Go learned of one library: offsets in bytes. */
struct library {
	__u32 known; /* 0: no offsets, d2i_X509 only */
	__u32 quic;  /* the int at SSL+0 must be 0 */
	__u32 session;
	__u32 peer;
	__u32 tbs;
	__u32 signature;
	__u32 server;
	__u32 verify_result;
	__u32 verify_mode;
	__u32 version;
	__u32 client_random;
	__u32 client_random_base; /* 0: in the SSL itself, else offset of the pointer to what holds it */
	/* each 0 while not known */
	__u32 hit;
	__u32 server_name;
	__u32 in_init;
	__u32 state;
	__u32 session_name;
	__u32 session_time;
	__u32 session_time_unit; /* ns in one of what is there */
	__u32 session_result;
};

enum python_flags {
	PYTHON_LOOP_READS = 1, /* an event loop reads plain sockets outside of the contexts of its connections (uvloop) */
};

/* What Go learned of the interpreter of one process: offsets in bytes. */
struct python {
	__u64 epoch;
	__u32 slot;	 /* of the thread's state, from the thread pointer */
	__u32 thread_id; /* in a thread's state */
	__u32 context;
	__u32 chunk; /* of the frames' stack; 0: greenlets are not told apart */
	__u32 flags; /* enum python_flags */
	__s32 bound; /* contexts that are bound now */
};

/* Why data was lost. Counted per CPU. */
enum drop {
	DROP_RINGBUF = 0, /* no room in the ring buffer */
	DROP_MAP_FULL,	  /* no room in a map */
	DROP_READ_FAULT,  /* user memory was not resident */
	DROP_NESTED,	  /* a TLS call inside a call on another connection */
	DROP_IOVEC,	  /* more segments than are captured: their bytes are known by number only */
	DROP_TASKS,	  /* no room for a context: what it does has no task */
	DROP_REASONS,
};

enum control_operation {
	CONTROL_TRACE = 1,   /* -EEXIST: it is traced already */
	CONTROL_UNTRACE,     /* -ENOENT: it was not */
	CONTROL_LOST,	     /* -ENOENT: it is not traced */
	CONTROL_MARK_FILE,   /* answers with the file's numbers */
	CONTROL_FORGET_FILE, /* -ENOENT: it was not known */
	CONTROL_SEEK,	     /* -ENOENT: the process is not traced */
	CONTROL_PYTHON,	     /* -ENOENT: the process is not traced */
	CONTROL_NO_TASKS,    /* all contexts are forgotten */
};

/* What Go asks for, and the answer. */
struct control {
	__u32 operation; /* enum control_operation */
	__s32 result;	 /* 0 or a negative errno */
	__u32 pid;
	__u32 lost;
	__u64 inode;
	__u32 device;
	__u32 state; /* enum file_state; of CONTROL_SEEK: on or off */
	__s32 fd;    /* of the file to be marked, in the asking process */
	__u32 pad;
	struct python python;
};

struct traced_process {
	__u32 lost;
	__u32 announced; /* PROCESS_TRACED was sent */
	__u32 seeking;	 /* what its sockets receive is shown: the sockets of older TLS connections are sought */
};

#endif
