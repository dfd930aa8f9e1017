package openssl

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// member is what one end of a connection is, by OpenSSL's accessors or by the offsets.
type member struct {
	Session      uint64 `json:"session"`
	Server       int    `json:"server"`
	VerifyResult int64  `json:"verify_result"`
	VerifyMode   int    `json:"verify_mode"`
	Version      int    `json:"version"`
	Random       string `json:"random"`
	TBS          string `json:"tbs"`
	Signature    string `json:"signature"`
	Kind         int    `json:"kind"`

	Hit           int    `json:"hit"`
	InInit        int    `json:"in_init"`
	State         int    `json:"state"`
	Name          string `json:"name"`     // as SSL_get_servername gives it
	OwnName       string `json:"own_name"` // what stands in the SSL
	SessionName   string `json:"session_name"`
	SessionTime   int64  `json:"session_time"` // seconds
	SessionResult int64  `json:"session_result"`
}

// TestLive compares the learned offsets with what OpenSSL itself says of connections in a living process, for the installed library and for each release.
func TestLive(t *testing.T) {
	folder := t.TempDir()
	certificates := writePKI(t, folder)
	script, err := filepath.Abs("testdata/handshake.py")
	if err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, ssl, crypto string, python ...string) {
		layout, err := json.Marshal(learn(t, ssl, crypto).Layout)
		if err != nil {
			t.Fatal(err)
		}
		for name, version := range map[string]int{"0x303": 0x303, "0x304": 0x304} {
			args := append(append([]string{}, python...), script, crypto, ssl, name, string(layout))
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Dir, cmd.Stderr = folder, os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("version %s: %v", name, err)
			}
			var ends map[string]struct{ Said, Read member }
			if err := json.Unmarshal(out, &ends); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			for _, again := range []bool{false, true} {
				server, client := member{Server: 1, VerifyMode: 3, Version: version}, member{VerifyResult: 18, VerifyMode: 1, Version: version, SessionResult: 19}
				server.OwnName, client.OwnName, server.SessionName, client.SessionName = "one.example", "one.example", "one.example", "one.example"
				number := ""
				if again {
					number, server.Hit, client.Hit, server.OwnName, client.OwnName = " again", 1, 1, "two.example", "two.example"
					if version < 0x304 {
						server.OwnName = "" // a server that resumes keeps the session's only
					}
				}
				checkEnd(t, ends["server"+number].Said, ends["server"+number].Read, certificates["client"], server)
				checkEnd(t, ends["client"+number].Said, ends["client"+number].Read, certificates["server"], client)
			}
		}
	}
	t.Run("host", func(t *testing.T) {
		ssl, crypto := host(t)
		run(t, ssl, crypto, "/usr/bin/python3")
	})
	for _, r := range releases {
		t.Run(r.suite, func(t *testing.T) {
			ssl, crypto := r.files(t, runtime.GOARCH)
			python := []string{"/usr/bin/python3"}
			if loaders, _ := filepath.Glob(filepath.Join(filepath.Dir(ssl), "ld-linux-*")); len(loaders) == 1 { // a C library came with it
				own := "/usr/lib/" + triplets[runtime.GOARCH]
				python = append([]string{loaders[0], "--library-path", filepath.Dir(ssl) + ":" + own}, python...)
			}
			run(t, ssl, crypto, python...)
		})
	}
}

func checkEnd(t *testing.T, said, read member, peer *x509.Certificate, want member) {
	t.Helper()
	if said.Server != want.Server || said.VerifyResult != want.VerifyResult || said.VerifyMode != want.VerifyMode || said.Version != want.Version ||
		said.Hit != want.Hit || said.SessionName != want.SessionName || said.SessionResult != want.SessionResult || read.OwnName != want.OwnName ||
		said.State != 1 || said.InInit != 0 {
		t.Errorf("the connection is not the one that was meant:\nsaid %+v\nread %+v\nwant %+v", said, read, want)
	}
	said.TBS, said.Signature, said.OwnName = hex.EncodeToString(peer.RawTBSCertificate), hex.EncodeToString(peer.Signature), read.OwnName
	if read != said {
		t.Errorf("read\n%+v, OpenSSL says\n%+v", read, said)
	}
}

// writePKI makes a CA, a server and a client.
func writePKI(t *testing.T, folder string) map[string]*x509.Certificate {
	t.Helper()
	out := map[string]*x509.Certificate{}
	var issuer *x509.Certificate
	var issuerKey *ecdsa.PrivateKey
	for i, name := range []string{"ca", "server", "client"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name, Organization: []string{"acme"}},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: name == "ca",
		}
		if issuer == nil {
			issuer, issuerKey = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, issuerKey)
		if err != nil {
			t.Fatal(err)
		}
		if out[name], err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		if name == "ca" {
			issuer = out[name]
		}
		private, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		for file, block := range map[string]*pem.Block{
			name + ".pem": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: private},
		} {
			if err := os.WriteFile(filepath.Join(folder, file), pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}
