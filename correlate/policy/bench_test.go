package policy

import (
	"testing"
)

func BenchmarkIdentify(b *testing.B) {
	for name, c := range map[string]*Certificate{
		"spiffe":  uri("spiffe://lab.example/tenant/acme/svc/api"),
		"subject": subject("C=DE", "O=acme", "CN=api"),
	} {
		b.Run(name, func(b *testing.B) {
			p := Default()
			b.ReportAllocs()
			for b.Loop() {
				if len(p.Identify(c, today).Tenants) != 1 {
					b.Fatal("unmapped")
				}
			}
		})
	}
}

func BenchmarkRequestTenants(b *testing.B) {
	p := mustParse(b, requestPolicy)
	field := func(string) []string { return nil }
	for name, path := range map[string]string{"match": "/t/acme/invoices/42?page=2", "miss": "/assets/app.css", "hostile": "/t/a%2fb/..;x//y"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.RequestTenants(path, field)
			}
		})
	}
}

func BenchmarkTable(b *testing.B) {
	p := mustParse(b, "database: [{ engine: postgres, tables: { shared: [plans, \"django_*\"], owned: \"*\" } }]\n")
	b.ReportAllocs()
	for b.Loop() {
		tableOf(p, "public", "invoices")
	}
}

func BenchmarkRoute(b *testing.B) {
	p := mustParse(b, requestPolicy)
	b.ReportAllocs()
	for b.Loop() {
		p.Route("/t/acme/invoices/42?page=2")
	}
}
