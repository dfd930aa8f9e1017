package stream

import (
	"bytes"
	"encoding/json"
	"testing"

	"tenantrace/bpf"
	"tenantrace/collector/event"
)

// session hands over what was read of a peer and of its session.
func (b *bench) session(peer []byte, change func(*bpf.TracerTlsIdentityRecord)) *event.Identity {
	b.t.Helper()
	flags := bpf.TracerTlsFlagsTLS_SERVER
	if peer != nil {
		flags |= bpf.TracerTlsFlagsTLS_HAS_PEER
	}
	rec := &bpf.TracerTlsIdentityRecord{Ssl: 7, Socket: one, VerifyMode: 1, Version: 0x0304, Random: [32]uint8{1}, Flags: uint32(flags), Length: uint32(len(peer))}
	change(rec)
	b.events = nil
	b.Identity(head, rec, peer)
	for _, e := range b.events {
		if id, ok := e.(*event.Identity); ok {
			return id
		}
	}
	b.t.Fatal("no identity was told")
	return nil
}

func resumed(rec *bpf.TracerTlsIdentityRecord) {
	rec.Flags |= uint32(bpf.TracerTlsFlagsTLS_RESUMED)
	rec.SessionTime = 1795525758e9
	copy(rec.ServerName[:], "two.example\x00left over")
	copy(rec.SessionName[:], "one.example\x00")
}

func TestResumedSession(t *testing.T) {
	id := newBench(t, 0).session(tbs(t), resumed)
	if !id.Resumed || id.ServerName != "two.example" || id.SessionName != "one.example" || id.SessionTime != 1795525758e9 || !id.Verified() {
		t.Errorf("%+v", id)
	}
	id = newBench(t, 0).session(tbs(t), func(rec *bpf.TracerTlsIdentityRecord) {
		resumed(rec)
		rec.Flags &^= uint32(bpf.TracerTlsFlagsTLS_RESUMED)
	})
	if id.Resumed || id.ServerName != "two.example" || id.SessionName != "" || id.SessionTime != 0 {
		t.Errorf("full handshake: %+v", id)
	}
}

// A certificate that is shown on a connection which resumed a session without one is not the session's; after another handshake only another can be.
func TestCertificateShownOnAResumedConnection(t *testing.T) {
	b, peer := newBench(t, 0), tbs(t)
	if id := b.session(nil, resumed); !id.Resumed {
		t.Errorf("without a certificate: %+v", id)
	}
	if id := b.session(peer, resumed); id.Resumed || id.SessionName != "" || id.SessionTime != 0 || id.ServerName != "two.example" {
		t.Errorf("shown: %+v", id)
	}
	again := func(rec *bpf.TracerTlsIdentityRecord) {
		resumed(rec)
		rec.Random[0] = 2
	}
	if id := b.session(peer, again); id.Resumed {
		t.Errorf("after another handshake, which resumed the connection's own session: %+v", id)
	}
	again = func(rec *bpf.TracerTlsIdentityRecord) {
		resumed(rec)
		rec.Random[0] = 3
	}
	peer = bytes.ReplaceAll(peer, []byte("client"), []byte("others"))
	if id := b.session(peer, again); !id.Resumed {
		t.Errorf("after another handshake, which resumed another's session: %+v", id)
	}
	failed := func(rec *bpf.TracerTlsIdentityRecord) {
		again(rec)
		rec.VerifyResult = 18
	}
	if id := b.session(peer, failed); !id.Resumed {
		t.Errorf("the same certificate with another result: %+v", id)
	}
}

// An application that overwrites the connection's result of the verification does not overwrite the session's.
func TestSessionKeepsTheVerification(t *testing.T) {
	for _, c := range []struct{ own, session, want int64 }{{0, 0, 0}, {0, 18, 18}, {18, 0, 18}, {10, 18, 10}} {
		id := newBench(t, 0).session(tbs(t), func(rec *bpf.TracerTlsIdentityRecord) { rec.VerifyResult, rec.SessionResult = c.own, c.session })
		if id.VerifyResult != c.want || id.Verified() != (c.want == 0) {
			t.Errorf("results %d and %d of the session: %d, verified %v", c.own, c.session, id.VerifyResult, id.Verified())
		}
	}
	// A session that was not made yet has 1 there, and without a certificate it says nothing.
	if id := newBench(t, 0).session(nil, func(rec *bpf.TracerTlsIdentityRecord) { rec.SessionResult = 1 }); id.VerifyResult != 0 {
		t.Errorf("without a certificate: result %d", id.VerifyResult)
	}
}

// FuzzHostName reads what clients send as names: they must come back from a recording as they are.
func FuzzHostName(f *testing.F) {
	f.Add([]byte("one.example\x00"))
	f.Add([]byte("\xff\xfe\xed\xa0\x80"))
	f.Add(bytes.Repeat([]byte{'a'}, 256))
	f.Fuzz(func(t *testing.T, b []byte) {
		name := hostName(b)
		text, err := json.Marshal(&event.Identity{ServerName: name})
		if err != nil {
			t.Fatal(err)
		}
		var back event.Identity
		if err := json.Unmarshal(text, &back); err != nil || back.ServerName != name {
			t.Errorf("%q came back as %q, %v", name, back.ServerName, err)
		}
		if bytes.IndexByte([]byte(name), 0) >= 0 || len(name) > 3*len(b) {
			t.Errorf("%q from %q", name, b)
		}
	})
}
