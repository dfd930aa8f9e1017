package pgwire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"tenantrace/collector/event"
)

// oracleResult is one result of a statement, as pgproto3 reads it.
type oracleResult struct {
	outcome string // a tag, "error" and a state, "suspended", "empty", "skipped"; "" none was seen
	fields  []pgproto3.FieldDescription
	formats []int16
	rows    [][][]byte
}

// oracleStatement is a Query or an Execute.
type oracleStatement struct {
	simple  bool
	text    string
	known   bool
	params  [][]byte
	formats []int16
	results []oracleResult
}

// oracle pairs what a client asks with what the server answers: a message after the other, as the server works.
type oracle struct {
	asked   []pgproto3.FrontendMessage
	at      int // the message that the server answers
	texts   map[string]string
	columns map[string][]pgproto3.FieldDescription // of statements
	portals map[string]*oraclePortal
	all     []*oracleStatement
	of      map[int]*oracleStatement // by their message
	current oracleResult
}

type oraclePortal struct {
	statement string
	text      string
	known     bool
	bind      *pgproto3.Bind
	columns   []pgproto3.FieldDescription
}

// oracleOf reads a recorded connection with pgproto3. False: it did not get to a session.
func oracleOf(t *testing.T, steps []step) (*oracle, bool) {
	t.Helper()
	var front, back []byte
	for _, st := range steps {
		if st.server {
			back = append(back, st.data...)
		} else {
			front = append(front, st.data...)
		}
	}
	o := &oracle{texts: map[string]string{}, columns: map[string][]pgproto3.FieldDescription{}, portals: map[string]*oraclePortal{}, of: map[int]*oracleStatement{}}
	if !o.client(t, front) {
		return nil, false
	}
	f := pgproto3.NewFrontend(bytes.NewReader(back[bytes.IndexByte(back, 'R'):]), io.Discard) // behind the answers to requests for encryption
	started := false
	for {
		m, err := f.Receive()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return o, true
		}
		if err != nil {
			t.Fatalf("pgproto3 cannot read the server: %v", err)
		}
		if !started {
			_, started = m.(*pgproto3.ReadyForQuery)
			continue
		}
		if wrong := o.server(m); wrong != "" {
			t.Fatalf("the oracle does not understand %T: %s", m, wrong)
		}
	}
}

// client reads what the client asks. A flyweight is copied by encoding it.
func (o *oracle) client(t *testing.T, front []byte) bool {
	t.Helper()
	b := pgproto3.NewBackend(bytes.NewReader(front), io.Discard)
	for {
		m, err := b.ReceiveStartupMessage()
		if err != nil {
			return false
		}
		if _, ok := m.(*pgproto3.StartupMessage); ok {
			break
		}
	}
	for {
		m, err := b.Receive()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return true
		}
		if err != nil {
			t.Fatalf("pgproto3 cannot read the client: %v", err)
		}
		var kept pgproto3.FrontendMessage
		switch m := m.(type) {
		case *pgproto3.Query:
			kept = &pgproto3.Query{String: m.String}
			o.add(&oracleStatement{simple: true, text: m.String, known: true})
		case *pgproto3.Parse:
			kept = &pgproto3.Parse{Name: m.Name, Query: m.Query}
		case *pgproto3.Bind:
			c := &pgproto3.Bind{DestinationPortal: m.DestinationPortal, PreparedStatement: m.PreparedStatement,
				ParameterFormatCodes: slices.Clone(m.ParameterFormatCodes), ResultFormatCodes: slices.Clone(m.ResultFormatCodes)}
			for _, p := range m.Parameters {
				c.Parameters = append(c.Parameters, bytes.Clone(p))
			}
			kept = c
		case *pgproto3.Describe:
			kept = &pgproto3.Describe{ObjectType: m.ObjectType, Name: m.Name}
		case *pgproto3.Close:
			kept = &pgproto3.Close{ObjectType: m.ObjectType, Name: m.Name}
		case *pgproto3.Execute:
			kept = &pgproto3.Execute{Portal: m.Portal}
			o.add(&oracleStatement{})
		case *pgproto3.Sync:
			kept = &pgproto3.Sync{}
		case *pgproto3.FunctionCall:
			kept = &pgproto3.FunctionCall{}
		case *pgproto3.CopyDone, *pgproto3.CopyFail:
			kept = &pgproto3.CopyDone{}
		default:
			continue
		}
		o.asked = append(o.asked, kept)
	}
}

