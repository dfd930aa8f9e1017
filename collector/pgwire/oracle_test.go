package pgwire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"tenantrace/collector/event"
)

// checkOracle reads a recorded connection with pgproto3, and fails unless it holds the texts, executions, answers and rows that the session saw.
func checkOracle(t *testing.T, steps []step, events []event.Event) {
	t.Helper()
	var front, back []byte
	for _, st := range steps {
		if st.server {
			back = append(back, st.data...)
		} else {
			front = append(front, st.data...)
		}
	}
	asked, executed, ok := oracleClient(t, front)
	if !ok {
		return // it did not get to a session
	}
	answers, rows := oracleServer(t, back[bytes.IndexByte(back, 'R'):]) // behind the answers to requests for encryption
	var sawAsked, sawAnswers []string
	sawExecuted, sawRows := 0, uint64(0)
	for _, e := range events {
		switch e := e.(type) {
		case *event.Statement:
			if e.Simple {
				sawAsked = append(sawAsked, e.Text)
			} else {
				sawExecuted++
			}
		case *event.Result:
			sawRows += e.Count
			switch {
			case e.Error != "":
				sawAnswers = append(sawAnswers, "error "+e.Error)
			case e.Tag != "":
				sawAnswers = append(sawAnswers, e.Tag)
			case e.Suspend:
				sawAnswers = append(sawAnswers, "suspended")
			case e.Empty:
				sawAnswers = append(sawAnswers, "empty")
			}
		}
	}
	if !slices.Equal(asked, sawAsked) || executed != sawExecuted || rows != sawRows || len(oracleErrors(answers)) < len(oracleErrors(sawAnswers)) ||
		!slices.Equal(oracleTags(answers), oracleTags(sawAnswers)) {
		t.Errorf("pgproto3 reads %q, %d executions, %q and %d rows; the session saw %q, %d, %q and %d",
			asked, executed, answers, rows, sawAsked, sawExecuted, sawAnswers, sawRows)
	}
}

func isError(a string) bool { return len(a) > 6 && a[:6] == "error " }

// oracleErrors gives the errors. One in a Parse or Bind is no statement's.
func oracleErrors(answers []string) []string {
	return slices.DeleteFunc(slices.Clone(answers), func(a string) bool { return !isError(a) })
}

func oracleTags(answers []string) []string { return slices.DeleteFunc(slices.Clone(answers), isError) }

func oracleClient(t *testing.T, front []byte) (asked []string, executed int, ok bool) {
	t.Helper()
	b := pgproto3.NewBackend(bytes.NewReader(front), io.Discard)
	for {
		m, err := b.ReceiveStartupMessage()
		if err != nil {
			return nil, 0, false
		}
		if _, ok := m.(*pgproto3.StartupMessage); ok {
			break
		}
	}
	for {
		m, err := b.Receive()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return asked, executed, true
		}
		if err != nil {
			t.Fatalf("pgproto3 cannot read the client: %v", err)
		}
		switch m := m.(type) {
		case *pgproto3.Query:
			asked = append(asked, m.String)
		case *pgproto3.Execute:
			executed++
		}
	}
}

func oracleServer(t *testing.T, back []byte) (answers []string, rows uint64) {
	t.Helper()
	f := pgproto3.NewFrontend(bytes.NewReader(back), io.Discard)
	for {
		m, err := f.Receive()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return answers, rows
		}
		if err != nil {
			t.Fatalf("pgproto3 cannot read the server: %v", err)
		}
		switch m := m.(type) {
		case *pgproto3.DataRow:
			rows++
		case *pgproto3.CommandComplete:
			answers = append(answers, string(m.CommandTag))
		case *pgproto3.ErrorResponse:
			answers = append(answers, fmt.Sprintf("error %s", m.Code))
		case *pgproto3.PortalSuspended:
			answers = append(answers, "suspended")
		case *pgproto3.EmptyQueryResponse:
			answers = append(answers, "empty")
		}
	}
}
