package daemon

import (
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"tenantrace/collector/container"
	"tenantrace/collector/event"
	"tenantrace/collector/procfs"
	"tenantrace/correlate/bounded"
	"tenantrace/correlate/policy"
)

// Bounds of a placer.
const (
	maxPlaced     = 16_384 // processes, and containers
	maxAncestors  = 64
	placeInterval = time.Second      // of event time, between looks at pid files and at containers that are not known yet
	placePatience = 30 * time.Second // for which a container's files are waited for
)

// placer says of each process where it belongs, as far as the policy's selectors ask: by pid files, and by what is known of its container. It puts the
// answers among the events, before they are recorded: a replay needs no file of the host.
type placer struct {
	next  Handler
	log   *slog.Logger
	proc  procfs.FS
	host  container.Host
	wants atomic.Pointer[policy.Places]

	asked      *policy.Places // those that the answers so far are for
	files      []*pidFile
	processes  *bounded.Map[uint32, *placed]
	containers *bounded.Map[string, *contained]
	waiting    map[uint32]*placed // for files of their container
	looked     int64
}

// placed is a process and what was said of it.
type placed struct {
	pid    uint32
	cgroup string
	said   event.ProcessPlaced
	member map[string]uint64 // pid files that it is known to belong to, with the start of their process
	until  int64             // waited for
}

type contained struct {
	container.Info
	told bool // that it is not known
}

func newPlacer(next Handler, wants *policy.Places, log *slog.Logger) *placer {
	p := &placer{
		next: next, log: log, proc: "/proc", host: "/", waiting: make(map[uint32]*placed),
		containers: bounded.New[string, *contained](maxPlaced, nil),
	}
	p.processes = bounded.New(maxPlaced, func(pid uint32, _ *placed) { delete(p.waiting, pid) })
	p.wants.Store(wants)
	return p
}

// Handle implements Handler.
func (p *placer) Handle(e event.Event) {
	at := e.Meta().Time
	if now := p.wants.Load(); now != p.asked {
		p.ask(now, at)
	}
	p.next.Handle(e)
	switch e := e.(type) {
	case *event.ProcessStarted:
		one := &placed{pid: e.PID, cgroup: e.Cgroup}
		delete(p.waiting, e.PID)
		p.processes.Put(e.PID, one)
		if p.refresh() {
			p.placeAll(at)
		}
		p.place(one, at)
	case *event.ProcessExited:
		p.processes.Delete(e.PID)
		delete(p.waiting, e.PID)
	}
	if at-p.looked >= int64(placeInterval) {
		p.looked = at
		p.look(at)
	}
}

// ask follows another policy.
func (p *placer) ask(wants *policy.Places, at int64) {
	p.asked, p.files = wants, nil
	for _, path := range wants.PIDFiles {
		p.files = append(p.files, &pidFile{path: path})
	}
	clear(p.waiting)
	p.refresh()
	p.placeAll(at)
}

func (p *placer) placeAll(at int64) {
	for _, one := range p.processes.All() {
		p.place(one, at)
	}
}

// look takes in what has changed on the host.
func (p *placer) look(at int64) {
	if p.refresh() {
		p.placeAll(at)
		return
	}
	for _, one := range p.waiting {
		p.place(one, at)
	}
}

// refresh reads the pid files, and tells whether one names another process.
func (p *placer) refresh() bool {
	changed := false
	for _, f := range p.files {
		was := f.fault
		changed = f.refresh(p.proc) || changed
		if f.fault != "" && f.fault != was {
			p.log.Warn("a pid file of the policy names no process: it selects none", "file", f.path, "why", f.fault)
		}
	}
	return changed
}

// place says where a process belongs, if that is news.
func (p *placer) place(one *placed, at int64) {
	if !p.asked.Asks() {
		return
	}
	now := event.ProcessPlaced{PIDFiles: p.belongs(one)}
	if p.asked.Containers {
		p.contain(one, &now, at)
	}
	if slices.Equal(now.PIDFiles, one.said.PIDFiles) && now.Image == one.said.Image && now.Namespace == one.said.Namespace &&
		now.Pod == one.said.Pod && now.Container == one.said.Container {
		return
	}
	now.Header = event.Header{Time: at, PID: one.pid, TID: one.pid}
	one.said = now
	p.next.Handle(&now)
}

// belongs returns the pid files that hold the id of a process or of one that it descends from. Who has once belonged to a process goes on to when its
// parents end.
func (p *placer) belongs(one *placed) (files []string) {
	if len(p.files) == 0 {
		return nil
	}
	members := make(map[string]uint64)
	for _, f := range p.files {
		if start, ok := one.member[f.path]; ok && f.pid != 0 && start == f.start {
			members[f.path] = f.start
		}
	}
	pid := one.pid
	for range maxAncestors {
		stat, err := p.proc.Stat(pid)
		if err != nil {
			break
		}
		for _, f := range p.files {
			if f.pid == pid && f.start == stat.Start {
				members[f.path] = f.start
			}
		}
		if pid = stat.Parent; pid <= 1 {
			break
		}
	}
	one.member = members
	for path := range members {
		files = append(files, path)
	}
	slices.Sort(files)
	return files
}

// contain adds what is known of the process's container. Its files may come after the process.
func (p *placer) contain(one *placed, now *event.ProcessPlaced, at int64) {
	id := container.ID(one.cgroup)
	if id == "" {
		return
	}
	known := func(c *contained) bool {
		return c.Image != "" && (container.PodUID(one.cgroup) == "" || c.Namespace != "" && c.Pod != "" && c.Name != "")
	}
	c, ok := p.containers.Get(id)
	whole := ok && known(c)
	if !whole && (!ok || at <= one.until || one.until == 0) {
		info, _ := p.host.Of(one.cgroup)
		if !ok {
			c = &contained{}
			p.containers.Put(id, c)
		}
		c.Info = info
		whole = known(c)
	}
	now.Image, now.Namespace, now.Pod, now.Container = c.Image, c.Namespace, c.Pod, c.Name
	switch {
	case whole:
		delete(p.waiting, one.pid)
	case one.until == 0:
		one.until = at + int64(placePatience)
		p.waiting[one.pid] = one
	case at > one.until:
		delete(p.waiting, one.pid)
		if !c.told {
			c.told = true
			p.log.Warn("the host's files do not tell all of a container: selectors by what is missing do not hold for it [select it by cgroup]",
				"container", id, "image", c.Image, "namespace", c.Namespace, "pod", c.Pod, "name", c.Name)
		}
	}
}