func (o *oracle) add(s *oracleStatement) {
	o.of[len(o.asked)] = s
	o.all = append(o.all, s)
}

// head is the message that the server answers.
func (o *oracle) head() pgproto3.FrontendMessage {
	for o.at < len(o.asked) {
		if _, copied := o.asked[o.at].(*pgproto3.CopyDone); !copied {
			return o.asked[o.at]
		}
		o.at++
	}
	return nil
}

// server acts on a message of the server. It gives what is wrong.
func (o *oracle) server(m pgproto3.BackendMessage) string {
	switch m.(type) {
	case *pgproto3.NoticeResponse, *pgproto3.NotificationResponse, *pgproto3.ParameterStatus, *pgproto3.CopyData, *pgproto3.CopyDone, *pgproto3.CopyOutResponse:
		return ""
	}
	switch head := o.head().(type) {
	case *pgproto3.Query:
		return o.answer(o.of[o.at], m)
	case *pgproto3.Execute:
		s := o.of[o.at]
		po := o.portals[head.Portal]
		if po == nil {
			po = &oraclePortal{bind: &pgproto3.Bind{}}
		}
		if len(s.results) == 0 && s.text == "" {
			s.text, s.known, s.params, s.formats = po.text, po.known, po.bind.Parameters, po.bind.ParameterFormatCodes
		}
		if o.current.fields == nil {
			if o.current.fields, o.current.formats = po.columns, po.bind.ResultFormatCodes; po.columns == nil {
				o.current.fields = o.columns[po.statement]
			}
		}
		return o.answer(s, m)
	case *pgproto3.Parse:
		if _, ok := m.(*pgproto3.ParseComplete); ok {
			o.texts[head.Name] = head.Query
			delete(o.columns, head.Name)
			o.at++
			return ""
		}
	case *pgproto3.Bind:
		if _, ok := m.(*pgproto3.BindComplete); ok {
			text, known := o.texts[head.PreparedStatement]
			o.portals[head.DestinationPortal] = &oraclePortal{statement: head.PreparedStatement, text: text, known: known, bind: head}
			o.at++
			return ""
		}
	case *pgproto3.Close:
		if _, ok := m.(*pgproto3.CloseComplete); ok {
			if head.ObjectType == 'S' {
				delete(o.texts, head.Name)
			} else {
				delete(o.portals, head.Name)
			}
			o.at++
			return ""
		}
	case *pgproto3.Describe:
		switch m := m.(type) {
		case *pgproto3.ParameterDescription:
			return ""
		case *pgproto3.RowDescription, *pgproto3.NoData:
			fields := []pgproto3.FieldDescription{}
			if d, ok := m.(*pgproto3.RowDescription); ok {
				fields = cloneFields(d.Fields)
			}
			if head.ObjectType == 'S' {
				o.columns[head.Name] = fields
			} else if po := o.portals[head.Name]; po != nil {
				po.columns = fields
				if o.columns[po.statement] == nil && o.texts[po.statement] == po.text { // which drivers remember (pgjdbc)
					o.columns[po.statement] = fields
				}
			}
			o.at++
			return ""
		}
	case *pgproto3.Sync, *pgproto3.FunctionCall:
		switch m.(type) {
		case *pgproto3.ReadyForQuery:
			o.at++
			return ""
		case *pgproto3.FunctionCallResponse, *pgproto3.ErrorResponse:
			return ""
		}
	}
	if _, failed := m.(*pgproto3.ErrorResponse); failed && o.head() != nil {
		o.skip()
		return ""
	}
	return fmt.Sprintf("it answers %T", o.head())
}

func cloneFields(fields []pgproto3.FieldDescription) (out []pgproto3.FieldDescription) {
	for _, f := range fields {
		f.Name = bytes.Clone(f.Name)
		out = append(out, f)
	}
	return out
}

