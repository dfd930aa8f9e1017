package recording

import "tenantrace/collector/event"

// kindOf gives the name under which an event is recorded, or "" for a type that this version does not know.
func kindOf(e event.Event) string {
	switch e.(type) {
	case *event.ProcessStarted:
		return "process_started"
	case *event.ProcessPlaced:
		return "process_placed"
	case *event.ProcessExited:
		return "process_exited"
	case *event.ConnectionOpened:
		return "connection_opened"
	case *event.ConnectionClosed:
		return "connection_closed"
	case *event.ThreadStarted:
		return "thread_started"
	case *event.ThreadEnded:
		return "thread_ended"
	case *event.ThreadWaited:
		return "thread_waited"
	case *event.Lost:
		return "lost"
	case *event.Tick:
		return "tick"
	case *event.Identity:
		return "identity"
	case *event.Revocation:
		return "revocation"
	case *event.RevocationLists:
		return "revocation_lists"
	case *event.HTTPRequest:
		return "http_request"
	case *event.HTTPResponse:
		return "http_response"
	case *event.HTTPResponseEnd:
		return "http_response_end"
	case *event.SessionStarted:
		return "session_started"
	case *event.SessionSetting:
		return "session_setting"
	case *event.SessionDatabase:
		return "session_database"
	case *event.SessionUnreadable:
		return "session_unreadable"
	case *event.SessionReady:
		return "session_ready"
	case *event.SessionDesync:
		return "session_desync"
	case *event.Statement:
		return "statement"
	case *event.Result:
		return "result"
	}
	return ""
}

// newEvent gives an empty event of a kind, or nil for a kind that this version does not know.
func newEvent(kind string) event.Event {
	switch kind {
	case "process_started":
		return new(event.ProcessStarted)
	case "process_placed":
		return new(event.ProcessPlaced)
	case "process_exited":
		return new(event.ProcessExited)
	case "connection_opened":
		return new(event.ConnectionOpened)
	case "connection_closed":
		return new(event.ConnectionClosed)
	case "thread_started":
		return new(event.ThreadStarted)
	case "thread_ended":
		return new(event.ThreadEnded)
	case "thread_waited":
		return new(event.ThreadWaited)
	case "lost":
		return new(event.Lost)
	case "tick":
		return new(event.Tick)
	case "identity":
		return new(event.Identity)
	case "revocation":
		return new(event.Revocation)
	case "revocation_lists":
		return new(event.RevocationLists)
	case "http_request":
		return new(event.HTTPRequest)
	case "http_response":
		return new(event.HTTPResponse)
	case "http_response_end":
		return new(event.HTTPResponseEnd)
	case "session_started":
		return new(event.SessionStarted)
	case "session_setting":
		return new(event.SessionSetting)
	case "session_database":
		return new(event.SessionDatabase)
	case "session_unreadable":
		return new(event.SessionUnreadable)
	case "session_ready":
		return new(event.SessionReady)
	case "session_desync":
		return new(event.SessionDesync)
	case "statement":
		return new(event.Statement)
	case "result":
		return new(event.Result)
	}
	return nil
}
