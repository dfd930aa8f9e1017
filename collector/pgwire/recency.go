package pgwire

// recency lists statements by their last use.
type recency struct{ newest, oldest *statement }

// add puts st, which is not in the list, at its new end.
func (r *recency) add(st *statement) {
	st.older, st.newer = r.newest, nil
	if r.newest != nil {
		r.newest.newer = st
	} else {
		r.oldest = st
	}
	r.newest = st
}

// remove takes st, which is in the list, out of it.
func (r *recency) remove(st *statement) {
	if st.newer != nil {
		st.newer.older = st.older
	} else {
		r.newest = st.older
	}
	if st.older != nil {
		st.older.newer = st.newer
	} else {
		r.oldest = st.newer
	}
	st.older, st.newer = nil, nil
}

// use notes that st, which is in the list, is used.
func (r *recency) use(st *statement) {
	if st != r.newest {
		r.remove(st)
		r.add(st)
	}
}
