package matrix

import "fmt"

// person is somebody with a certificate.
type person struct {
	sha256  string
	trusted bool // the servers' authority issued it
}

// Tally is a row's result.
type Tally struct {
	N, Right, Unknown, Wrong int
	Resumed                  int // requests on connections that began with a resumed session, as the client says
	Told                     int // of these, those whose identity says so
	Invented                 int // requests on connections that began with a full handshake, whose identity says that they resumed
	Excused                  int // requests that the daemon could not see, for a reason that the README names
	Placed                   Placed
	Examples                 []string
}

// Placed are the requests that were seen, by whether the address of their connection's other end was the client's.
type Placed struct{ Right, Unknown, Wrong int }

// place judges an address. why is said of a wrong one.
func (p *Placed) place(r *sent, found *request) (why string) {
	switch {
	case found == nil:
	case found.remote == r.from:
		p.Right++
	case found.remote == "":
		p.Unknown++
	default:
		p.Wrong++
		return fmt.Sprintf("it came from %s, not from %s", r.from, found.remote)
	}
	return ""
}

// window is a time in which a daemon was ready, and must see everything.
type window struct{ from, until int64 }

// count compares the requests of a row with what the daemon saw. Those that are not within one of the windows need not have been seen, but what was
// seen of them must be right.
func count(row *Row, requests []sent, saw *seen, people []person, windows []window, excuse func(*sent) bool) Tally {
	var t Tally
	for i := range requests {
		r := &requests[i]
		due := false
		for _, w := range windows {
			due = due || r.begin >= w.from && r.end <= w.until
		}
		found := saw.requests[r.id]
		if found == nil && !due {
			continue
		}
		if found == nil && excuse(r) {
			t.Excused++
			continue
		}
		t.N++
		if why := t.Placed.place(r, found); why != "" && len(t.Examples) < 3 {
			t.Examples = append(t.Examples, r.id+": "+why)
		}
		said := found != nil && found.atRequest != nil && found.atRequest.Resumed
		switch {
		case r.resumed:
			t.Resumed++
			if said {
				t.Told++
			}
		case said || found != nil && found.atResponse != nil && found.atResponse.Resumed:
			t.Invented++
		}
		verdict, why := judge(row, r, found, people)
		switch verdict {
		case right:
			t.Right++
			continue
		case unknown:
			t.Unknown++
		case wrong:
			t.Wrong++
		}
		if len(t.Examples) < 3 {
			t.Examples = append(t.Examples, r.id+": "+why)
		}
	}
	return t
}

type judgement int

const (
	right judgement = iota
	unknown
	wrong
)

// judge says whether the daemon took a request's client for who it was, and why not.
func judge(row *Row, r *sent, found *request, people []person) (judgement, string) {
	if found == nil {
		return unknown, "the request was not seen"
	}
	if found.times > 1 {
		return wrong, fmt.Sprintf("the request was seen %d times", found.times)
	}
	is := found.atRequest
	if row.atResponse {
		// The handshake in the middle of the request says who the client is once: when it is over.
		if is = found.atResponse; is != nil && found.between > 1 {
			return wrong, fmt.Sprintf("%d identities were told while the request was handled", found.between)
		}
	}
	switch {
	case is == nil:
		return unknown, "no identity was told"
	case is.Certificate == nil && is.Source == "unreadable" || is.Certificate != nil && is.Certificate.SHA256 == "":
		return unknown, "the certificate could not be read: " + is.Error
	case is.Role != "server":
		return wrong, fmt.Sprintf("role %q", is.Role)
	case is.Certificate == nil && r.who < 0:
		return right, ""
	case is.Certificate == nil:
		return wrong, fmt.Sprintf("no certificate, but certificate %d was sent", r.who)
	case r.who < 0:
		return wrong, "a certificate, but none was sent"
	case is.Certificate.SHA256 != people[r.who].sha256:
		for i, p := range people {
			if p.sha256 == is.Certificate.SHA256 {
				return wrong, fmt.Sprintf("certificate %d, but certificate %d was sent", i, r.who)
			}
		}
		return wrong, fmt.Sprintf("a strange certificate %s, but certificate %d was sent", is.Certificate.SHA256, r.who)
	case is.verified() != people[r.who].trusted:
		return wrong, fmt.Sprintf("verified %v (result %d, mode %d), but that certificate is trusted: %v", is.verified(), is.VerifyResult, is.VerifyMode, people[r.who].trusted)
	}
	return right, ""
}