// answer acts on a message that answers a Query or an Execute.
func (o *oracle) answer(s *oracleStatement, m pgproto3.BackendMessage) string {
	end := func(outcome string) {
		o.current.outcome = outcome
		s.results = append(s.results, o.current)
		o.current = oracleResult{}
		if !s.simple {
			o.at++
		}
	}
	switch m := m.(type) {
	case *pgproto3.RowDescription:
		o.current.fields = cloneFields(m.Fields)
	case *pgproto3.DataRow:
		var row [][]byte
		for _, v := range m.Values {
			row = append(row, bytes.Clone(v))
		}
		o.current.rows = append(o.current.rows, row)
	case *pgproto3.CommandComplete:
		end(string(m.CommandTag))
	case *pgproto3.PortalSuspended:
		end("suspended")
	case *pgproto3.EmptyQueryResponse:
		end("empty")
	case *pgproto3.ErrorResponse:
		end("error " + m.Code)
		if !s.simple {
			o.skip()
		}
	case *pgproto3.CopyInResponse:
		for i := o.at + 1; i < len(o.asked); i++ { // a Sync before the end of the data is none
			if _, ok := o.asked[i].(*pgproto3.CopyDone); ok {
				o.asked[i] = &pgproto3.CopyDone{}
				break
			}
			if _, ok := o.asked[i].(*pgproto3.Sync); ok {
				o.asked[i] = &pgproto3.CopyDone{}
			}
		}
	case *pgproto3.ReadyForQuery:
		o.at++
		o.current = oracleResult{}
	default:
		return "it is no answer to a statement"
	}
	return ""
}

// skip goes on to the next Sync: what is before it did not run.
func (o *oracle) skip() {
	for ; o.at < len(o.asked); o.at++ {
		if s := o.of[o.at]; s != nil && len(s.results) == 0 {
			s.results = append(s.results, oracleResult{outcome: "skipped"})
		}
		if _, ok := o.asked[o.at].(*pgproto3.Sync); ok {
			break
		}
	}
}

// oracleCount is what was compared.
type oracleCount struct{ statements, texts, params, results, values int }

func (n *oracleCount) add(m oracleCount) {
	n.statements, n.texts, n.params = n.statements+m.statements, n.texts+m.texts, n.params+m.params
	n.results, n.values = n.results+m.results, n.values+m.values
}

// checkOracle reads a recorded connection with pgproto3, and fails unless the session saw the same statements, bind values, outcomes and rows.
func checkOracle(t *testing.T, steps []step, events []event.Event) (n oracleCount) {
	t.Helper()
	o, ok := oracleOf(t, steps)
	if !ok {
		return n
	}
	doubtful := false // SQL's PREPARE may have taken any name
	var statements []*event.Statement
	results := map[uint64][]*event.Result{}
	for _, e := range events {
		switch e := e.(type) {
		case *event.Statement:
			statements = append(statements, e)
		case *event.Result:
			results[e.Seq] = append(results[e.Seq], e)
			doubtful = doubtful || e.Tag == "PREPARE"
		}
	}
	if len(statements) != len(o.all) {
		t.Fatalf("pgproto3 reads %d statements, the session saw %d", len(o.all), len(statements))
	}
	for i, got := range statements {
		want := o.all[i]
		n.statements++
		skipped := len(want.results) == 1 && want.results[0].outcome == "skipped"
		switch {
		case got.Simple != want.simple:
			t.Errorf("%s: pgproto3 reads one that is simple: %v", line(got), want.simple)
		case skipped && !want.simple: // what it would have run depends on what did not run before it
		case got.NoText && want.known && !doubtful, !got.NoText && (got.Text != want.text || got.Cut):
			t.Errorf("%s: pgproto3 reads %q", line(got), want.text)
		case !got.NoText:
			n.texts++
			n.params += checkParams(t, got, want)
		}
		checkResults(t, got, results[got.Seq], want.results, &n)
	}
	return n
}

func checkParams(t *testing.T, got *event.Statement, want *oracleStatement) (n int) {
	t.Helper()
	if want.simple {
		return 0
	}
	if len(got.Params) != len(want.params) && len(got.Params) > 0 { // an execution that resumes a portal has none
		t.Errorf("%s: pgproto3 reads %d values", line(got), len(want.params))
		return 0
	}
	for i, p := range got.Params {
		if !p.Known {
			continue
		}
		n++
		raw := want.params[i]
		if p.Null != (raw == nil) || !p.Null && p.Value != oracleValue(p.OID, oracleFormat(want.formats, i), raw) {
			t.Errorf("%s: value %d is %q for pgproto3", line(got), i+1, raw)
		}
	}
	return n
}

