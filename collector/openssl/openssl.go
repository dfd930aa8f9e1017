// Package openssl learns from an ELF file with OpenSSL inside, a libssl or an executable that has it linked in, what probes need to
// read TLS connections from outside: where to attach, and at which offsets OpenSSL's structures hold what identifies the peer.
//
// The offsets come from the machine code of OpenSSL's own small accessors, executed symbolically, not from a table of versions:
// builds of one version differ (node 16 has "1.1.1" with another layout than Debian 11). Each is checked against a second accessor
// where there is one, and what cannot be learned for certain is refused.
package openssl

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"slices"
)

// ErrNotOpenSSL says that a file does not define the functions of libssl.
var ErrNotOpenSSL = errors.New("file defines no OpenSSL functions")

// Library is what was learned of one file.
type Library struct {
	Machine   elf.Machine // EM_X86_64 or EM_AARCH64
	BuildID   string      // hexadecimal, "" if the file has none
	Layout    *Layout     // nil if the offsets could not be learned
	LayoutErr error       // why not
	Unknown   error       // which offsets of sessions and handshakes the layout lacks, and why; nil: none
	Probes    []Probe     // each wants a probe at the entry and one at the return, as a pair
	D2I       uint64      // offset in the file of d2i_X509; 0: not in this file
	Free      uint64      // offset in the file of SSL_free; 0: not in this file
}

// Exported tells which functions a file defines.
type Exported struct {
	SSL    bool // those of libssl that carry a connection
	Crypto bool // those of libcrypto from which the offsets into an X509 are learned
}

// The functions that are looked for.
var (
	sslNames = []string{
		"SSL_read", "SSL_read_ex", "SSL_write", "SSL_write_ex", "SSL_write_ex2", "SSL_peek", "SSL_peek_ex",
		"SSL_do_handshake", "SSL_accept", "SSL_connect", "SSL_free", "SSL_get_session",
		"SSL_get0_peer_certificate", "SSL_get_peer_certificate", "SSL_SESSION_get0_peer",
		"SSL_is_server", "SSL_get_verify_result", "SSL_get_verify_mode", "SSL_version", "SSL_get_client_random", "OSSL_QUIC_client_method",
		"SSL_session_reused", "SSL_get_servername", "SSL_SESSION_get0_hostname", "SSL_set_session", "SSL_SESSION_get_time", "SSL_SESSION_get_time_ex",
		"SSL_SESSION_set_time", "SSL_SESSION_set_time_ex", "SSL_in_init", "SSL_is_init_finished", "SSL_get_state",
	}
	cryptoNames = []string{"i2d_re_X509_tbs", "X509_get0_signature", "d2i_X509"}
)

// Exports tells which of OpenSSL's functions a file defines, by its symbols and not by its name. It reads the headers and the symbol and
// string tables in pieces and holds none of them. The error tells that the file cannot be one with OpenSSL inside.
func Exports(r io.ReaderAt) (Exported, error) {
	m, err := openImage(r)
	if err != nil {
		return Exported{}, err
	}
	functions, err := m.symbols([]string{"SSL_read", "SSL_read_ex", "SSL_do_handshake", "SSL_free", "i2d_re_X509_tbs", "X509_get0_signature"})
	if err != nil {
		return Exported{}, fmt.Errorf("symbols: %w", err)
	}
	return Exported{SSL: isSSL(functions), Crypto: defines(functions, "i2d_re_X509_tbs", "X509_get0_signature")}, nil
}

// Decoder gives the offset of d2i_X509 in a file that has libcrypto inside.
func Decoder(r io.ReaderAt) (uint64, error) { return function(r, "d2i_X509") }

// Reader gives the offset of BIO_read in a file that has libcrypto inside.
func Reader(r io.ReaderAt) (uint64, error) { return function(r, "BIO_read") }

// function gives the offset in a file of a function that it defines.
func function(r io.ReaderAt, name string) (uint64, error) {
	m, err := openImage(r)
	if err != nil {
		return 0, err
	}
	functions, err := m.symbols([]string{name})
	if err != nil {
		return 0, fmt.Errorf("symbols: %w", err)
	}
	offset := (&library{image: m, functions: functions}).offset(name)
	if offset == 0 {
		return 0, fmt.Errorf("file does not define %s", name)
	}
	return offset, nil
}

func isSSL(f map[string]symbol) bool {
	return (defines(f, "SSL_read") || defines(f, "SSL_read_ex")) && defines(f, "SSL_do_handshake", "SSL_free")
}

func defines(f map[string]symbol, names ...string) bool {
	for _, n := range names {
		if _, ok := f[n]; !ok {
			return false
		}
	}
	return true
}

// Open learns what probes need of the file ssl. crypto is the libcrypto that the same process uses; nil, or ssl itself, if that is inside of
// ssl. The error is ErrNotOpenSSL if ssl is none; a layout that cannot be learned is no error: Layout is nil then and LayoutErr tells why.
func Open(ssl, crypto io.ReaderAt) (*Library, error) {
	m, err := openImage(ssl)
	if errors.Is(err, errNotELF) {
		return nil, fmt.Errorf("%w: %w", ErrNotOpenSSL, err)
	}
	if err != nil {
		return nil, err
	}
	functions, err := m.symbols(slices.Concat(sslNames, cryptoNames))
	if err != nil {
		return nil, fmt.Errorf("symbols: %w", err)
	}
	if !isSSL(functions) {
		return nil, ErrNotOpenSSL
	}
	l := &library{image: m, functions: functions}
	m.sizes = map[uint64]uint64{}
	for _, f := range functions {
		m.sizes[f.address] = f.size
	}
	out := &Library{Machine: m.machine, BuildID: m.buildID(), Probes: l.probes(), D2I: l.offset("d2i_X509"), Free: l.offset("SSL_free")}
	if out.Layout, out.LayoutErr = l.layout(crypto); out.Layout != nil {
		out.Unknown = l.sessions(out.Layout)
	}
	return out, nil
}

// library is a file under examination.
type library struct {
	image     *image
	functions map[string]symbol
}

// offset is that of a function in the file, 0 if there is none.
func (l *library) offset(name string) uint64 {
	f, ok := l.functions[name]
	if !ok {
		return 0
	}
	offset, _ := l.image.fileOffset(f.address)
	return offset
}
