package openssl

import (
	"errors"
	"fmt"
)

// optional is a member that a Layout may lack.
type optional struct {
	span
	session bool // of an SSL_SESSION, else of an SSL
}

// optional lists the members that the layout may lack; the start of an unknown one is 0.
func (o *Layout) optional() []optional {
	return []optional{
		{span{"hit", o.Hit, o.Hit + 4}, false}, {span{"server_name", o.ServerName, o.ServerName + 8}, false},
		{span{"in_init", o.InInit, o.InInit + 4}, false}, {span{"state", o.State, o.State + 4}, false},
		{span{"session_name", o.SessionName, o.SessionName + 8}, true}, {span{"session_time", o.SessionTime, o.SessionTime + 8}, true},
		{span{"session_result", o.SessionResult, o.SessionResult + 8}, true},
	}
}

// sessions learns the offsets of sessions and handshakes into a layout: each that is beyond doubt. The error tells of the others.
func (l *library) sessions(out *Layout) error {
	var unknown []error
	for _, learn := range []func(*Layout) error{l.names, l.hit, l.sessionTime, l.sessionResult, l.progress} {
		with := *out
		err := learn(&with)
		if err == nil {
			err = with.distinct()
		}
		if err != nil {
			unknown = append(unknown, err)
			continue
		}
		*out = with
	}
	return errors.Join(unknown...)
}

// names learns where the host names are: SSL_get_servername gives the connection's, or the session's where that counts.
func (l *library) names(out *Layout) error {
	own, err := l.returned("SSL_SESSION_get0_hostname", []int{8})
	if err != nil {
		return err
	}
	const accessor = "SSL_get_servername"
	through, err := l.returned(accessor, []int{8, 8})
	if err != nil {
		return err
	}
	if through[0] != out.Session || through[1] != own[0] {
		return fmt.Errorf("session's name is at %#x of %#x by %s, at %#x by SSL_SESSION_get0_hostname", through[1], through[0], accessor, own[0])
	}
	r, err := l.execute(accessor, true)
	if err != nil {
		return err
	}
	var direct *chain
	for _, v := range r.returns {
		c, ok := chainOf(v)
		if !ok || c.argument != 0 || len(c.links) != 1 || c.tail != 0 || c.sizes[0] != 8 || c.links[0] == int64(out.Session) {
			continue // or no session: its null is returned for that of its name
		}
		if direct != nil && !c.equal(*direct) {
			return fmt.Errorf("%s: returns different members", accessor)
		}
		direct = &c
	}
	if direct == nil {
		return fmt.Errorf("%s: returns no member of the connection", accessor)
	}
	out.SessionName = own[0]
	out.ServerName, err = offsetOf(direct.links[0], 8)
	return err
}

// hit learns where it stands whether a session was resumed. SSL_get_servername asks too.
func (l *library) hit(out *Layout) error {
	const accessor = "SSL_session_reused"
	links, err := l.returned(accessor, []int{4})
	if err != nil {
		return err
	}
	if err := l.tests("SSL_get_servername", links[0]); err != nil {
		return fmt.Errorf("%s: %w", accessor, err)
	}
	out.Hit = links[0]
	return nil
}

// progress learns where it stands whether a handshake goes on, and how far it came: SSL_is_init_finished looks at both.
func (l *library) progress(out *Layout) error {
	links, err := l.returned("SSL_in_init", []int{4})
	if err != nil {
		return err
	}
	state, err := l.returned("SSL_get_state", []int{4})
	if err != nil {
		return err
	}
	const both = "SSL_is_init_finished"
	if err := l.tests(both, links[0]); err != nil {
		return fmt.Errorf("SSL_in_init: %w", err)
	}
	r, err := l.execute(both, true)
	if err != nil {
		return err
	}
	want := load(argument(0).plus(int64(state[0])), 4)
	for _, v := range r.loads {
		if v.equal(want) {
			out.InInit, out.State = links[0], state[0]
			return nil
		}
	}
	return fmt.Errorf("SSL_get_state: %s does not look at the int at %#x", both, state[0])
}

