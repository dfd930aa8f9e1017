package openssl

import (
	"bytes"
	"debug/elf"
	"io"
)

// Hidden tells whether a file has OpenSSL's TLS inside without the symbols by which it could be probed: an executable that was linked with the static library
// and then stripped. It goes by the names of OpenSSL's own source files, which its error messages hold. Of a build without these (no-filenames) nothing shows.
func Hidden(r io.ReaderAt) (bool, error) {
	m, err := openImage(r)
	if err != nil {
		return false, err
	}
	functions, err := m.symbols([]string{"SSL_read", "SSL_read_ex", "SSL_do_handshake", "SSL_free"})
	if err != nil || isSSL(functions) {
		return false, err
	}
	for _, p := range m.constants() {
		found, err := m.contains(p, hiddenMark())
		if err != nil || found {
			return found, err
		}
	}
	return false, nil
}

// hiddenMark is made at run time, so that this program itself does not hold it.
func hiddenMark() []byte {
	return bytes.Join([][]byte{[]byte("ssl"), []byte("statem"), []byte("statem_srvr.c")}, []byte("/"))
}

// constants are the parts of the file that hold a program's strings: read-only data; without section headers all that is loaded.
func (m *image) constants() []section {
	var out []section
	for _, s := range m.sections {
		if s.kind == elf.SHT_PROGBITS && s.flags&uint64(elf.SHF_ALLOC) != 0 && s.flags&uint64(elf.SHF_EXECINSTR|elf.SHF_WRITE) == 0 {
			out = append(out, s)
		}
	}
	if out != nil {
		return out
	}
	for _, s := range m.segments {
		if s.kind == elf.PT_LOAD {
			out = append(out, section{offset: s.offset, size: s.size})
		}
	}
	return out
}

// contains looks for bytes in a part of the file, piece by piece.
func (m *image) contains(part section, mark []byte) (bool, error) {
	buf := make([]byte, min(tableChunk, part.size))
	kept := 0
	for at := uint64(0); at < part.size; {
		n := int(min(uint64(len(buf)-kept), part.size-at))
		if err := m.readInto(buf[kept:kept+n], part.offset+at); err != nil {
			return false, err
		}
		at += uint64(n)
		data := buf[:kept+n]
		if bytes.Contains(data, mark) {
			return true, nil
		}
		kept = copy(buf, data[max(0, len(data)-len(mark)+1):])
	}
	return false, nil
}