// oracleFormat gives the format of the i-th value, as Bind says it.
func oracleFormat(codes []int16, i int) int16 {
	switch {
	case len(codes) == 0:
		return 0
	case len(codes) == 1:
		return codes[0]
	}
	return codes[i]
}

// checkResults compares the results of a statement. The last of the session's for a Query is none.
func checkResults(t *testing.T, s *event.Statement, got []*event.Result, want []oracleResult, n *oracleCount) {
	t.Helper()
	got = slices.DeleteFunc(slices.Clone(got), func(r *event.Result) bool { return r.None || r.Unseen && r.Count == 0 })
	if len(got) != len(want) {
		t.Errorf("%s: %d results, %d for pgproto3", line(s), len(got), len(want))
		return
	}
	for i, r := range got {
		n.results++
		outcome := r.Tag
		switch {
		case r.Skipped:
			outcome = "skipped"
		case r.Error != "":
			outcome = "error " + r.Error
		case r.Suspend:
			outcome = "suspended"
		case r.Empty:
			outcome = "empty"
		}
		w := want[i]
		if outcome != w.outcome || r.Copy == "" && r.Count != uint64(len(w.rows)) {
			t.Errorf("%s: outcome %q and %d rows, %q and %d for pgproto3", line(r), outcome, r.Count, w.outcome, len(w.rows))
		}
		if r.Copy == "" {
			n.values += checkRows(t, r, w)
		}
	}
}

// checkRows compares the kept rows. It gives the number of values.
func checkRows(t *testing.T, r *event.Result, w oracleResult) (n int) {
	t.Helper()
	var at []int
	for _, c := range r.Columns {
		at = append(at, slices.IndexFunc(w.fields, func(f pgproto3.FieldDescription) bool { return string(f.Name) == c.Name }))
	}
	for i, f := range w.fields {
		if wantTenant(strings.ToLower(string(f.Name))) && !slices.Contains(at, i) && !r.RowsCut {
			t.Errorf("%s: column %q is not there", line(r), f.Name)
		}
	}
	if slices.Contains(at, -1) {
		if w.fields != nil {
			t.Errorf("%s: pgproto3 reads no such column: %d", line(r), at)
		}
		return 0
	}
	var want []string
	for _, row := range w.rows {
		var values []*string
		for _, i := range at {
			if row[i] == nil {
				values = append(values, nil)
				continue
			}
			format := w.fields[i].Format
			if w.formats != nil {
				format = oracleFormat(w.formats, i)
			}
			v := oracleValue(w.fields[i].DataTypeOID, format, row[i])
			values = append(values, &v)
		}
		if one := rowsOf(&event.Result{Rows: [][]*string{values}}); !slices.Contains(want, one) && len(at) > 0 {
			want = append(want, one)
		}
	}
	if r.RowsCut && w.fields != nil && len(want) <= event.MaxRows && readable(w, r.Columns) {
		t.Errorf("%s: nothing of it was to be left out: pgproto3 reads columns %q", line(r), names(w.fields))
	}
	var got []string
	for _, row := range r.Rows {
		n += len(row)
		got = append(got, rowsOf(&event.Result{Rows: [][]*string{row}}))
	}
	missing := slices.ContainsFunc(got, func(row string) bool { return !slices.Contains(want, row) })
	if missing || !r.RowsCut && !slices.Equal(got, want) {
		t.Errorf("%s: pgproto3 reads %q", line(r), want)
	}
	return n
}

func names(fields []pgproto3.FieldDescription) (out []string) {
	for _, f := range fields {
		out = append(out, string(f.Name))
	}
	return out
}

// readable tells whether each value of the wanted columns can be kept.
func readable(w oracleResult, kept []event.Column) bool {
	for i, f := range w.fields {
		if !wantTenant(strings.ToLower(string(f.Name))) && !slices.ContainsFunc(kept, func(c event.Column) bool { return c.Name == string(f.Name) }) {
			continue
		}
		format := f.Format
		if w.formats != nil {
			format = oracleFormat(w.formats, i)
		}
		for _, row := range w.rows {
			if _, ok := appendValue(nil, f.DataTypeOID, byte(format), row[i]); !ok {
				return false
			}
		}
	}
	return true
}
