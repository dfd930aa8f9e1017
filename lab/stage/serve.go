package stage

import (
	"context"
	"path/filepath"

	"tenantrace/lab/service"
	"tenantrace/lab/tracer"
)

// Transport is a way to the database.
type Transport string

// The transports.
const (
	TCP  Transport = "tcp"  // plain, on loopback
	Unix Transport = "unix" // unix socket
	TLS  Transport = "tls"  // sslmode=require
)

// Variant says what kind of service to run.
type Variant struct {
	Name          string // of the service; "" is made of worker and transport
	Worker        service.Worker
	Transport     Transport
	Workers       int
	MaxAge        int // seconds that Django keeps its database connections
	CertReqs      int
	Careless      bool
	DefaultTenant string
}

// CertRequired is ssl.CERT_REQUIRED, for Variant.CertReqs.
const CertRequired = 2

// threads of each gthread worker.
const threads = 8

// Serve starts a service; Close stops it.
func (s *Stage) Serve(ctx context.Context, v Variant) (*service.Server, error) {
	database := service.Database{Host: s.Database.Host, Port: s.Database.Port, SSLMode: "disable", Password: s.Database.Password, MaxAge: v.MaxAge}
	switch v.Transport {
	case Unix:
		database.Host = s.Database.SocketDir
	case TLS:
		database.SSLMode = "require"
	}
	if v.Name == "" {
		v.Name = string(v.Worker) + "-" + string(v.Transport)
	}
	server, err := service.Start(ctx, service.Config{
		Name: v.Name, Dir: filepath.Join(s.Dir, "service"), Exe: s.Exe, Worker: v.Worker, Workers: v.Workers, Threads: threads, Database: database,
		CertFile: s.server.CertFile, KeyFile: s.server.KeyFile, CAFile: s.CA.RootFile,
		CertReqs: v.CertReqs, Careless: v.Careless, DefaultTenant: v.DefaultTenant,
	})
	if err != nil {
		return nil, err
	}
	s.Defer(server.Stop)
	return server, nil
}

// Trace starts the daemon on the service's executable; Close stops it, if nobody has done so before.
func (s *Stage) Trace(ctx context.Context, binary string, record bool) (*tracer.Tracer, error) {
	t, err := tracer.Start(ctx, tracer.Config{Binary: binary, Dir: filepath.Join(s.Dir, "out"), Policy: s.Policy, Exe: s.Exe, Record: record})
	if err != nil {
		return nil, err
	}
	s.Defer(t.Stop)
	return t, nil
}
