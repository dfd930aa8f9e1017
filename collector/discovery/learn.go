package discovery

import (
	"fmt"
	"io"
	"os"

	"tenantrace/bpf"
	"tenantrace/collector/openssl"
	"tenantrace/collector/probe"
	"tenantrace/collector/procfs"
)

// opened is a libssl with the libcrypto that goes with it, and what was learned of them.
type opened struct {
	library     *openssl.Library
	ssl, crypto *os.File // crypto is nil if there is none, and ssl if the file is both
}

// open opens the mapped files and learns. static: the file itself exports libcrypto's symbols. Of several libcryptos that may be its own, all must have the same
// offsets. done closes the files.
func open(proc procfs.FS, pid uint32, m procfs.Mapping, cryptos []procfs.Mapping, static bool) (o opened, done func(), err error) {
	var files []*os.File
	done = func() {
		for _, f := range files {
			f.Close()
		}
	}
	defer func() {
		if err != nil {
			done()
		}
	}()
	if o.ssl, err = proc.OpenMapping(pid, m); err != nil {
		return o, done, err
	}
	files = append(files, o.ssl)
	var others []*os.File
	for i := range cryptos {
		if static {
			break
		}
		f, err := proc.OpenMapping(pid, cryptos[i])
		if err != nil {
			return o, done, err
		}
		files = append(files, f)
		if o.crypto == nil {
			o.crypto = f
		} else {
			others = append(others, f)
		}
	}
	var crypto io.ReaderAt
	switch {
	case static:
		o.crypto, crypto = o.ssl, o.ssl
	case o.crypto != nil:
		crypto = o.crypto
	}
	if o.library, err = openssl.Open(o.ssl, crypto); err != nil {
		return o, done, fmt.Errorf("read %q: %w", m.Path, err)
	}
	for i, f := range others {
		agree(o.library, f, cryptos[i+1].Path)
	}
	return o, done, nil
}

// agree takes the offsets away from a library if another libcrypto, which may be the one that it uses, has other ones.
func agree(l *openssl.Library, crypto io.ReaderAt, path string) {
	if l.Layout == nil {
		return
	}
	x, err := openssl.LearnX509(crypto)
	if err == nil && x.TBS == l.Layout.TBS && x.Signature == l.Layout.Signature {
		return
	}
	l.Layout, l.LayoutErr = nil, fmt.Errorf("several libcryptos may be the one in use, and %q has other offsets (%v)", path, err)
}

// offsets gives a layout to the eBPF side.
func offsets(l *openssl.Layout) bpf.TracerLibrary {
	out := bpf.TracerLibrary{
		Known: 1, Session: l.Session, Peer: l.Peer, Tbs: l.TBS, Signature: l.Signature, Server: l.Server, VerifyResult: l.VerifyResult,
		VerifyMode: l.VerifyMode, Version: l.Version, ClientRandom: l.ClientRandom, ClientRandomBase: l.ClientRandomBase,
	}
	if l.QUIC {
		out.Quic = 1
	}
	sessionOffsets(l, &out)
	return out
}

// calls gives the functions to probe.
func calls(probes []openssl.Probe) []probe.Call {
	kinds := map[openssl.Kind]bpf.TracerCallKind{
		openssl.Handshake: bpf.TracerCallKindCALL_HANDSHAKE, openssl.Read: bpf.TracerCallKindCALL_READ,
		openssl.Write: bpf.TracerCallKindCALL_WRITE, openssl.Peek: bpf.TracerCallKindCALL_PEEK,
	}
	lengths := map[openssl.LengthFrom]bpf.TracerLengthFrom{
		openssl.LengthNone: bpf.TracerLengthFromLENGTH_NONE, openssl.LengthReturn: bpf.TracerLengthFromLENGTH_RETURN,
		openssl.LengthArg: bpf.TracerLengthFromLENGTH_ARGUMENT,
	}
	out := make([]probe.Call, len(probes))
	for i, p := range probes {
		out[i] = probe.Call{Symbol: p.Symbol, Offset: p.Offset, Kind: kinds[p.Kind], LengthFrom: lengths[p.Length], LengthArgument: p.LengthArgIndex}
	}
	return out
}