// tests checks that a function branches on the int at an offset of its first argument.
func (l *library) tests(name string, offset uint32) error {
	r, err := l.execute(name, true)
	if err != nil {
		return err
	}
	if r.err != nil {
		return fmt.Errorf("%s: %w", name, r.err)
	}
	want := load(argument(0).plus(int64(offset)), 4)
	for _, v := range r.tested {
		if v.equal(want) {
			return nil
		}
	}
	return fmt.Errorf("%s does not look at the int at %#x", name, offset)
}

// second is a time_t of 1, in nanoseconds.
const second = 1_000_000_000

// sessionTime learns where a session has the time when it was made. Until 3.1 that is a time_t, which the accessors give and take as it is; since then it is a number
// of nanoseconds (OSSL_TIME), for which SSL_SESSION_set_time multiplies. SSL_SESSION_get_time must read nothing else of the session.
func (l *library) sessionTime(out *Layout) error {
	const setter, getter = "SSL_SESSION_set_time", "SSL_SESSION_get_time"
	set, err := l.execute(setter, true)
	if err != nil {
		return err
	}
	if set.err != nil {
		return fmt.Errorf("%s: %w", setter, set.err)
	}
	var at *chain
	var unit uint32
	for _, s := range set.stores {
		var of uint32
		switch {
		case s.value.isArgument(1):
			of = second
		case s.value.equal(times(argument(1), second)):
			of = 1
		default:
			continue
		}
		c, ok := chainOf(s.address)
		if !ok || c.argument != 0 || len(c.links) > 0 || s.size != 8 {
			return fmt.Errorf("%s: writes the time elsewhere", setter)
		}
		if at != nil && (!c.equal(*at) || of != unit) {
			return fmt.Errorf("%s: writes the time to different places", setter)
		}
		at, unit = &c, of
	}
	if at == nil {
		return fmt.Errorf("%s: writes no time", setter)
	}
	offset, err := offsetOf(at.tail, 8)
	if err != nil {
		return fmt.Errorf("%s: %w", setter, err)
	}
	if err := l.reads(getter, offset, unit == second); err != nil {
		return err
	}
	out.SessionTime, out.SessionTimeUnit = offset, unit
	return nil
}

// reads checks that an accessor reads the 8 bytes at an offset of its first argument and nothing else of it, and whether it gives them as they are.
func (l *library) reads(accessor string, offset uint32, unchanged bool) error {
	r, err := l.execute(accessor, true)
	if err != nil {
		return err
	}
	if r.err != nil {
		return fmt.Errorf("%s: %w", accessor, r.err)
	}
	want := load(argument(0).plus(int64(offset)), 8)
	read, given := false, false
	for _, v := range r.loads {
		if c, ok := chainOf(v); !ok || c.argument != 0 {
			continue
		}
		if !v.equal(want) {
			return fmt.Errorf("%s: reads something else than what is at %#x", accessor, offset)
		}
		read = true
	}
	for _, v := range r.returns {
		given = given || v.equal(want)
	}
	switch {
	case !read:
		return fmt.Errorf("%s: does not read what is at %#x", accessor, offset)
	case given != unchanged:
		return fmt.Errorf("%s: has another unit than its counterpart", accessor)
	}
	return nil
}

// sessionResult learns where a session keeps its verify result: SSL_set_session copies it to the connection's, whose place is known.
func (l *library) sessionResult(out *Layout) error {
	const accessor = "SSL_set_session"
	r, err := l.execute(accessor, true)
	if err != nil {
		return err
	}
	if r.err != nil {
		return fmt.Errorf("%s: %w", accessor, r.err)
	}
	var from *chain
	for _, s := range r.stores {
		if !s.address.equal(argument(0).plus(int64(out.VerifyResult))) {
			continue
		}
		c, ok := chainOf(s.value)
		if !ok || s.size != 8 || c.argument != 1 || len(c.links) != 1 || c.tail != 0 || c.sizes[0] != 8 {
			return fmt.Errorf("%s: sets the verify result to something else than the session's", accessor)
		}
		if from != nil && !c.equal(*from) {
			return fmt.Errorf("%s: sets the verify result to different members", accessor)
		}
		from = &c
	}
	if from == nil {
		return fmt.Errorf("%s: does not set the verify result", accessor)
	}
	out.SessionResult, err = offsetOf(from.links[0], 8)
	return err
}
