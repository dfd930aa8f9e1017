package correlate

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"tenantrace/collector/event"
)

// mysql opens a MySQL session.
func (tr *trace) mysql(database string) event.ConnID {
	tr.conns++
	tr.play(&event.ConnectionOpened{Header: tr.head(web, web), Conn: tr.conns, Role: event.RoleClient, Net: "tcp", Remote: "10.0.0.2:3306"})
	tr.play(&event.SessionStarted{Header: tr.head(web, web), Conn: tr.conns, Engine: event.MySQL, User: "app", Database: database})
	tr.status[tr.conns] = event.TxIdle
	return tr.conns
}

// bulk sends a bulk execution that binds one value in each set.
func (tr *trace) bulk(db event.ConnID, tid uint32, sql string, cut bool, values ...string) {
	tr.seqs[db]++
	st := &event.Statement{Header: tr.head(web, tid), Conn: db, Seq: tr.seqs[db], Text: sql, SetsCut: cut}
	for _, v := range values {
		st.Sets = append(st.Sets, []event.Param{{Known: true, Value: v}})
	}
	tr.play(st)
	tr.play(&event.Result{Header: tr.head(web, tid), Conn: db, Seq: st.Seq, Last: true, Tag: "OK 2"})
	tr.play(&event.SessionReady{Header: tr.head(web, tid), Conn: db, Status: event.TxIdle})
}

func TestBulkExecution(t *testing.T) {
	for _, q := range []struct {
		name   string
		cut    bool
		values []string
		want   string
	}{
		{"all of its own", false, []string{"acme", "acme"}, "ok_exact"},
		{"the second of another", false, []string{"acme", "beta"}, "violation"},
		{"the rest is not known", true, []string{"acme"}, "ok_exact"},
		{"nothing is known", true, nil, "unattributed"},
	} {
		t.Run(q.name, func(t *testing.T) {
			tr := newTrace(t, "")
			tr.client("beta")
			c := tr.client("acme")
			db := tr.mysql("shop")
			seq := tr.request(c, 1, "/")
			tr.bulk(db, 1, "INSERT INTO invoices (tenant_id) VALUES (?)", q.cut, q.values...)
			tr.respond(c, seq, 1, 200)
			tr.wait(1e9)
			if got := string(tr.last().Verdict); got != q.want {
				t.Errorf("verdict %s (%s), want %s", got, tr.last().Reason, q.want)
			}
		})
	}
}

func TestSessionDatabase(t *testing.T) {
	tr := newTrace(t, "")
	c := tr.client("acme")
	db := tr.mysql("shop")
	tr.play(&event.SessionDatabase{Header: tr.head(web, 1), Conn: db, Database: "other"})
	seq := tr.request(c, 1, "/")
	tr.sql(db, 1, "SELECT * FROM `invoices` WHERE tenant_id = 'acme'", &event.Result{Count: 1})
	tr.respond(c, seq, 1, 200)
	tr.wait(1e9)
	if got := tr.last(); got.SQL.Database != "other" || got.SQL.Engine != "mysql" {
		t.Errorf("statement %+v, want one in the database that was chosen last", got.SQL)
	}
}

func TestUnreadableSessions(t *testing.T) {
	tr := newTrace(t, "")
	count := func(reason event.UnreadableReason) float64 {
		return testutil.ToFloat64(tr.engine.metrics.unreadable.WithLabelValues(string(reason)))
	}
	tr.play(&event.SessionUnreadable{Header: tr.head(web, 1), Conn: tr.mysql("shop"), Reason: event.UnreadableCompressed})
	for _, reason := range event.UnreadableReasons {
		if got, want := count(reason), map[bool]float64{true: 1}[reason == event.UnreadableCompressed]; got != want {
			t.Errorf("%s: %v sessions, want %v", reason, got, want)
		}
	}
}
