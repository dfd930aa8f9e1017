package crl

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
)

var (
	pemBegin = []byte("-----BEGIN X509 CRL-----")
	pemEnd   = []byte("-----END X509 CRL-----")
)

// nextBlock goes to the next PEM block of a list and returns a reader of what it holds, or io.EOF. Other blocks and text between them are passed over.
func nextBlock(in *bufio.Reader) (io.Reader, error) {
	for fresh := true; ; {
		line, err := in.ReadSlice('\n')
		if fresh && bytes.Equal(bytes.TrimSpace(line), pemBegin) {
			return base64.NewDecoder(base64.StdEncoding, &block{in: in, fresh: true}), nil
		}
		fresh = !errors.Is(err, bufio.ErrBufferFull)
		if err != nil && fresh {
			return nil, err
		}
	}
}

// block reads the lines of a PEM block up to its end.
type block struct {
	in    *bufio.Reader
	line  []byte // not handed out yet
	fresh bool   // the next bytes begin a line
	ended bool
}

func (b *block) Read(p []byte) (int, error) {
	for len(b.line) == 0 {
		if b.ended {
			return 0, io.EOF
		}
		line, err := b.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
			return 0, err
		}
		switch {
		case b.fresh && bytes.Equal(bytes.TrimSpace(line), pemEnd):
			b.ended = true
			continue
		case errors.Is(err, io.EOF):
			return 0, io.ErrUnexpectedEOF
		}
		b.fresh = err == nil
		b.line = bytes.TrimSpace(line)
	}
	n := copy(p, b.line)
	b.line = b.line[n:]
	return n, nil
}
