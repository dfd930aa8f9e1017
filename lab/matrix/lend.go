package matrix

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"

	"tenantrace/lab/proc"
)

// What the matrix lends to others who play with the same servers.

// Provision installs the servers that are not there.
func Provision(ctx context.Context, out io.Writer) error {
	if err := script(ctx, provisionScript, out); err != nil {
		return fmt.Errorf("install the servers: %w", err)
	}
	return nil
}

// Script runs a script, and says on out what it says.
func Script(ctx context.Context, text []byte, out io.Writer) error { return script(ctx, text, out) }

// Cache is the directory of what is fetched once.
func Cache() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return shared(cache) // the servers run as others: what is below a home directory is closed to them
}

// Unpacked gives the directory into which packages of the machine's own release are unpacked, and not installed.
func Unpacked(ctx context.Context, cache string, packages ...string) (string, error) {
	return unpacked(ctx, cache, packages...)
}

// Node gives the executable of a version of Node.
func Node(ctx context.Context, cache, version string) (string, error) {
	return nodeBinary(ctx, cache, version)
}

// NodeModule gives the directory of Node's modules in which there is one from npm.
func NodeModule(ctx context.Context, cache, name, version string) (string, error) {
	folder := filepath.Join(cache, "module-"+name+"-"+version)
	modules := filepath.Join(folder, "node_modules")
	if _, err := os.Stat(filepath.Join(modules, name)); err == nil {
		return modules, nil
	}
	return modules, npmInstall(ctx, folder, name+"@"+version)
}

// User gives a user of the machine.
func User(name string) (*proc.User, error) { return lookUp(name) }

// Ports gives ports on loopback that nobody has, by purpose.
func Ports(purposes []string) (map[string]int, error) { return freePorts(purposes) }

// Peer is who the daemon took a request's client for.
type Peer struct {
	Times      int    // the request was seen
	SHA256     string // of the certificate that was in force when it was read; "" none, or none that was told
	Verified   bool
	Resumed    bool   // the connection began with a resumed session
	AtResponse string // SHA256 of the one that was in force when its answer began
}

// Peers reads a recording: the requests that the daemon saw, by X-Request-ID.
func Peers(path string) (map[string]Peer, error) {
	saw := &seen{}
	if err := saw.read(path); err != nil {
		return nil, err
	}
	all := make(map[string]Peer)
	for id, r := range maps.All(saw.requests) {
		p := Peer{Times: r.times, SHA256: r.atRequest.sha256(), AtResponse: r.atResponse.sha256()}
		if r.atRequest != nil {
			p.Verified, p.Resumed = r.atRequest.verified(), r.atRequest.Resumed
		}
		all[id] = p
	}
	if saw.lost > 0 {
		return all, fmt.Errorf("the daemon lost %d events", saw.lost)
	}
	return all, nil
}

func (i *identity) sha256() string {
	if i == nil || i.Certificate == nil {
		return ""
	}
	return i.Certificate.SHA256
}
