package lab

import (
	"fmt"
	"slices"
	"strings"

	"tenantrace/lab/scenario"
	"tenantrace/lab/service"
	"tenantrace/lab/stage"
)

// variant is an ordinary server. Sync workers connect to the database for each request, as Django does by default; gthread workers keep
// their connections.
func variant(worker service.Worker, transport stage.Transport) stage.Variant {
	v := stage.Variant{Name: string(worker) + "-" + string(transport), Worker: worker, Transport: transport, Workers: 1, CertReqs: stage.CertRequired}
	if worker == service.GThread {
		v.MaxAge = 600
	}
	return v
}

// transports are the ways to the database that ordinary servers use.
var transports = [...]stage.Transport{stage.TCP, stage.Unix, stage.TLS}

// early are the servers that are older than the daemon.
func early() []stage.Variant {
	var out []stage.Variant
	for _, transport := range transports {
		out = append(out, variant(service.Sync, transport))
	}
	return out
}

// late are the servers that start after it; the last ones have a fault in their TLS settings.
func late() []stage.Variant {
	var out []stage.Variant
	for _, transport := range transports {
		out = append(out, variant(service.GThread, transport))
	}
	return append(out,
		stage.Variant{Name: scenario.Unasked, Worker: service.GThread, Transport: stage.TCP, Workers: 1, MaxAge: 600, CertReqs: 0, DefaultTenant: "acme"},
		stage.Variant{Name: scenario.Optional, Worker: service.Sync, Transport: stage.TCP, Workers: 1, CertReqs: 1, DefaultTenant: "acme"},
		stage.Variant{Name: scenario.Careless, Worker: service.GThread, Transport: stage.TCP, Workers: 1, MaxAge: 600, CertReqs: stage.CertRequired, Careless: true},
	)
}

func (s *Selection) server(name string) bool {
	return len(s.Servers) == 0 || slices.Contains(s.Servers, name)
}

func (s *Selection) scenario(id string) bool {
	return len(s.Scenarios) == 0 || slices.Contains(s.Scenarios, id)
}

// validate refuses names that nothing has: a run of nothing would pass.
func (s *Selection) validate() error {
	var servers, scenarios []string
	for _, v := range slices.Concat(early(), late()) {
		servers = append(servers, v.Name)
	}
	for _, s := range scenario.All() {
		scenarios = append(scenarios, s.ID)
	}
	for _, list := range []struct {
		what         string
		wanted, have []string
	}{{"server", s.Servers, servers}, {"scenario", s.Scenarios, slices.Compact(scenarios)}} {
		for _, name := range list.wanted {
			if !slices.Contains(list.have, name) {
				return fmt.Errorf("the lab has no %s %q [one of %s]", list.what, name, strings.Join(list.have, ", "))
			}
		}
	}
	return nil
}
