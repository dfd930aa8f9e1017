package correlate

import (
	"testing"

	"tenantrace/collector/event"
)

// TestUnreadableCertificate holds that a certificate of which a part could not be read is judged by what could, and never by a guess about the rest.
func TestUnreadableCertificate(t *testing.T) {
	for _, c := range []struct {
		part event.Part
		want string
	}{
		{event.PartValidity, "violation thread literal acme [CROSS_TENANT_READ]"},
		{event.PartSubject, "unattributed/unmapped thread literal acme"},
		{event.PartAlternativeNames, "unattributed/unmapped thread literal acme"}, // a SPIFFE ID, which the first rule reads, may have been among them
	} {
		tr := newTrace(t, "")
		tr.client("acme") // so that its name is known
		cert := certificate("beta")
		cert.Unreadable = []event.Part{c.part}
		conn, db := tr.open(), tr.database()
		tr.identify(conn, cert, 0)
		r := tr.request(conn, 7, "/")
		tr.sql(db, 7, selectScoped)
		tr.respond(conn, r, 7, 200)
		tr.expect(c.want)
	}
}
