package pgwire

// portal finds a portal, or makes one of a statement that is not known, such as a cursor that SQL declared.
func (p *prepared) portal(name []byte) *portal {
	if len(name) == 0 {
		if p.current == nil {
			p.current = &portal{of: &statement{}, formats: formats{all: unreadable}}
		}
		return p.current
	}
	if po := p.portals[string(name)]; po != nil {
		po.used = p.tick()
		return po
	}
	po := &portal{name: string(name), of: &statement{}, formats: formats{all: unreadable}}
	p.bind(po)
	return po
}

// bind notes the Bind of po.
func (p *prepared) bind(po *portal) {
	if po.name == "" {
		p.drop(p.current)
	} else {
		p.drop(p.portals[po.name])
	}
	for i := range po.params {
		po.held += paramSize + len(po.params[i].Value)
	}
	if !p.hold(po.held) {
		po.params, po.held = nil, 0
	}
	if po.name == "" {
		p.current = po
		return
	}
	if len(po.name) > maxName {
		p.drop(po)
		return
	}
	if p.portals == nil {
		p.portals = make(map[string]*portal)
	}
	for len(p.portals) >= maxPortals {
		p.evictPortal()
	}
	po.used = p.tick()
	p.portals[po.name] = po
}

// paramSize is about what a bind value takes beside its bytes.
const paramSize = 24

// drop forgets po: no further Execute can name it.
func (p *prepared) drop(po *portal) {
	if po == nil {
		return
	}
	if p.current == po {
		p.current = nil
	} else if p.portals[po.name] == po {
		delete(p.portals, po.name)
	}
	p.spend(po)
	po.text, po.cut, po.known = "", false, false
}

// spend gives back the values of po.
func (p *prepared) spend(po *portal) {
	p.held -= po.held
	po.params, po.held = nil, 0
}

// dropPortals notes the end of a transaction, which ends all portals.
func (p *prepared) dropPortals() {
	p.drop(p.current)
	p.doubtPortals()
}

// doubtPortals forgets what the named portals run: SQL's own DECLARE may have taken a name that was given up by SQL's CLOSE.
func (p *prepared) doubtPortals() {
	for _, po := range p.portals {
		p.drop(po)
	}
}

// closePortal notes the Close of a portal.
func (p *prepared) closePortal(name []byte) {
	if len(name) == 0 {
		p.drop(p.current)
		return
	}
	p.drop(p.portals[string(name)])
}

// evictPortal drops the least recently used portal.
func (p *prepared) evictPortal() {
	var oldest *portal
	for _, po := range p.portals {
		if oldest == nil || po.used < oldest.used {
			oldest = po
		}
	}
	p.drop(oldest)
}
