package discovery

import (
	"fmt"
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

// open opens the mapped files and learns. static: the file itself exports libcrypto's symbols. done closes the files.
func open(proc procfs.FS, pid uint32, m procfs.Mapping, companion *procfs.Mapping, static bool) (o opened, done func(), err error) {
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
	switch {
	case static:
		o.crypto = o.ssl
		o.library, err = openssl.Open(o.ssl, o.ssl)
	case companion != nil:
		if o.crypto, err = proc.OpenMapping(pid, *companion); err != nil {
			return o, done, err
		}
		files = append(files, o.crypto)
		o.library, err = openssl.Open(o.ssl, o.crypto)
	default:
		o.library, err = openssl.Open(o.ssl, nil)
	}
	if err != nil {
		err = fmt.Errorf("read %q: %w", m.Path, err)
	}
	return o, done, err
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
