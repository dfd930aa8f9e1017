// Package bpf holds the eBPF programs, the ABI that they share with Go (events.h), and the generated bindings with the compiled objects.
package bpf

//go:generate go tool bpf2go -cc clang -strip llvm-strip -target amd64,arm64 -go-package bpf -output-stem tracer -cflags "-O2 -g -Wall -Werror -Wpadded -Wno-unused-function -ffile-prefix-map=.=bpf -Iheaders" -type record_header -type process_record -type file_record -type socket_record -type socket_closed_record -type socket_data_record -type tls_identity_record -type tls_data_record -type tls_freed_record -type thread_waited_record -type thread_record -type thread_change -type task -type task_state -type python -type python_flags -type library -type control -type control_operation -type file_key -type socket_id -type traced_process -type record_type -type process_change -type file_state -type socket_class -type socket_origin -type direction -type tls_flags -type length_from -type call_kind -type drop Tracer tracer.bpf.c

// RandomSize is the size of a ClientHello's random in bytes (RFC 8446, section 4.1.2).
const RandomSize = 32

// DataLarge is the most bytes that one record carries of what was moved (DATA_LARGE): a record that is full may be followed by another one of the same call.
const DataLarge = 16384
