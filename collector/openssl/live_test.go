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
			checkEnd(t, ends["server"].Said, ends["server"].Read, certificates["client"], 1, 0, 3, version)
			checkEnd(t, ends["client"].Said, ends["client"].Read, certificates["server"], 0, 18, 1, version)
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

func checkEnd(t *testing.T, said, read member, peer *x509.Certificate, server int, result int64, mode, version int) {
	t.Helper()
	if said.Server != server || said.VerifyResult != result || said.VerifyMode != mode || said.Version != version {
		t.Fatalf("the connection is not the one that was meant: %+v", said)
	}
	said.TBS, said.Signature = hex.EncodeToString(peer.RawTBSCertificate), hex.EncodeToString(peer.Signature)
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
