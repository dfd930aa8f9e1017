package discovery

import (
	"io"
	"path"
	"slices"
	"strings"

	"tenantrace/collector/openssl"
	"tenantrace/collector/procfs"
)

// contents is what an executable file turned out to hold.
type contents struct {
	ssl, crypto bool     // exports the symbols of libssl, of libcrypto
	python      bool     // holds a CPython interpreter
	slots       bool     // defines pthread_getspecific
	loop        bool     // is an event loop that reads plain sockets outside of the contexts of its connections
	greenlets   bool     // switches between stacks of Python's frames
	hidden      bool     // holds OpenSSL's TLS without its symbols
	name        string   // by which the dynamic linker knows it, "" if it has none
	needs       []string // the names of the libraries that it asks for
}

// hiddenError says what is not seen of a file with hidden contents.
const hiddenError = "OpenSSL is linked in without its symbols: its connections are not seen"

// inspect looks into a file. One that is no ELF file holds nothing.
func inspect(r io.ReaderAt) contents {
	e, err := openssl.Exports(r)
	if err != nil {
		return contents{}
	}
	c := contents{ssl: e.SSL, crypto: e.Crypto}
	c.python, c.slots = interpreterParts(r)
	switch {
	case c.ssl || c.crypto:
		c.name, c.needs, _ = openssl.Names(r) // without names any libcrypto of the process may be its own
	default:
		c.hidden, _ = openssl.Hidden(r) // what cannot be read cannot be told apart from what holds nothing
	}
	return c
}

// mapped is a file that a process maps, with its contents.
type mapped struct {
	procfs.Mapping
	*contents
}

// companions gives the files of a process that may be the libcrypto of one of its libssl; more than one only if nothing tells them apart. certain: they bear
// the name that the libssl asks for, so that no better one can come.
func companions(ssl mapped, files []mapped) (out []procfs.Mapping, certain bool) {
	var all, asked, near []procfs.Mapping
	for _, f := range files {
		if !f.crypto {
			continue
		}
		all = append(all, f.Mapping)
		if slices.Contains(ssl.needs, f.name) || slices.Contains(ssl.needs, path.Base(undeleted(f.Path))) {
			asked = append(asked, f.Mapping)
			if path.Dir(undeleted(f.Path)) == path.Dir(undeleted(ssl.Path)) {
				near = append(near, f.Mapping)
			}
		}
	}
	switch {
	case len(near) == 1:
		return near, true
	case len(asked) > 0:
		return asked, true
	}
	return all, false
}

// undeleted is a path without the mark of one that names no file any more.
func undeleted(p string) string { return strings.TrimSuffix(p, " (deleted)") }
